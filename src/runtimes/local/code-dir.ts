import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateDir } from './paths.ts';

const HANDLER = 'handler.mjs';

/** The folder that a running skill reads its handler from; a folder, because a new file in it is seen from inside. */
export function codeDir(runDir: string): string {
  return join(runDir, 'code');
}

export function handlerIn(folder: string): string {
  return join(folder, HANDLER);
}

/** Puts a bundled handler there, in one step: a reader sees the old one or the new one. */
export function installHandler(bundlePath: string, runDir: string): void {
  const folder = makePrivateDir(codeDir(runDir));
  const temporary = `${handlerIn(folder)}.tmp`;
  rmSync(temporary, { force: true });
  copyFileSync(bundlePath, temporary);
  renameSync(temporary, handlerIn(folder));
}
