import { createHash } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { nodeFlags } from '../node-flags.ts';
import type { LaunchSpec } from '../runtime.ts';
import { sharedLibraries } from '../shared-libraries.ts';
import { type Engine, EngineError } from './engine.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

export const SOCKET_DIR = '/run/skill';
export const DATA_DIR = '/data';
export const LAUNCH_PATH = '/app/launch.json';
export const HANDLER_PATH = '/app/handler.mjs';
const HOST_PATH = '/app/host.mjs';
const NODE_PATH = '/bin/node';
const CONTENT_LABEL = 'sarai.content';
/** Part of what identifies an image: a change of how it is laid out makes older ones outdated. */
const LAYOUT = 2;

/** A file of an image: its path there, and where its content is, or that it is a folder. */
type Source = { path: string; from: string } | { path: string; owned: boolean; mode: number };

/** The user that a container runs as: nobody, or, when the assistant is no root, its own, so that both can use the socket. */
export function containerUser(): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? { uid: 65_534, gid: 65_534 } : { uid, gid: process.getgid?.() ?? uid };
}

/** What an image is made of. */
export type ImageParts = Pick<LaunchSpec, 'manifest' | 'hostPath' | 'handlerPath'>;

export function imageName(spec: Pick<LaunchSpec, 'manifest'>): string {
  return `saraiskill.${spec.manifest.name}:${spec.manifest.version}`;
}

/**
 * Makes sure that the image of a skill is there and has the code as it is now. It is built without pulling anything: Node, the
 * libraries that it links to, the host and the handler, nothing else.
 *
 * @param cacheDir keeps the layer that all skills share
 * @returns the id of the image
 * @throws EngineError
 */
export async function ensureImage(engine: Engine, spec: ImageParts, cacheDir: string): Promise<string> {
  const name = imageName(spec);
  const content = contentOf(spec);
  const existing = await inspectImage(engine, name);
  if (existing?.Config?.Labels?.[CONTENT_LABEL] === content) return existing.Id;
  const base = await makeLayer(join(cacheDir, `base-${LAYOUT}-${fileIdentity(process.execPath)}.tar`), baseFiles());
  const code = await makeLayer(join(cacheDir, `skill-${content}.tar`), [
    { path: 'app/host.mjs', from: spec.hostPath },
    { path: 'app/handler.mjs', from: spec.handlerPath },
  ]);
  const answer = await engine.stream(
    'POST',
    '/images/load?quiet=1',
    archive(name, imageConfig(spec, content, [base, code]), [base, code]),
  );
  let said = '';
  for await (const piece of answer) said += piece;
  const loaded = await inspectImage(engine, name);
  if (!loaded) throw new EngineError(0, `the image ${name} was not loaded: ${said.trim()}`);
  return loaded.Id;
}

interface ImageInspection {
  Id: string;
  Size: number;
  Config?: { Labels?: Record<string, string> };
}

export async function inspectImage(engine: Engine, name: string): Promise<ImageInspection | undefined> {
  try {
    return await engine.json<ImageInspection>('GET', `/images/${encodeURIComponent(name)}/json`);
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

function contentOf(spec: ImageParts): string {
  const hash = createHash('sha256');
  const { uid, gid } = containerUser();
  hash.update(JSON.stringify([LAYOUT, process.version, uid, gid, spec.manifest.resources.memory]));
  for (const path of [spec.hostPath, spec.handlerPath]) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 32);
}

/** Cheaper than reading 120 MB: a file that changed has another size or time. */
function fileIdentity(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return createHash('sha256').update(`${process.version} ${size} ${mtimeMs}`).digest('hex').slice(0, 16);
}

function baseFiles(): Source[] {
  const libraries = [...sharedLibraries()].sort();
  const files = [
    ['bin/node', process.execPath] as const,
    ...libraries.map(([from, path]) => [path.slice(1), from] as const),
  ];
  const folders = new Set<string>(['app', 'proc', 'sys', 'dev', 'etc', 'run']);
  for (const [path] of files) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  }
  return [
    ...[...folders].sort().map((path) => ({ path, owned: false, mode: 0o755 })),
    // A tmpfs takes over the rights of the folder that it is mounted on.
    { path: 'tmp', owned: false, mode: 0o1777 },
    ...[SOCKET_DIR, DATA_DIR].map((path) => ({ path: path.slice(1), owned: true, mode: 0o700 })),
    ...files.map(([path, from]) => ({ path, from })),
  ];
}

interface Layer {
  path: string;
  /** SHA-256 of the archive. */
  digest: string;
  size: number;
}

/** Writes a layer into the cache, or takes the one that is there. */
async function makeLayer(path: string, sources: readonly Source[]): Promise<Layer> {
  const digestPath = `${path}.sha256`;
  if (!existsSync(digestPath)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const hash = createHash('sha256');
    const temporary = `${path}.${process.pid}.tmp`;
    await pipeline(async function* () {
      for await (const piece of layerPieces(sources)) {
        hash.update(piece);
        yield piece;
      }
    }, createWriteStream(temporary));
    renameSync(temporary, path);
    writeFileSync(digestPath, hash.digest('hex'));
  }
  return { path, digest: readFileSync(digestPath, 'utf8'), size: statSync(path).size };
}

async function* layerPieces(sources: readonly Source[]): AsyncGenerator<Buffer> {
  const { uid, gid } = containerUser();
  for (const source of sources) {
    if (!('from' in source)) {
      const owner = source.owned ? { uid, gid } : { uid: 0, gid: 0 };
      yield tarHeader({ path: source.path, mode: source.mode, ...owner, size: 0, isFolder: true });
      continue;
    }
    const { size } = statSync(source.from);
    const isProgram = source.path.startsWith('bin/') || /\.so/.test(basename(source.path));
    yield tarHeader({ path: source.path, mode: isProgram ? 0o755 : 0o644, uid: 0, gid: 0, size, isFolder: false });
    yield* createReadStream(source.from) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield TAR_END;
}

/** https://github.com/opencontainers/image-spec/blob/main/config.md */
function imageConfig(spec: ImageParts, content: string, layers: readonly Layer[]): string {
  const { name, version, description, resources } = spec.manifest;
  const { uid, gid } = containerUser();
  return JSON.stringify({
    architecture: { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      User: `${uid}:${gid}`,
      WorkingDir: '/tmp',
      Env: ['HOME=/tmp', 'TMPDIR=/tmp', 'UV_THREADPOOL_SIZE=2'],
      Entrypoint: [NODE_PATH, ...nodeFlags(resources.memory), HOST_PATH, LAUNCH_PATH],
      Labels: {
        [CONTENT_LABEL]: content,
        'org.opencontainers.image.title': name,
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.description': description,
      },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'phoenix' })),
  });
}

/** An archive as `docker save` writes it (https://github.com/moby/moby/blob/master/image/spec/v1.2.md). */
async function* archive(name: string, config: string, layers: readonly Layer[]): AsyncGenerator<Buffer> {
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  const manifest = [{ Config: configName, RepoTags: [name], Layers: layers.map(({ digest }) => `${digest}.tar`) }];
  const file = (path: string, size: number) => tarHeader({ path, mode: 0o644, uid: 0, gid: 0, size, isFolder: false });
  for (const [path, text] of [
    ['manifest.json', JSON.stringify(manifest)],
    [configName, config],
  ] as const) {
    const bytes = Buffer.from(text);
    yield Buffer.concat([file(path, bytes.length), bytes, tarPadding(bytes.length)]);
  }
  for (const { path, digest, size } of layers) {
    yield file(`${digest}.tar`, size);
    yield* createReadStream(path) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield TAR_END;
}
