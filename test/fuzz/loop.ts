/** Feeds a target with changed inputs, one after the other. Runs in a process of its own (worker.ts). */
import { setImmediate } from 'node:timers/promises';
import { randomNumbers } from '../../src/random.ts';
import { readCorpus } from './corpus.ts';
import { Mutator } from './mutate.ts';
import { kindOf, type Target, type TargetDefinition } from './target.ts';

/** Inputs with an outcome of their own that are changed further. */
const MOST_KEPT = 2000;
const RUNS_PER_TURN = 50;
const MAX_LENGTH = 65_536;
/** Of the whole process; a target keeps nothing of an input. */
const MAX_RSS_BYTES = 1.5 * 1024 ** 3;
const MINIMIZE_MS = 2000;

export interface LoopHooks {
  /** Before each input. */
  before(input: Buffer): void;
  progress(runs: number, outcomes: number): void;
  found(input: Buffer, error: Error): void;
}

/** Replays the corpus, then changes it until the time is over. */
export async function fuzzLoop(
  definition: TargetDefinition,
  target: Target,
  { seed, seconds }: { seed: number; seconds: number },
  hooks: LoopHooks,
): Promise<void> {
  const outcomes = new Set<string>();
  const seen = new Set<string>();
  let runs = 0;
  const attempt = async (input: Buffer): Promise<string> => {
    hooks.before(input);
    const outcome = await target.run(input);
    runs++;
    if (runs % RUNS_PER_TURN === 0) {
      const rss = process.memoryUsage.rss();
      if (rss > MAX_RSS_BYTES) throw new Error(`the process has grown to ${Math.round(rss / 1e6)} MB`);
      await setImmediate();
    }
    return outcome;
  };
  const corpus = readCorpus(definition.name);
  for (const { name, input } of corpus) {
    try {
      outcomes.add(`${name}: ${await attempt(input)}`);
    } catch (error) {
      hooks.found(input, new Error(`${name}: ${(error as Error).message}`, { cause: error }));
    }
    hooks.progress(runs, outcomes.size);
  }
  const pool = corpus.length > 0 ? corpus.map(({ input }) => input) : [Buffer.alloc(0)];
  const mutator = new Mutator(randomNumbers(seed), definition.dictionary, definition.maxLength ?? MAX_LENGTH);
  for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
    const input = mutator.mutate(mutator.pick(pool), pool);
    try {
      const outcome = await attempt(input);
      if (outcomes.has(outcome) || pool.length >= MOST_KEPT) continue;
      outcomes.add(outcome);
      pool.push(input);
    } catch (error) {
      // The same again tells nothing new.
      const kind = kindOf((error as Error).message);
      if (seen.has(kind)) continue;
      seen.add(kind);
      hooks.found(await smallest(target, input, error as Error, hooks), error as Error);
    } finally {
      hooks.progress(runs, outcomes.size);
    }
  }
}

/** A shorter input that fails the same way: pieces are left out as long as it does. */
async function smallest(target: Target, input: Buffer, error: Error, { before }: LoopHooks): Promise<Buffer> {
  const wanted = error.message.slice(0, 20);
  const failsToo = async (candidate: Buffer) => {
    before(candidate);
    try {
      await target.run(candidate);
      return false;
    } catch (other) {
      return (other as Error).message.slice(0, 20) === wanted;
    }
  };
  let best = input;
  const end = performance.now() + MINIMIZE_MS;
  for (let size = Math.ceil(best.length / 2); size >= 1 && performance.now() < end; size = Math.floor(size / 2)) {
    for (let at = 0; at < best.length && performance.now() < end; ) {
      const candidate = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await failsToo(candidate)) best = candidate;
      else at += size;
    }
  }
  return best;
}
