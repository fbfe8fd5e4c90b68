import { setTimeout } from 'node:timers/promises';

/** How often a log that is followed is looked at, in milliseconds. */
const INTERVAL_MS = 1000;

/**
 * The last lines of a log, and then new ones as they come, until the client leaves.
 *
 * @param read the last lines of the log, oldest first
 */
export async function* followLog(
  read: () => Promise<string[]>,
  signal: AbortSignal,
): AsyncGenerator<{ lines: string[] }, void, undefined> {
  let seen: string[] = [];
  let isFirst = true;
  while (!signal.aborted) {
    const lines = await read();
    const fresh = newLines(seen, lines);
    if (isFirst || fresh.length > 0) yield { lines: fresh };
    isFirst = false;
    seen = lines;
    await setTimeout(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What the end of a log has that it had not before: what follows the longest end of `before` that `now` goes on from. */
export function newLines(before: readonly string[], now: readonly string[]): string[] {
  for (let shared = Math.min(before.length, now.length); shared > 0; shared--) {
    const offset = before.length - shared;
    if (now.slice(0, shared).every((line, n) => line === before[offset + n])) return now.slice(shared);
  }
  return [...now];
}
