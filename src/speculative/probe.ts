import { uniform } from './gumbel.ts';
import type { SamplerSettings } from './sampler.ts';
import type { Row, Target, TargetSequence } from './target.ts';

/** What was measured of a target on this machine. */
export interface SpeculationProfile {
  /** Every batch of up to this many tokens gives the same bits as tokens evaluated one by one. */
  exactWidth: number;
  /** Milliseconds to evaluate 1, 2, ... tokens in one batch, with none before them. */
  verifyMs: readonly number[];
  /** Milliseconds that each token before them adds: every token of a batch looks at all of those. By default nothing. */
  perTokenMs?: readonly number[];
}

export interface ProbeOptions {
  /** Widest batch to look at: one more than the most tokens that will ever be proposed. */
  widest?: number;
  /** About how long it may take, in milliseconds; slow models are looked at with less text. */
  budgetMs?: number;
  /** Most tokens of text to look at. */
  textLength?: number;
}

const GREEDY: SamplerSettings = { temperature: 0, topK: 1, topP: 1, minP: 0, seed: 0 };
/** The bits that are compared: the 200 highest probabilities. All logits would take 80 ms a row for a large vocabulary. */
const MANY: SamplerSettings = { temperature: 1, topK: 200, topP: 1, minP: 0, seed: 0 };
const PREFIX = 16;
const FEWEST_ROUNDS = 2;
const MOST_ROUNDS = 14;
/** As in decoding, the same width comes several times in a row: then llama.cpp need not plan the evaluation anew. */
const IN_A_ROW = 3;

/**
 * Measures which batch widths give the bits of width 1, and what each costs: both depend on quantization, kernels and machine, and
 * decide whether speculation is exact and whether it pays. A short text cannot prove that long ones are exact too; the benchmark
 * checks one that fills the context.
 */
export async function probe(target: Target, options: ProbeOptions = {}): Promise<SpeculationProfile> {
  const { widest = 9, budgetMs = 20_000, textLength = 96 } = options;
  const sequence = await target.acquire();
  try {
    const length = Math.min(textLength + PREFIX, target.contextSize - widest);
    // Any tokens will do: which kernels run depends on the shapes alone.
    const tokens = Array.from({ length }, (_, n) => Math.floor(uniform(1, n, 0) * target.vocabularySize));
    await sequence.prefill(tokens.slice(0, PREFIX));
    const warmUp = await timeOf(sequence, tokens, PREFIX, widest);
    // Half of the time for the bits, which need about as many evaluations of a token as there are widths times tokens.
    const evaluations = budgetMs / 2 / Math.max(warmUp / widest, 1e-3);
    const text = tokens.slice(PREFIX, Math.max(PREFIX + widest, Math.min(length, PREFIX + evaluations / (3 * widest))));
    if (!target.canRollBack) return { exactWidth: 1, verifyMs: [await timeOf(sequence, tokens, PREFIX, 1)] };
    return {
      exactWidth: await exactWidth(sequence, text, widest),
      ...(await costs(sequence, tokens, widest, budgetMs / 2)),
    };
  } finally {
    sequence.release();
  }
}

async function exactWidth(sequence: TargetSequence, text: readonly number[], widest: number): Promise<number> {
  const expected = await rowsAt(sequence, text, 1);
  for (let width = 2; width <= widest; width++) {
    const rows = await rowsAt(sequence, text, width);
    if (!rows.every((row, n) => isSame(row, expected[n]))) return width - 1;
  }
  return widest;
}

/** The rows of the text when it is evaluated in batches of this width: later rows see what the earlier batches left in memory. */
async function rowsAt(sequence: TargetSequence, text: readonly number[], width: number): Promise<Row[]> {
  await sequence.rollBack(PREFIX);
  const rows: Row[] = [];
  for (let from = 0; from + width <= text.length; from += width) {
    rows.push(...(await sequence.evaluate(text.slice(from, from + width), { settings: MANY, rows: 'all' })));
  }
  return rows;
}

function isSame(a: Row, b: Row | undefined): boolean {
  if (a.probabilities === undefined || a.probabilities.size !== b?.probabilities?.size) return false;
  return a.probabilities.entries().every(([token, probability]) => b.probabilities?.get(token) === probability);
}

/** What each width costs behind few tokens and behind many, and from that what each token before it adds. */
async function costs(sequence: TargetSequence, tokens: readonly number[], widest: number, budgetMs: number) {
  const far = tokens.length - widest;
  const near = await fastestMs(sequence, tokens, PREFIX, widest, budgetMs / 2);
  if (far <= PREFIX) return { verifyMs: near };
  await sequence.prefill(tokens.slice(0, far));
  const later = await fastestMs(sequence, tokens, far, widest, budgetMs / 2);
  const perTokenMs = near.map((ms, n) => Math.max(0, ((later[n] ?? ms) - ms) / (far - PREFIX)));
  return { verifyMs: near.map((ms, n) => Math.max(ms / 4, ms - PREFIX * (perTokenMs[n] ?? 0))), perTokenMs };
}

/** Milliseconds for each width behind `position` tokens. The widths take turns, so that whatever else the machine does meets all of them. */
async function fastestMs(
  sequence: TargetSequence,
  tokens: readonly number[],
  position: number,
  widest: number,
  budgetMs: number,
): Promise<number[]> {
  const times = Array.from({ length: widest }, (): number[] => []);
  const started = performance.now();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() - started > budgetMs) break;
    for (const [n, its] of times.entries()) {
      for (let time = 0; time < IN_A_ROW; time++) its.push(await timeOf(sequence, tokens, position, n + 1));
    }
  }
  // What else goes on only ever makes it take longer, so the fastest round says most. A median on a busy machine, kept in the cache,
  // would turn speculation off for good.
  const fastest = times.map((its) => Math.min(...its));
  // A batch never costs more than a wider one: where it seems so, it was the machine.
  return fastest.map((_, n) => Math.min(...fastest.slice(n)));
}

/** Milliseconds of one round as the decoder does it. */
async function timeOf(
  sequence: TargetSequence,
  tokens: readonly number[],
  position: number,
  width: number,
): Promise<number> {
  await sequence.rollBack(position);
  const started = performance.now();
  await sequence.evaluate(tokens.slice(position, position + width), { settings: GREEDY, rows: 'all' });
  return performance.now() - started;
}
