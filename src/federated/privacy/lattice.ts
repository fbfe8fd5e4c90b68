/**
 * Updates as whole numbers: what clients send, and what noise is added to. A clipping norm is `CLIP_UNITS` units long, so that a sum of
 * a million updates, and its noise, are exact in 64 bits.
 */
import { DiscreteGaussian } from './discrete-gaussian.ts';
import { PrivacyError } from './error.ts';
import type { SecureRandom } from './random.ts';

const CLIP_BITS = 40;
export const CLIP_UNITS = 2 ** CLIP_BITS;
const CLIP_SQUARED = 1n << BigInt(2 * CLIP_BITS);
/** Most noise, in clipping norms: with that its sum, too, stays within 64 bits. */
export const MAX_NOISE = 2 ** 18;

/**
 * An update, clipped to the norm and rounded towards zero; one with a component that is not finite becomes zero.
 *
 * @param clip the clipping norm, above 0
 */
export function toLattice(update: ArrayLike<number>, clip: number): BigInt64Array {
  const whole = new BigInt64Array(update.length);
  let square = 0;
  for (let n = 0; n < update.length; n++) square += (update[n] ?? 0) ** 2;
  // Squares of large components overflow: such an update is not finite either.
  if (!Number.isFinite(square)) return whole;
  const scale = CLIP_UNITS / Math.max(clip, Math.sqrt(square));
  for (let n = 0; n < update.length; n++) whole[n] = BigInt(Math.trunc((update[n] ?? 0) * scale));
  return clipped(whole);
}

/** What is within the norm stays as it is; what is longer is made shorter, exactly: no rounding lets anything through. */
export function clipped(update: BigInt64Array): BigInt64Array {
  let current = update;
  while (true) {
    const square = squareOf(current);
    if (square <= CLIP_SQUARED) return current;
    // A little less than needed, for the rounding of the root and of the products.
    const share = (CLIP_UNITS / Math.sqrt(Number(square))) * (1 - 1e-12);
    current = current.map((value) => BigInt(Math.trunc(Number(value) * share)));
  }
}

export function isClipped(update: BigInt64Array): boolean {
  return squareOf(update) <= CLIP_SQUARED;
}

function squareOf(update: BigInt64Array): bigint {
  let square = 0n;
  for (const value of update) square += value * value;
  return square;
}

/** Adds up what is clipped, exactly. @throws PrivacyError for too many or different lengths */
export function addTo(sum: BigInt64Array, update: BigInt64Array): void {
  if (update.length !== sum.length)
    throw new PrivacyError(`an update has ${sum.length} components, not ${update.length}`);
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] ?? 0n) + (update[n] ?? 0n);
}

/** Standard deviation of the noise in units, rounded up. @param noise in clipping norms @throws PrivacyError */
export function noiseUnits(noise: number): bigint {
  if (!(noise > 0 && noise <= MAX_NOISE)) throw new PrivacyError(`noise: above 0, up to ${MAX_NOISE}, not ${noise}`);
  return BigInt(Math.ceil(noise * CLIP_UNITS));
}

/** Adds discrete Gaussian noise to every component. @param noise in clipping norms */
export function addNoise(sum: BigInt64Array, noise: number, random?: SecureRandom): void {
  const gaussian = new DiscreteGaussian(noiseUnits(noise), random);
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] ?? 0n) + gaussian.sample();
}

/**
 * Standard deviation, in units, of each of `shares` independent numbers of noise, so that their sum has at least the variance that is
 * wanted: nothing is rounded down.
 */
export function noiseShareUnits(noise: number, shares: number): bigint {
  const total = noiseUnits(noise);
  let units = BigInt(Math.floor(Number(total) / Math.sqrt(shares)));
  while (units * units * BigInt(shares) < total * total) units++;
  return units;
}

/** Adds one of `shares` parts of the noise to every component. @param noise of all parts together, in clipping norms */
export function addNoiseShare(update: BigInt64Array, noise: number, shares: number, random?: SecureRandom): void {
  const gaussian = new DiscreteGaussian(noiseShareUnits(noise, shares), random);
  for (let n = 0; n < update.length; n++) update[n] = (update[n] ?? 0n) + gaussian.sample();
}

/** A sum as numbers: divided by what was agreed on before, never by how many took part. */
export function fromLattice(sum: BigInt64Array, clip: number, divisor: number): Float64Array {
  const scale = clip / CLIP_UNITS / divisor;
  return Float64Array.from(sum, (value) => Number(value) * scale);
}

/**
 * What discrete noise adds to delta of the continuous one that the accountant composes. A Gaussian number that is rounded to whole units
 * and added to a whole number is the continuous mechanism, rounded afterwards. Its distribution and the discrete Gaussian's differ, in
 * total variation, by at most 0.0202 / s^2 for a deviation of s units (midpoint rule: half of the sum of |phi''| / 24 is
 * phi(1) / (12 s^2)); here with a margin. A difference of `d` in total variation makes (epsilon, delta) into
 * (epsilon, delta + (1 + e^epsilon) d), and it adds up over components and rounds.
 *
 * Where noise is the sum of n discrete Gaussians of deviation s, that sum is no discrete Gaussian, but its probabilities differ from those
 * of one with n s^2 by a factor of at most e^tau, tau = 10 sum_{k=1}^{n-1} e^(-2 pi^2 s^2 k / (k + 1)) (Kairouz, Liu, Steinke, "The
 * Distributed Discrete Gaussian Mechanism for Federated Learning with Secure Aggregation", ICML 2021, theorem 11): a total variation of
 * at most tau more. The largest term is the first.
 *
 * @param noise in clipping norms
 * @param shares of how many independent parts it is the sum
 */
export function discretizationDistance(noise: number, dimension: number, rounds: number, shares = 1): number {
  const units = noise * CLIP_UNITS;
  const ofSum = shares === 1 ? 0 : 10 * (shares - 1) * Math.exp(-((Math.PI * units) ** 2) / shares) + Number.MIN_VALUE;
  return (0.03 / (units * units) + ofSum) * dimension * rounds;
}
