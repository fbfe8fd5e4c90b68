/** Weight of a new measurement. */
const WEIGHT = 0.05;
/** A measurement further off than this was the machine doing something else. */
const OUTLIER = 4;

/** What evaluating costs now: the curve measured at load, scaled by how fast the machine is at the moment. */
export class VerifyCosts {
  readonly #measuredMs: readonly number[];
  #scale = 1;

  /** @param measuredMs milliseconds to evaluate 1, 2, ... tokens in one batch */
  constructor(measuredMs: readonly number[]) {
    this.#measuredMs = measuredMs;
  }

  observe(width: number, ms: number): void {
    const measured = this.#measuredMs[width - 1];
    if (measured === undefined || !(measured > 0)) return;
    const ratio = Math.min(Math.max(ms / measured, this.#scale / OUTLIER), this.#scale * OUTLIER);
    this.#scale += WEIGHT * (ratio - this.#scale);
  }

  /** Milliseconds to evaluate 1, 2, ... tokens in one batch, now. */
  get verifyMs(): number[] {
    return this.#measuredMs.map((ms) => ms * this.#scale);
  }
}
