import type { Evaluation, Row, SamplerSettings, Target, TargetSequence } from '../../src/speculative/index.ts';
import { uniform } from '../../src/speculative/index.ts';
import type { ParallelDrafting } from '../../src/speculative/parallel.ts';
import { choose } from '../../src/speculative/sampler.ts';

export interface SyntheticOptions {
  vocabularySize?: number;
  contextSize?: number;
  /** Two targets with the same seed say the same. */
  seed?: number;
  /** How sure it is of the next token; 0 is not at all. */
  sharpness?: number;
  /** Batches wider than this give other last bits, as some quantizations do. */
  exactWidth?: number;
  /** The last token never comes. */
  endless?: boolean;
  /** Milliseconds that a batch of some width takes. */
  costMs?: (width: number) => number;
  sequences?: number;
  /** Tokens that it guesses in one evaluation, always right. */
  parallel?: number;
}

/** No token of the vocabulary. */
const MASK = -1;

/** A language model without weights: what follows the last three tokens is drawn once from its seed. The last token is the end. */
export class SyntheticTarget implements Target {
  readonly contextSize: number;
  readonly vocabularySize: number;
  readonly vocabularyHash: string = 'synthetic';
  readonly canRollBack = true;
  readonly options: SyntheticOptions;
  readonly parallel: ParallelDrafting | undefined;
  /** Widths of the batches that were evaluated. */
  readonly widths: number[] = [];
  inUse = 0;

  constructor(options: SyntheticOptions = {}) {
    this.options = options;
    this.vocabularySize = options.vocabularySize ?? 12;
    this.contextSize = options.contextSize ?? 512;
    this.parallel = options.parallel === undefined ? undefined : { maskToken: MASK, tokens: options.parallel };
  }

  async acquire(): Promise<TargetSequence> {
    this.inUse++;
    return new SyntheticSequence(this);
  }

  isEndOfGeneration(token: number): boolean {
    return token === this.vocabularySize - 1;
  }

  detokenize(tokens: readonly number[]): string {
    return tokens.map((token) => String.fromCodePoint(97 + token)).join('');
  }

  /** Probabilities of all tokens after some others, at temperature 1. */
  distribution(tokens: readonly number[], width = 1): number[] {
    const { seed = 1, sharpness = 8, exactWidth = Number.POSITIVE_INFINITY, endless = false } = this.options;
    const context = tokens.slice(-3).reduce((hash, token) => (Math.imul(hash, 31) + token + 1) >>> 0, 7);
    const weights = Array.from({ length: this.vocabularySize }, (_, token) => {
      const noise = width > exactWidth ? 2 * uniform(seed + width, context, token) : 0;
      if (endless && token === this.vocabularySize - 1) return 0;
      return Math.exp(sharpness * uniform(seed, context, token) + noise);
    });
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return weights.map((weight) => weight / sum);
  }
}

class SyntheticSequence implements TargetSequence {
  readonly #target: SyntheticTarget;
  #tokens: number[] = [];

  constructor(target: SyntheticTarget) {
    this.#target = target;
  }

  get length(): number {
    return this.#tokens.length;
  }

  async prefill(tokens: readonly number[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#tokens = tokens.slice();
  }

  async evaluate(tokens: readonly number[], { settings, rows, punished }: Evaluation): Promise<Row[]> {
    if (this.#tokens.length + tokens.length > this.#target.contextSize) throw new Error('the context is full');
    this.#target.widths.push(tokens.length);
    const until = performance.now() + (this.#target.options.costMs?.(tokens.length) ?? 0);
    await new Promise(setImmediate);
    while (performance.now() < until);
    const before = this.#tokens.length;
    const all: Row[] = [];
    for (const [n, token] of tokens.entries()) {
      this.#tokens.push(token === MASK ? choose(all[n - 1] ?? {}, settings, before + n) : token);
      all.push(this.#row(n, tokens.length, settings, punished));
    }
    // What stood for those that were not known stays, until it is forgotten.
    this.#tokens.splice(before, tokens.length, ...tokens);
    return rows === 'all' ? all : all.slice(-rows);
  }

  #row(n: number, width: number, settings: SamplerSettings, punished: Evaluation['punished']): Row {
    const presence = settings.penalties?.presence ?? 0;
    const lowered = new Set(presence === 0 ? [] : punished?.(n));
    const weights = this.#target
      .distribution(this.#tokens, width)
      .map((probability, id): [number, number] => [id, probability * (lowered.has(id) ? Math.exp(-presence) : 1)])
      .toSorted(([, a], [, b]) => b - a);
    if (settings.temperature === 0) return { token: weights[0]?.[0] };
    const kept = weights
      .slice(0, settings.topK)
      .map(([id, weight]): [number, number] => [id, weight ** (1 / settings.temperature)]);
    const sum = kept.reduce((total, [, weight]) => total + weight, 0);
    return { probabilities: new Map(kept.map(([id, weight]) => [id, weight / sum])) };
  }

  async rollBack(length: number): Promise<void> {
    this.#tokens.length = Math.min(length, this.#tokens.length);
  }

  constrained(): AsyncIterable<number> {
    throw new Error('a synthetic target knows no grammars');
  }

  release(): void {
    this.#target.inUse--;
  }
}
