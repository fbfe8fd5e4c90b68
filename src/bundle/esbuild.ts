import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BuildOptions } from 'esbuild';
import { BundleError } from './error.ts';

/** `.ts` in the repository, `.js` in the published package. */
const WORKER = new URL(`./esbuild-worker${extname(import.meta.filename)}`, import.meta.url);

/** What one build is made of. It is copied to another thread. */
export interface BuildRequest {
  /** It bundles and minifies in any case, and writes nothing. */
  options: BuildOptions;
  /** What is bundled instead of the files whose path is as `filter` says. */
  replacement?: { filter: RegExp; contents: string };
}

/** What a build makes. */
export interface Built {
  files: { path: string; contents: Uint8Array }[];
  /** The files that it was made of, relative to `absWorkingDir`. */
  sources: string[];
  /** Whether there was something to replace. */
  isReplaced: boolean;
}

/**
 * Builds with esbuild. In a thread of its own, because esbuild starts a process and listens for no error of that: without a free file
 * descriptor the whole assistant would end with it, where now one build fails.
 *
 * @param what it is, for an error
 * @throws BundleError that says what does not build
 */
export async function build(what: string, request: BuildRequest): Promise<Built> {
  const worker = new Worker(WORKER, { workerData: request, execArgv: [] });
  try {
    const [built] = (await once(worker, 'message')) as [Built];
    return built;
  } catch (error) {
    throw new BundleError(`${what} does not build: ${(error as Error).message}`);
  }
}
