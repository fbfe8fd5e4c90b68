/** Weight of a new measurement. */
const WEIGHT = 1 / 16;
/** That rounds take no longer than evaluating, and that a number of tokens is like all others, counts as so many measurements. */
const PRIOR = 2;
/** A measurement further off than this was the machine doing something else. */
const OUTLIER = 4;
/** After a pause, what was measured before it counts as so many measurements. */
const FADED = 2;

interface Mean {
  value: number;
  count: number;
}

/**
 * How long rounds with 1, 2, ... proposed tokens take from beginning to end. Evaluating takes what was measured at load, times how much a
 * draft that shares the processor slows it down; waiting for the proposal comes to it, and grows with the number of tokens.
 */
export class RoundTimes {
  readonly #waitMsPerToken: Mean = { value: 0, count: 0 };
  /** How long rounds take without the waiting, relative to what evaluating should. */
  readonly #slowness: Mean = { value: 1, count: PRIOR };
  /** For each number of tokens: how long its rounds take, relative to that. */
  readonly #each: Mean[] = [];

  /**
   * @param verifyMs what evaluating so many proposed tokens should take
   * @param roundMs how long the round took, of that
   * @param waitMs waiting for the proposal
   */
  observe(proposed: number, verifyMs: number, roundMs: number, waitMs: number): void {
    if (!Number.isFinite(verifyMs) || proposed < 1) return;
    const limited = Math.min(roundMs, OUTLIER * this.ms(proposed, verifyMs) + waitMs);
    add(this.#waitMsPerToken, waitMs / proposed);
    add(this.#slowness, (limited - waitMs) / verifyMs);
    this.#each[proposed] ??= { value: 1, count: 0 };
    add(this.#each[proposed], limited / this.#modelMs(proposed, verifyMs));
  }

  ms(proposed: number, verifyMs: number): number {
    const { value, count } = this.#each[proposed] ?? { value: 1, count: 0 };
    return (this.#modelMs(proposed, verifyMs) * (count * value + PRIOR)) / (count + PRIOR);
  }

  /** Rounds with so many proposed tokens that were measured. */
  rounds(proposed: number): number {
    return this.#each[proposed]?.count ?? 0;
  }

  /** There was a pause: what comes next counts more. */
  fade(): void {
    for (const mean of [this.#waitMsPerToken, this.#slowness, ...this.#each.filter(Boolean)])
      mean.count = Math.min(mean.count, FADED);
  }

  #modelMs(proposed: number, verifyMs: number): number {
    return verifyMs * this.#slowness.value + proposed * this.#waitMsPerToken.value;
  }
}

function add(mean: Mean, value: number): void {
  mean.count++;
  mean.value += Math.max(WEIGHT, 1 / mean.count) * (value - mean.value);
}
