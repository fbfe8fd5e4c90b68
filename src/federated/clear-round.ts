/** A round in which the coordinator sees every update: what arrives is on the disk before it is said that it did. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replaceDurably } from './durable.ts';
import { addTo, clipped } from './privacy/index.ts';
import { decodeUpdate, encodeUpdate } from './protocol.ts';
import type { Round } from './round-state.ts';
import { SubmissionError } from './submission-error.ts';

/** What a client is asked for. */
export interface ClearTask {
  round: number;
  baseVersion: number;
  clip: number;
  remainingMs: number;
}

export class ClearRound {
  readonly #folder: string;
  readonly #round: Round;
  readonly #dimension: number;

  /** @param folder where updates are kept */
  constructor(folder: string, round: Round, dimension: number) {
    this.#folder = folder;
    this.#round = round;
    this.#dimension = dimension;
  }

  taskOf(client: string, now: number): ClearTask | undefined {
    const { number, baseVersion, cohort, endsAt, release } = this.#round;
    if (now >= endsAt || !cohort.includes(client) || existsSync(this.#path(client))) return undefined;
    return { round: number, baseVersion, clip: release.clip, remainingMs: endsAt - now };
  }

  /**
   * @param update little-endian int64, the clipping norm being 2^40; what is longer is clipped again
   * @throws SubmissionError
   */
  submit(client: string, update: { round: number; baseVersion: number; bytes: Uint8Array }, now: number): void {
    const { number, baseVersion, cohort, endsAt } = this.#round;
    if (update.round !== number || now >= endsAt)
      throw new SubmissionError('late', `round ${update.round} is not open any more`);
    if (!cohort.includes(client)) throw new SubmissionError('uninvited', 'no update is asked for');
    if (update.baseVersion !== baseVersion)
      throw new SubmissionError(
        'malformed',
        `the update is relative to model ${update.baseVersion}, not ${baseVersion}`,
      );
    const expected = this.#dimension * 8;
    if (update.bytes.length !== expected)
      throw new SubmissionError('malformed', `the update has ${update.bytes.length} bytes, not ${expected}`);
    const path = this.#path(client);
    if (existsSync(path)) throw new SubmissionError('duplicate', `there is an update for round ${number} already`);
    replaceDurably(path, encodeUpdate(clipped(decodeUpdate(update.bytes))));
  }

  get received(): number {
    return this.#arrived().length;
  }

  /** Of all updates that arrived, without noise. */
  sum(): BigInt64Array {
    const sum = new BigInt64Array(this.#dimension);
    for (const client of this.#arrived()) addTo(sum, clipped(decodeUpdate(readFileSync(this.#path(client)))));
    return sum;
  }

  #arrived(): string[] {
    return this.#round.cohort.filter((client) => existsSync(this.#path(client)));
  }

  #path(client: string): string {
    return join(this.#folder, `${this.#round.number}-${client}.bin`);
  }
}
