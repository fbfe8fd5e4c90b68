/** Weight of a new measurement. */
const WEIGHT = 1 / 16;
/** That a number of tokens is like all others counts as so many measurements of it. */
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
 * How long rounds with 1, 2, ... proposed tokens take, relative to what evaluating those tokens should: waiting for the proposal, a draft
 * that shares the processor, and everything between evaluations. A number of tokens that was rarely proposed is taken to be like the others.
 */
export class RoundTimes {
  readonly #all: Mean = { value: 1, count: 0 };
  /** For each number of tokens, relative to all rounds at the time: what makes all of them slower says nothing about one. */
  readonly #each: Mean[] = [];

  /** @param ratio how long a round took, relative to evaluating */
  observe(proposed: number, ratio: number): void {
    if (!Number.isFinite(ratio)) return;
    this.#each[proposed] ??= { value: 1, count: 0 };
    add(this.#all, ratio);
    add(this.#each[proposed], ratio / this.#all.value);
  }

  ratio(proposed: number): number {
    const { value, count } = this.#each[proposed] ?? { value: 1, count: 0 };
    return (this.#all.value * (count * value + PRIOR)) / (count + PRIOR);
  }

  /** There was a pause: what comes next counts more. */
  fade(): void {
    for (const mean of [this.#all, ...this.#each.filter(Boolean)]) mean.count = Math.min(mean.count, FADED);
  }
}

function add(mean: Mean, value: number): void {
  mean.count++;
  const limited = mean.count > 1 ? Math.min(value, OUTLIER * mean.value) : value;
  mean.value += Math.max(WEIGHT, 1 / mean.count) * (limited - mean.value);
}
