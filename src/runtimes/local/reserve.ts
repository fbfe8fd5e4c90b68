import { closeSync, openSync, readFileSync } from 'node:fs';

/** A file descriptor that is held for nothing but to be given up when no other is free. */
let reserve: number | undefined;

/**
 * Reads a file, also when too many files are open. For what tells which processes belong to a skill: who could not look would leave them
 * behind, or start the skill a second time.
 *
 * @throws what readFileSync throws
 */
export function readFileAlways(path: string): string {
  reserve ??= take();
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isTooManyFiles(error) || reserve === undefined) throw error;
  }
  closeSync(reserve);
  try {
    return readFileSync(path, 'utf8');
  } finally {
    reserve = take();
  }
}

/** Whether a file could not be opened because too many are open, of this process or of the whole machine. */
export function isTooManyFiles(error: unknown): boolean {
  return ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function take(): number | undefined {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return undefined;
  }
}
