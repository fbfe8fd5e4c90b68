/**
 * Load with open arrivals: requests come when they come, whether earlier ones have been answered or not, and their latency counts from
 * when they should have been sent. So a system that stalls shows it, instead of slowing down who measures it
 * ("coordinated omission", Gil Tene, 2013).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../random.ts';

export interface Operation<System> {
  name: string;
  /** Arrivals in a second, a Poisson process. */
  rate: number;
  /** Milliseconds after which it counts as failed. */
  timeoutMs: number;
  /** @param n which one it is, from 0. Rejects when it failed or answered wrongly */
  run(system: System, n: number, signal: AbortSignal): Promise<void>;
}

export interface Observation {
  /** Since the load began, in milliseconds: when it should have been sent. */
  atMs: number;
  /** From then to the answer. */
  latencyMs: number;
  /** What went wrong. */
  error?: string;
}

export interface LoadOptions {
  seconds: number;
  seed: number;
  signal: AbortSignal;
  /** Of one operation; what comes beyond is not sent and counts as an error. Default 500. */
  mostInFlight?: number;
  /** How many have been sent and answered so far. */
  onProgress?: (sent: number, answered: number) => void;
}

/** Times of arrival of a Poisson process, in milliseconds: gaps are exponential. */
export function arrivals(rate: number, seconds: number, seed: number): number[] {
  const random = randomNumbers(seed);
  const times: number[] = [];
  for (let at = gap(); at < seconds; at += gap()) times.push(at * 1000);
  return times;

  function gap(): number {
    return -Math.log(1 - random()) / rate;
  }
}

/** Runs all operations at their rates. Resolves when the last one is answered. @returns what was seen, by operation */
export async function runLoad<System>(
  system: System,
  operations: readonly Operation<System>[],
  { seconds, seed, signal, mostInFlight = 500, onProgress }: LoadOptions,
): Promise<Map<string, Observation[]>> {
  const started = performance.now();
  const seen = new Map<string, Observation[]>(operations.map(({ name }) => [name, []]));
  let sent = 0;
  let answered = 0;
  await Promise.all(
    operations.map(async (operation, index) => {
      const observations = seen.get(operation.name) ?? [];
      const open = new Set<Promise<void>>();
      for (const [n, atMs] of arrivals(operation.rate, seconds, seed * 1000 + index).entries()) {
        const wait = atMs - (performance.now() - started);
        if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) break;
        sent++;
        if (open.size >= mostInFlight) {
          observations.push({ atMs, latencyMs: 0, error: `not sent: ${mostInFlight} are not answered yet` });
          continue;
        }
        const one = timed(operation, system, n, signal).then((error) => {
          answered++;
          onProgress?.(sent, answered);
          const latencyMs = performance.now() - started - atMs;
          observations.push(error === undefined ? { atMs, latencyMs } : { atMs, latencyMs, error });
          open.delete(one);
        });
        open.add(one);
        onProgress?.(sent, answered);
      }
      await Promise.all(open);
    }),
  );
  return seen;
}

/** @returns what went wrong */
async function timed<System>(
  { run, timeoutMs }: Operation<System>,
  system: System,
  n: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    await run(system, n, AbortSignal.any([signal, late]));
    return undefined;
  } catch (error) {
    return late.aborted ? `no answer within ${timeoutMs} ms` : (error as Error).message;
  }
}
