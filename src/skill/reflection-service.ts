import type { ServerDuplexStream } from '@grpc/grpc-js';
import { FILE_DESCRIPTORS } from '../contract/gen/descriptors.ts';
import type { reflection } from '../contract/index.ts';
import { STATUS_CODES } from './status.ts';

type Request = reflection.ServerReflectionRequest;
type Response = reflection.ServerReflectionResponse;
type Answer = Partial<Omit<Response, 'validHost' | 'originalRequest'>>;

/** Which file declares a service; messages and methods are found by their package and service prefix. */
const SERVICE_FILES: Record<string, string> = {
  'sarai.skills.SkillService': 'skills.proto',
  'grpc.health.v1.Health': 'grpc/health/v1/health.proto',
  'grpc.reflection.v1.ServerReflection': 'grpc/reflection/v1/reflection.proto',
};

const PACKAGE_FILES: Record<string, string> = {
  'sarai.skills.': 'skills.proto',
  'grpc.health.v1.': 'grpc/health/v1/health.proto',
  'grpc.reflection.v1.': 'grpc/reflection/v1/reflection.proto',
};

/**
 * Server reflection over the committed descriptors.
 *
 * Not the `@grpc/reflection` package: it needs protobufjs and the .proto files at run time, inside every skill.
 */
export const reflectionService: reflection.ServerReflectionServer = {
  serverReflectionInfo(stream: ServerDuplexStream<Request, Response>) {
    stream.on('data', (request: Request) => stream.write(toResponse(request, answer(request))));
    stream.on('end', () => stream.end());
    stream.on('error', () => stream.destroy());
  },
};

function answer(request: Request): Answer {
  if (request.listServices !== undefined) {
    return { listServicesResponse: { service: Object.keys(SERVICE_FILES).map((name) => ({ name })) } };
  }
  if (request.fileByFilename !== undefined) return file(request.fileByFilename, request.fileByFilename);
  if (request.fileContainingSymbol !== undefined) {
    const symbol = request.fileContainingSymbol;
    const prefix = Object.keys(PACKAGE_FILES).find((candidate) => symbol.startsWith(candidate));
    return file(prefix ? PACKAGE_FILES[prefix] : undefined, symbol);
  }
  if (request.allExtensionNumbersOfType !== undefined) {
    return {
      allExtensionNumbersResponse: { baseTypeName: request.allExtensionNumbersOfType, extensionNumber: [] },
    };
  }
  return notFound('extensions');
}

function file(name: string | undefined, asked: string): Answer {
  const encoded = name === undefined ? undefined : FILE_DESCRIPTORS[name];
  if (encoded === undefined) return notFound(asked);
  return { fileDescriptorResponse: { fileDescriptorProto: [Buffer.from(encoded, 'base64')] } };
}

function notFound(asked: string): Answer {
  return { errorResponse: { errorCode: STATUS_CODES.NOT_FOUND, errorMessage: `this skill does not know ${asked}` } };
}

function toResponse(request: Request, given: Answer): Response {
  return {
    validHost: request.host,
    originalRequest: request,
    fileDescriptorResponse: undefined,
    allExtensionNumbersResponse: undefined,
    listServicesResponse: undefined,
    errorResponse: undefined,
    ...given,
  };
}
