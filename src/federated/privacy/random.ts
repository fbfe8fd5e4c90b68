import { randomFillSync } from 'node:crypto';

/** Bytes that are drawn at once: a call of the operating system for each number would take most of the time. */
const POOL_BYTES = 8192;

/** Exact random choices, from the generator that cryptography uses. Only whole numbers: nothing is rounded. */
export class SecureRandom {
  readonly #pool = new Uint8Array(POOL_BYTES);
  #left = 0;

  /** A whole number from 0 below `bound`, each as likely. @param bound above 0 */
  below(bound: bigint): bigint {
    const bits = bound.toString(16).length * 4;
    const bytes = Math.ceil(bits / 8);
    // Draws that would favour some numbers are thrown away.
    const space = 1n << BigInt(8 * bytes);
    const limit = space - (space % bound);
    while (true) {
      const value = this.#number(bytes);
      if (value < limit) return value % bound;
    }
  }

  /** True with probability numerator / denominator. */
  chance(numerator: bigint, denominator: bigint): boolean {
    return this.below(denominator) < numerator;
  }

  /** True with probability `probability`, rounded down to a multiple of 2^-53. */
  atRate(probability: number): boolean {
    return this.chance(BigInt(Math.floor(probability * 2 ** 53)), 1n << 53n);
  }

  #number(bytes: number): bigint {
    let value = 0n;
    let left = bytes;
    while (left > 0) {
      const take = Math.min(left, 6);
      value = (value << BigInt(8 * take)) | BigInt(this.#small(take));
      left -= take;
    }
    return value;
  }

  /** At most six bytes. */
  #small(bytes: number): number {
    if (this.#left < bytes) {
      randomFillSync(this.#pool);
      this.#left = POOL_BYTES;
    }
    let value = 0;
    for (let n = 0; n < bytes; n++) {
      const at = POOL_BYTES - this.#left--;
      value = value * 256 + (this.#pool[at] ?? 0);
      // What was used once is not kept.
      this.#pool[at] = 0;
    }
    return value;
  }
}
