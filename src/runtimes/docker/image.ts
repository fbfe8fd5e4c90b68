import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesOf, type NativePackage } from '../../bundle/index.ts';
import { nativePath } from '../extras.ts';
import { nodeFlags } from '../node-flags.ts';
import { batchStarter, startedBy } from '../priority.ts';
import type { LaunchSpec } from '../runtime.ts';
import { sharedLibraries } from '../shared-libraries.ts';
import { type Engine, EngineError } from './engine.ts';
import { containerUser, imageArchive, type Layer, makeLayer, type Source } from './layers.ts';
import { buildOnBase } from './on-base.ts';

export const SOCKET_DIR = '/run/skill';
export const SOCKET_PATH = `${SOCKET_DIR}/skill.sock`;
export const DATA_DIR = '/data';
export const LAUNCH_PATH = '/app/launch.json';
export const HANDLER_PATH = '/app/handler.mjs';
const HOST_PATH = '/app/host.mjs';
const HEALTH_PATH = '/app/health.mjs';
export const NODE_PATH = '/app/node';
const STARTER_PATH = '/app/chrt';
export const CONTENT_LABEL = 'sarai.content';
const BASE_LABEL = 'sarai.base';
/** Part of what identifies an image: a change of how it is laid out makes older ones outdated. */
export const LAYOUT = 6;

/** What an image is made of. */
export interface ImageParts extends Pick<LaunchSpec, 'manifest' | 'hostPath' | 'handlerPath' | 'native'> {
  /** Absolute path of the bundled health check. */
  healthPath: string;
}

export function imageName(spec: Pick<LaunchSpec, 'manifest'>): string {
  return `saraiskill.${spec.manifest.name}:${spec.manifest.version}`;
}

/** What images are made for, as Go calls it. */
export const ARCHITECTURE = { x64: 'amd64', arm64: 'arm64' }[process.arch as 'x64'] ?? process.arch;

export interface ImageInspection {
  Id: string;
  Size: number;
  Architecture: string;
  RepoTags?: string[] | null;
  Config?: { Labels?: Record<string, string> };
}

/** An image that the engine has under the name of a skill. */
export interface FoundImage {
  id: string;
  /** Bytes, uncompressed. */
  size: number;
  /** The image that it was built on; undefined: on nothing. */
  base: string | undefined;
  /** Why it cannot be used as it is; undefined: it can. */
  flaw: 'has older code' | 'is for another architecture' | undefined;
}

/** The image of a skill that the engine has, current or not. @throws EngineError */
export async function findImage(engine: Engine, parts: ImageParts): Promise<FoundImage | undefined> {
  const found = await inspectImage(engine, imageName(parts));
  if (!found) return undefined;
  const labels = found.Config?.Labels ?? {};
  return {
    id: found.Id,
    size: found.Size,
    base: labels[BASE_LABEL],
    flaw:
      found.Architecture !== ARCHITECTURE
        ? 'is for another architecture'
        : labels[CONTENT_LABEL] !== contentOf(parts)
          ? 'has older code'
          : undefined,
  };
}

/**
 * Builds the image of a skill: Node, the libraries that it links to, the host, the handler and the health check, nothing else. Nothing
 * is pulled.
 *
 * @param cacheDir keeps the layer that all skills share
 * @param base an image that the engine has, to build on; its own C libraries are used
 * @returns the id of the image
 * @throws EngineError
 */
export async function buildImage(
  engine: Engine,
  parts: ImageParts,
  cacheDir: string,
  base: string | undefined,
): Promise<string> {
  const name = imageName(parts);
  const content = contentOf(parts);
  // It needs the C library that it was linked to.
  const starter = base === undefined ? batchStarter(parts.manifest) : undefined;
  const common = await commonLayer(cacheDir, base === undefined);
  const code = await makeLayer(join(cacheDir, `skill-${content}${base === undefined ? '' : '-on-base'}.tar`), [
    { path: HOST_PATH.slice(1), from: parts.hostPath },
    { path: HANDLER_PATH.slice(1), from: parts.handlerPath },
    { path: HEALTH_PATH.slice(1), from: parts.healthPath },
    ...(starter === undefined ? [] : [{ path: STARTER_PATH.slice(1), from: starter, isProgram: true }]),
  ]);
  const packages = await Promise.all(parts.native.map((each) => nativeLayer(each, cacheDir)));
  const layers = [common, ...packages, code];
  const config = containerDefaults(parts, content, starter);
  let said = '';
  if (base === undefined) {
    said = await loadImage(engine, name, config, layers);
  } else {
    const found = await inspectImage(engine, base);
    if (!found) throw new EngineError(404, `the base image ${base} is not there: pull or load it first`);
    if (found.Architecture !== ARCHITECTURE)
      throw new EngineError(0, `the base image ${base} is for ${found.Architecture}: it has to be for ${ARCHITECTURE}`);
    const labels = { ...config.Labels, [BASE_LABEL]: base };
    said = await buildOnBase(engine, name, base, { ...config, Labels: labels }, layers);
  }
  const built = await findImage(engine, parts);
  if (!built || built.flaw) throw new EngineError(0, `the image ${name} was not built: ${said.trim()}`);
  return built.id;
}

/** @returns undefined when the engine has no such image @throws EngineError */
export async function inspectImage(engine: Engine, name: string): Promise<ImageInspection | undefined> {
  try {
    return await engine.json<ImageInspection>('GET', `/images/${encodeURIComponent(name)}/json`);
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

function contentOf({ manifest, hostPath, handlerPath, healthPath, native }: ImageParts): string {
  const hash = createHash('sha256');
  const { uid, gid } = containerUser();
  const isBatch = batchStarter(manifest) !== undefined;
  hash.update(JSON.stringify([LAYOUT, process.version, process.arch, uid, gid, manifest.resources.memory, isBatch]));
  if (native.length > 0) hash.update(JSON.stringify(native.map(({ name, hash: of }) => [name, of])));
  for (const path of [hostPath, handlerPath, healthPath]) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 32);
}

/** Cheaper than reading 120 MB: a file that changed has another size or time. */
function fileIdentity(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return createHash('sha256').update(`${process.version} ${size} ${mtimeMs}`).digest('hex').slice(0, 16);
}

/** The layer that images have in common. @param isWhole there is nothing below it */
export function commonLayer(cacheDir: string, isWhole: boolean): Promise<Layer> {
  const kind = isWhole ? 'base' : 'on-base';
  return makeLayer(join(cacheDir, `${kind}-${LAYOUT}-${fileIdentity(process.execPath)}.tar`), commonFiles(isWhole));
}

/** A package with native code: skills that use the same one share its layer. */
export function nativeLayer(one: NativePackage, cacheDir: string): Promise<Layer> {
  const root = nativePath(one.name).slice(1);
  const files = filesOf(one);
  const folders = new Set(['app/node_modules']);
  for (const file of files) {
    for (let folder = join(root, dirname(file)); folder !== 'app/node_modules'; folder = dirname(folder))
      folders.add(folder);
  }
  return makeLayer(join(cacheDir, `native-${LAYOUT}-${one.name}-${one.version}-${one.hash}.tar`), [
    ...[...folders].sort().map((path) => ({ path, owned: false, mode: 0o755 })),
    ...files.map((file) => ({ path: join(root, file), from: join(one.folder, file) })),
  ]);
}

/** Gives the engine an image that stands on nothing. @returns what the engine said @throws EngineError */
export async function loadImage(
  engine: Engine,
  name: string,
  config: ContainerDefaults,
  layers: readonly Layer[],
): Promise<string> {
  return await engine.work('/images/load?quiet=1', imageArchive(name, imageConfig(config, layers), layers));
}

/** Node and, where there is nothing below it, the libraries that it links to and the folders that are mounted on. */
function commonFiles(isWhole: boolean): Source[] {
  const libraries = isWhole ? [...sharedLibraries()].sort() : [];
  const files = [
    [NODE_PATH.slice(1), process.execPath] as const,
    ...libraries.map(([from, path]) => [path.slice(1), from] as const),
  ];
  const folders = new Set<string>(isWhole ? ['app', 'proc', 'sys', 'dev', 'etc', 'run'] : ['app']);
  for (const [path] of files) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder);
  }
  return [
    ...[...folders].sort().map((path) => ({ path, owned: false, mode: 0o755 })),
    // A tmpfs takes over the rights of the folder that it is mounted on.
    ...(isWhole ? [{ path: 'tmp', owned: false, mode: 0o1777 }] : []),
    ...[SOCKET_DIR, DATA_DIR].map((path) => ({ path: path.slice(1), owned: true, mode: 0o700 })),
    ...files.map(([path, from]) => ({ path, from, isProgram: true })),
  ];
}

/** The part of an image's configuration that its containers take over. */
export interface ContainerDefaults {
  User: string;
  WorkingDir: string;
  Env: string[];
  Entrypoint: string[];
  Cmd?: string[];
  Labels: Record<string, string>;
  /** Times in nanoseconds. */
  Healthcheck: { Test: string[]; Interval: number; Timeout: number; StartPeriod: number; Retries: number };
}

/** Nanoseconds. */
export const SECOND = 1e9;

function containerDefaults({ manifest }: ImageParts, content: string, starter: string | undefined): ContainerDefaults {
  const { folder: _, entryPath: __, ...said } = manifest;
  const { name, version, description, resources } = said;
  const { uid, gid } = containerUser();
  return {
    User: `${uid}:${gid}`,
    WorkingDir: '/tmp',
    Env: ['HOME=/tmp', 'TMPDIR=/tmp', 'UV_THREADPOOL_SIZE=2'],
    Entrypoint: startedBy(starter && STARTER_PATH, [NODE_PATH, ...nodeFlags(resources.memory), HOST_PATH, LAUNCH_PATH]),
    Labels: {
      [CONTENT_LABEL]: content,
      'sarai.manifest': createHash('sha256').update(JSON.stringify(said)).digest('hex'),
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.licenses': 'Apache-2.0',
    },
    Healthcheck: {
      Test: ['CMD', NODE_PATH, '--max-old-space-size=16', HEALTH_PATH, SOCKET_PATH],
      Interval: 15 * SECOND,
      Timeout: 5 * SECOND,
      StartPeriod: 10 * SECOND,
      Retries: 3,
    },
  };
}

/** https://github.com/opencontainers/image-spec/blob/main/config.md */
function imageConfig(config: ContainerDefaults, layers: readonly Layer[]): string {
  return JSON.stringify({
    architecture: ARCHITECTURE,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => `sha256:${digest}`) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z', created_by: 'phoenix' })),
  });
}
