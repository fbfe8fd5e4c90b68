import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

const RETRY_MS = 50;

/** The state folder cannot be used, or another Phoenix uses it. */
export class StateDirError extends Error {
  override readonly name = 'StateDirError';
}

/**
 * Claims the state folder for this process. The claim is a lock of the operating system on a SQLite file: it ends with the
 * process, also when that is killed, and leaves nothing to clean up.
 *
 * @param waitMs how long to wait for another process to let go, in milliseconds
 * @throws StateDirError when the folder cannot be written; undefined when somebody else holds it
 */
export async function lockStateDir(stateDir: string, waitMs: number): Promise<Disposable | undefined> {
  let database: DatabaseSync;
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(join(stateDir, 'lock.db'), { timeout: 0 });
  } catch (error) {
    throw new StateDirError(
      `${stateDir}: the state folder cannot be used: ${(error as Error).message}. Set state_dir to a folder that can be written.`,
    );
  }
  const deadline = performance.now() + waitMs;
  while (true) {
    try {
      database.exec('PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE');
      return { [Symbol.dispose]: () => database.close() };
    } catch (error) {
      const busy = (error as { errcode?: number }).errcode === 5;
      if (!busy) {
        database.close();
        throw new StateDirError(`${stateDir}: the state folder cannot be used: ${(error as Error).message}`);
      }
      if (performance.now() >= deadline) {
        database.close();
        return undefined;
      }
      await sleep(RETRY_MS);
    }
  }
}
