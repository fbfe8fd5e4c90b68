import type { IncomingMessage } from 'node:http';
import type { FastifyError, FastifyInstance } from 'fastify';
import { ZodError } from 'zod';
import { GenerationError, type GenerationErrorCode } from '../generation/index.ts';
import { MemoryWriteError } from '../memory/index.ts';
import { SkillCallError } from '../pool/index.ts';

/** Longest message of an error, in characters. */
const MAX_MESSAGE = 2000;

/** How long a body that is too large may take to arrive, in milliseconds. */
const DRAIN_MS = 2000;

/** An error of a request, in the shape that clients of the OpenAI API understand. */
export interface ApiErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** A request that is refused. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: number;
  readonly param: string | null;
  readonly code: string | null;

  constructor(status: number, message: string, param: string | null = null, code: string | null = null) {
    super(message);
    this.status = status;
    this.param = param;
    this.code = code;
  }
}

/** HTTP status of a gRPC status: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto */
const HTTP_STATUS: Record<string, number> = {
  INVALID_ARGUMENT: 400,
  OUT_OF_RANGE: 400,
  FAILED_PRECONDITION: 400,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  ABORTED: 409,
  RESOURCE_EXHAUSTED: 429,
  UNIMPLEMENTED: 501,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

const GENERATION_STATUS: Record<GenerationErrorCode, number> = {
  no_model: 503,
  context_length_exceeded: 400,
  invalid: 400,
  busy: 429,
};

/** Makes every error of the server one clear line in the same shape. */
export function installErrorHandling(app: FastifyInstance): void {
  app.setErrorHandler(async (error: unknown, request, reply) => {
    const { status, ...body } = describe(error);
    if (status >= 500 && ![503, 504, 507].includes(status)) request.log.error({ err: error }, 'the request failed');
    if (status === 413) await drain(request.raw);
    return reply.status(status).send(toBody(status, body));
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .status(404)
      .send(
        toBody(404, { message: `there is no ${request.method} ${request.url.split('?')[0]}`, param: null, code: null }),
      ),
  );
}

/** Lets a body that is too large arrive and throws it away: a client that is cut off while it sends does not see the answer. */
function drain(body: IncomingMessage): Promise<void> {
  if (body.readableEnded) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, DRAIN_MS);
    body.once('end', done).once('close', done).resume();
  });
}

/** The body that tells an error. */
export function bodyOfError(error: unknown): ApiErrorBody {
  const { status, ...body } = describe(error);
  return toBody(status, body);
}

function describe(error: unknown): { status: number; message: string; param: string | null; code: string | null } {
  if (error instanceof RequestError)
    return { status: error.status, message: error.message, param: error.param, code: error.code };
  if (error instanceof ZodError) {
    const [issue] = error.issues;
    const param = issue?.path.map(String).join('.') || null;
    return {
      status: 400,
      message: `${param ? `${param}: ` : ''}${issue?.message ?? 'invalid request'}`,
      param,
      code: null,
    };
  }
  if (error instanceof SkillCallError) {
    return { status: HTTP_STATUS[error.code] ?? 500, message: error.message, param: null, code: error.code };
  }
  if (error instanceof GenerationError) {
    const { code, message, param = null } = error;
    return { status: GENERATION_STATUS[code], message, param, code };
  }
  if (error instanceof MemoryWriteError)
    return { status: error.isFull ? 507 : 503, message: error.message, param: null, code: null };
  const { statusCode, message, code, name } = error as FastifyError;
  if (['MemoryInputError', 'FeedbackError', 'RouterWeightsError'].includes(name))
    return { status: 400, message, param: null, code: null };
  if (statusCode !== undefined && statusCode < 500)
    return { status: statusCode, message, param: null, code: code ?? null };
  return { status: 500, message: 'something went wrong inside; the log says more', param: null, code: null };
}

function toBody(
  status: number,
  { message, param, code }: { message: string; param: string | null; code: string | null },
): ApiErrorBody {
  const type =
    status === 401
      ? 'authentication_error'
      : status === 429
        ? 'rate_limit_error'
        : status < 500
          ? 'invalid_request_error'
          : 'server_error';
  // What a client sent may be in it.
  const line = message.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
  return { error: { message: line.length > MAX_MESSAGE ? `${line.slice(0, MAX_MESSAGE)}…` : line, type, param, code } };
}
