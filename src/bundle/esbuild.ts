import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { deserialize } from 'node:v8';
import type { BuildOptions } from 'esbuild';
import { BundleError } from './error.ts';

/** `.ts` in the repository, `.js` in the published package. */
const PROGRAM = join(import.meta.dirname, `esbuild-process${extname(import.meta.filename)}`);

/** What bundles for Node have in common. */
export const FOR_NODE = {
  keepNames: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  // Bundled CommonJS needs `require` for Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} satisfies BuildOptions;

/** What one build is made of. */
export interface BuildRequest {
  /** What JSON can hold of esbuild's. It bundles and minifies in any case, and writes nothing. */
  options: BuildOptions;
  /** What is bundled instead of the files whose path matches the regular expression `filter`. */
  replacement?: { filter: string; contents: string };
}

/** What a build makes. */
export interface Built {
  files: { path: string; contents: Uint8Array }[];
  /** Absolute paths of the files that it was made of. */
  sources: string[];
  /** Whether there was something to replace. */
  isReplaced: boolean;
}

/**
 * Builds with esbuild. In a process of its own that ends with the build: esbuild starts one in any case, of 90 MB, and listens for no error
 * of that, so that without a free file descriptor the assistant would end with it.
 *
 * @param what it is, for an error
 * @throws BundleError that says what does not build
 */
export async function build(what: string, request: BuildRequest): Promise<Built> {
  try {
    return await run(request);
  } catch (error) {
    throw new BundleError(`${what} does not build: ${(error as Error).message}`);
  }
}

async function run(request: BuildRequest): Promise<Built> {
  const output = openTemporary();
  try {
    // No pipes: Node leaves them open when a process cannot be started.
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(request)], { stdio: ['ignore', output, 'ignore'] });
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (code !== 0) throw new Error(`esbuild ended with ${signal ?? `code ${code}`}`);
    const bytes = Buffer.alloc(fstatSync(output).size);
    readSync(output, bytes, 0, bytes.length, 0);
    const built: Built | string = deserialize(bytes);
    if (typeof built === 'string') throw new Error(built);
    return built;
  } finally {
    closeSync(output);
  }
}

/** A file that nobody else sees, and that is gone when it is closed. */
function openTemporary(): number {
  const path = join(tmpdir(), `phoenix-build-${randomUUID()}`);
  const file = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return file;
}
