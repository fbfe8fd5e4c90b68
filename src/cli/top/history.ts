import type { Reading } from './reading.ts';

/** Over how many seconds hit rate and percentiles look back. */
const LOOK_BACK_SECONDS = 60;

/** The readings of the last minute. */
export class History {
  #readings: Reading[] = [];

  get last(): Reading | undefined {
    return this.#readings.at(-1);
  }

  /** The one before the last. */
  get before(): Reading | undefined {
    return this.#readings.at(-2);
  }

  /** The oldest one, which is not the last. */
  get base(): Reading | undefined {
    return this.#readings.length > 1 ? this.#readings[0] : undefined;
  }

  add(reading: Reading): void {
    // Another assistant counts from zero.
    if (this.last && this.last.startedAt !== reading.startedAt) this.#readings = [];
    this.#readings.push(reading);
    const isOld = (each: Reading | undefined) => each !== undefined && reading.at - each.at >= LOOK_BACK_SECONDS;
    while (isOld(this.#readings[1])) this.#readings.shift();
  }
}
