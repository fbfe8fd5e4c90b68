/**
 * Generates src/contract/gen from proto/: `npm run generate`, or with `--check` only compares and fails when it is stale.
 *
 * protobufjs parses the .proto files into a descriptor set and ts-proto, a protoc plugin, turns that into TypeScript,
 * so that no protoc binary has to be installed.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor/index.js';

const root = join(import.meta.dirname, '..');
/** What skills speak: reflection tells of it. */
const ofSkills = ['skills.proto', 'grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto'];
const files = [...ofSkills, 'federation.proto'];
const options = [
  'env=node',
  'esModuleInterop=true',
  'importSuffix=.ts',
  'outputServices=grpc-js',
  'outputJsonMethods=false',
  'outputPartialMethods=false',
  'outputClientImpl=true',
  'forceLong=bigint',
  'enumsAsLiterals=true',
  'unrecognizedEnum=false',
  'exportCommonSymbols=false',
  'useDate=false',
].join(',');

/** One descriptor per .proto file, in the wire format of google.protobuf.FileDescriptorProto. */
async function describe(file: string): Promise<protobuf.Message> {
  const space = new protobuf.Root();
  const source = await readFile(join(root, 'proto', file), 'utf8');
  const parsed = protobuf.parse(source, space, { keepCase: true });
  space.resolveAll();
  const set = (
    space as unknown as { toDescriptor(edition: string): protobuf.Message & { file: FileDescriptor[] } }
  ).toDescriptor('proto3');
  const described = set.file.find((candidate) => candidate.package === parsed.package);
  if (!described) throw new Error(`${file}: no package "${parsed.package}" in its descriptor`);
  described.name = file;
  described.syntax = 'proto3';
  const types = new Set<string>();
  const scope = `.${described.package}`;
  for (const message of described.messageType) collectTypes(message, scope, types);
  for (const message of described.messageType) qualify(message, scope, types);
  for (const service of described.service) {
    for (const method of service.method) {
      method.inputType = resolveType(method.inputType, scope, types);
      method.outputType = resolveType(method.outputType, scope, types);
    }
  }
  return described as unknown as protobuf.Message;
}

interface FileDescriptor {
  name: string;
  package: string;
  syntax: string;
  messageType: MessageDescriptor[];
  service: { method: { inputType: string; outputType: string }[] }[];
}

interface MessageDescriptor {
  name: string;
  nestedType: MessageDescriptor[];
  enumType: { name: string }[];
  field: { name: string; typeName?: string }[];
  options?: { mapEntry?: boolean };
}

function collectTypes(message: MessageDescriptor, scope: string, types: Set<string>): void {
  // protobufjs names the entry type of a map field without the suffix that protobuf prescribes.
  if (message.options?.mapEntry) message.name += 'Entry';
  const own = `${scope}.${message.name}`;
  types.add(own);
  for (const nested of message.nestedType) collectTypes(nested, own, types);
  for (const nested of message.enumType) types.add(`${own}.${nested.name}`);
}

/** Descriptors name types in full; protobufjs leaves them as they are written. */
function qualify(message: MessageDescriptor, scope: string, types: Set<string>): void {
  const own = `${scope}.${message.name}`;
  for (const field of message.field) if (field.typeName) field.typeName = resolveType(field.typeName, own, types);
  for (const nested of message.nestedType) qualify(nested, own, types);
}

function resolveType(name: string, scope: string, types: Set<string>): string {
  if (types.has(name)) return name;
  for (let at = scope; at !== ''; at = at.slice(0, at.lastIndexOf('.'))) {
    for (const candidate of [`${at}.${name}Entry`, `${at}.${name}`]) if (types.has(candidate)) return candidate;
  }
  throw new Error(`type ${name} is not known in ${scope}`);
}

/** Runs the ts-proto plugin on a CodeGeneratorRequest and returns the files that it writes. */
function generate(descriptors: protobuf.Message[]): Map<string, string> {
  const { FileDescriptorProto } = descriptor as unknown as { FileDescriptorProto: protobuf.Type };
  const request = protobuf.Writer.create();
  for (const file of files) request.uint32((1 << 3) | 2).string(file);
  request.uint32((2 << 3) | 2).string(options);
  for (const described of descriptors) {
    request.uint32((15 << 3) | 2).bytes(FileDescriptorProto.encode(described).finish());
  }
  const plugin = createRequire(import.meta.url).resolve('ts-proto/protoc-gen-ts_proto');
  const run = spawnSync(process.execPath, [plugin], { input: request.finish(), maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(`ts-proto failed: ${run.stderr}`);

  const response = protobuf.Reader.create(run.stdout);
  const out = new Map<string, string>();
  while (response.pos < response.len) {
    const tag = response.uint32();
    if (tag >>> 3 === 1) throw new Error(`ts-proto: ${response.string()}`);
    if (tag >>> 3 !== 15) {
      response.skipType(tag & 7);
      continue;
    }
    const file = protobuf.Reader.create(response.bytes());
    let name = '';
    let content = '';
    while (file.pos < file.len) {
      const inner = file.uint32();
      if (inner >>> 3 === 1) name = file.string();
      else if (inner >>> 3 === 15) content = file.string();
      else file.skipType(inner & 7);
    }
    out.set(name, content);
  }
  return out;
}

/** The descriptors as a module: what server reflection answers with. */
function descriptorModule(descriptors: protobuf.Message[]): string {
  const { FileDescriptorProto } = descriptor as unknown as { FileDescriptorProto: protobuf.Type };
  const entries = descriptors.slice(0, ofSkills.length).map((described, index) => {
    const bytes = Buffer.from(FileDescriptorProto.encode(described).finish()).toString('base64');
    return `  ${JSON.stringify(ofSkills[index])}:\n    '${bytes}',\n`;
  });
  return `// Code generated by scripts/generate-contract.ts. DO NOT EDIT.\n\n/** google.protobuf.FileDescriptorProto of each .proto file, base64. */\nexport const FILE_DESCRIPTORS: Record<string, string> = {\n${entries.join('')}};\n`;
}

const descriptors = await Promise.all(files.map(describe));
const generated = generate(descriptors);
generated.set('descriptors.ts', descriptorModule(descriptors));

const stale: string[] = [];
for (const [name, content] of generated) {
  const path = join(root, 'src/contract/gen', name);
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === content) continue;
  stale.push(name);
  if (process.argv.includes('--check')) continue;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
}
if (process.argv.includes('--check') && stale.length > 0) {
  console.error(`src/contract/gen is not what proto/ says: ${stale.join(', ')}. Run: npm run generate`);
  process.exit(1);
}
