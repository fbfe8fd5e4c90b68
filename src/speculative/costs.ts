import type { SpeculationProfile } from './probe.ts';

/** Weight of a new measurement. */
const WEIGHT = 1 / 32;
/** What was measured at load counts as so many measurements. */
const PRIOR = 4;
/** A measurement further off than this was the machine doing something else. */
const OUTLIER = 4;
/** Measurements of plain decoding that make a reference, and the tokens after which it is made anew. */
const ENOUGH = 3;
const VALID_FOR = 512;

/**
 * What evaluating costs: as measured at load, by the number of tokens in the batch and of those before it, times how fast the machine
 * decodes plainly now. Plain decoding is what speculation is compared with, so it is measured again and again, while no draft is at work.
 */
export class EvaluationCosts {
  readonly #profile: SpeculationProfile;
  #scale = 1;
  #measurements = PRIOR;
  #missing = ENOUGH;
  #age = 0;

  constructor(profile: SpeculationProfile) {
    this.#profile = profile;
  }

  /** Most tokens in one batch that were measured. */
  get widest(): number {
    return this.#profile.verifyMs.length;
  }

  /** Milliseconds to evaluate `width` tokens behind `position` others, when nothing else goes on. */
  ms(width: number, position: number): number {
    return this.#scale * this.#measuredMs(width, position);
  }

  /** Whether it is too long ago that plain decoding was measured. */
  get isStale(): boolean {
    return this.#missing > 0;
  }

  /** A plain round, with nothing else going on. */
  observePlain(position: number, ms: number): void {
    const measured = this.#measuredMs(1, position);
    if (!(measured > 0)) return;
    const ratio = Math.min(Math.max(ms / measured, this.#scale / OUTLIER), this.#scale * OUTLIER);
    this.#measurements++;
    this.#scale += Math.max(WEIGHT, 1 / this.#measurements) * (ratio - this.#scale);
    this.#missing = Math.max(0, this.#missing - 1);
    if (this.#missing === 0) this.#age = 0;
  }

  /** So many tokens were generated. */
  generated(count: number): void {
    this.#age += count;
    if (this.#age < VALID_FOR) return;
    this.#age = 0;
    this.#missing = ENOUGH;
  }

  #measuredMs(width: number, position: number): number {
    const { verifyMs, perTokenMs } = this.#profile;
    return (verifyMs[width - 1] ?? Number.POSITIVE_INFINITY) + position * (perTokenMs?.[width - 1] ?? 0);
  }
}
