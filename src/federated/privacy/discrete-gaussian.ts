/**
 * Noise that is safe in a computer. A Gaussian number in floating point has gaps and rounded last digits that give away what it was added
 * to (Mironov, "On Significance of the Least Significant Bits for Differential Privacy", CCS 2012), and so does the rounding of the
 * addition (Haney et al., "Precision-based attacks and interval refining", 2022). Here updates are whole numbers, and the noise is a whole
 * number from an exact sampler that never rounds: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", 2020,
 * algorithms 1 to 3.
 */
import { SecureRandom } from './random.ts';

/** Draws whole numbers x with a probability proportional to e^(-x^2 / (2 deviation^2)). */
export class DiscreteGaussian {
  readonly #deviation: bigint;
  readonly #random: SecureRandom;

  /** @param deviation a whole number above 0 */
  constructor(deviation: bigint, random = new SecureRandom()) {
    if (deviation <= 0n) throw new RangeError(`a deviation is a whole number above 0, not ${deviation}`);
    this.#deviation = deviation;
    this.#random = random;
  }

  sample(): bigint {
    const square = this.#deviation * this.#deviation;
    const scale = this.#deviation + 1n;
    while (true) {
      const x = this.#laplace(scale);
      const distance = (x < 0n ? -x : x) * scale - square;
      if (this.#decays(distance * distance, 2n * square * scale * scale)) return x;
    }
  }

  /** A discrete Laplace number: e^(-|x| / scale). */
  #laplace(scale: bigint): bigint {
    while (true) {
      const rest = this.#random.below(scale);
      if (!this.#decays(rest, scale)) continue;
      let whole = 0n;
      while (this.#decays(1n, 1n)) whole++;
      const size = rest + scale * whole;
      const isNegative = this.#random.chance(1n, 2n);
      // Zero would have two signs.
      if (isNegative && size === 0n) continue;
      return isNegative ? -size : size;
    }
  }

  /** True with probability e^(-numerator / denominator). */
  #decays(numerator: bigint, denominator: bigint): boolean {
    let rest = numerator;
    for (; rest > denominator; rest -= denominator) if (!this.#decaysLittle(denominator, denominator)) return false;
    return this.#decaysLittle(rest, denominator);
  }

  /** The same for a quotient of at most 1: the series of e^-x, as a run of chances x/1, x/2, x/3, ... */
  #decaysLittle(numerator: bigint, denominator: bigint): boolean {
    let run = 1n;
    while (this.#random.chance(numerator, denominator * run)) run++;
    return run % 2n === 1n;
  }
}
