/** Layers and archives of images, written by hand: no builder, nothing pulled; the same input always gives the same bytes. */
import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RuntimeError } from '../runtime.ts';
import { programOf } from './program.ts';
import { TAR_END, tarHeader, tarPadding } from './tar.ts';

/** A file of an image: its path there, and where its content is, or that it is a folder. Of a program some is left out. */
export type Source =
  | { path: string; from: string; isProgram?: boolean }
  | { path: string; owned: boolean; mode: number };

/** The user that a container runs as: nobody, or, when the assistant is no root, its own, so that both can use the socket. */
export function containerUser(): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? { uid: 65_534, gid: 65_534 } : { uid, gid: process.getgid?.() ?? uid };
}

export interface Layer {
  path: string;
  /** SHA-256 of the archive. */
  digest: string;
  size: number;
}

/** Writes a layer into the cache, or takes the one that is there. @throws RuntimeError */
export async function makeLayer(path: string, sources: readonly Source[]): Promise<Layer> {
  const digestPath = `${path}.sha256`;
  if (!existsSync(digestPath)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const hash = createHash('sha256');
    // Two skills that are built at the same time both write the layer that they share.
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await pipeline(async function* () {
        for await (const piece of layerPieces(sources)) {
          hash.update(piece);
          yield piece;
        }
      }, createWriteStream(temporary));
      renameSync(temporary, path);
      // Renamed too: on a full disk it would be there without content, and say that the layer is complete.
      writeFileSync(temporary, hash.digest('hex'));
      renameSync(temporary, digestPath);
    } catch (error) {
      throw new RuntimeError(`${path}: the layer of an image cannot be written: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      rmSync(temporary, { force: true });
    }
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
    const program = source.isProgram ? programOf(source.from) : undefined;
    const size = program?.size ?? statSync(source.from).size;
    yield tarHeader({
      path: source.path,
      mode: source.isProgram ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      size,
      isFolder: false,
    });
    for (const piece of program?.pieces ?? [{ start: 0, end: size }]) {
      if (Buffer.isBuffer(piece)) yield piece;
      else if (piece.end > piece.start)
        yield* createReadStream(source.from, { start: piece.start, end: piece.end - 1 }) as AsyncIterable<Buffer>;
    }
    yield tarPadding(size);
  }
  yield TAR_END;
}

/** An archive as `docker save` writes it (https://github.com/moby/moby/blob/master/image/spec/v1.2.md). */
export async function* imageArchive(name: string, config: string, layers: readonly Layer[]): AsyncGenerator<Buffer> {
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
