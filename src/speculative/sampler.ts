import { gumbelChoice } from './gumbel.ts';
import type { Row } from './target.ts';

/** Lowers the probability of tokens that were generated lately. */
export interface Penalties {
  /** Divides the logit of a token that occurred; 1 is off. */
  repeat?: number;
  /** Subtracted from the logit for every occurrence; 0 is off. */
  frequency?: number;
  /** Subtracted once from the logit of a token that occurred; 0 is off. */
  presence?: number;
}

/** How the next token is chosen from what the model says. */
export interface SamplerSettings {
  /** 0: always the likeliest token. */
  temperature: number;
  /** Only the likeliest tokens are candidates, 1 to 200. */
  topK: number;
  /** Only the likeliest tokens whose probabilities reach this sum, above 0 up to 1. */
  topP: number;
  /** Only tokens at least this probable, relative to the likeliest one; 0 is off. */
  minP: number;
  /** A safe integer. The same seed, prompt, settings and model give the same text. */
  seed: number;
  penalties?: Penalties;
}

/** Tokens of the output that penalties look back on. */
export const PENALTY_WINDOW = 64;

export const DEFAULT_SAMPLER: SamplerSettings = { temperature: 0, topK: 40, topP: 0.95, minP: 0, seed: 0 };

const LIMITS: Record<'temperature' | 'topK' | 'topP' | 'minP' | 'seed', [from: number, to: number, whole: boolean]> = {
  temperature: [0, 100, false],
  // More candidates would have to be copied out of the model for every token: 80 ms each for a large vocabulary.
  topK: [1, 200, true],
  topP: [Number.MIN_VALUE, 1, false],
  minP: [0, 1, false],
  seed: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, true],
};

/** @throws RangeError naming the first setting that is out of range */
export function checkSampler(settings: SamplerSettings): void {
  for (const [name, [from, to, whole]] of Object.entries(LIMITS)) {
    const value = settings[name as keyof typeof LIMITS];
    if (!(value >= from && value <= to) || (whole && !Number.isSafeInteger(value))) {
      throw new RangeError(`${name} must be ${whole ? 'a whole number ' : ''}from ${from} to ${to}, not ${value}`);
    }
  }
  for (const [name, value] of Object.entries(settings.penalties ?? {})) {
    if (!Number.isFinite(value)) throw new RangeError(`the ${name} penalty must be a number, not ${value}`);
    if (name === 'repeat' && value <= 0) throw new RangeError(`the repeat penalty must be above 0, not ${value}`);
  }
}

export function hasPenalties({ penalties }: SamplerSettings): boolean {
  return (penalties?.repeat ?? 1) !== 1 || (penalties?.frequency ?? 0) !== 0 || (penalties?.presence ?? 0) !== 0;
}

/**
 * The one way in which a token is chosen, with a draft or without.
 * @param position how many tokens, of prompt and output, stand before it
 * @throws Error when the row does not hold what the temperature calls for
 */
export function choose(row: Row, settings: SamplerSettings, position: number): number {
  if (settings.temperature === 0) {
    if (row.token === undefined) throw new Error(`the model gave no token for position ${position}`);
    return row.token;
  }
  if (row.probabilities === undefined) throw new Error(`the model gave no probabilities for position ${position}`);
  return gumbelChoice(row.probabilities, settings.seed, position);
}
