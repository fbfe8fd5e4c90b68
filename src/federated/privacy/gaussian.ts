/**
 * The Gaussian mechanism, exactly: a sum of vectors of norm at most C, plus noise N(0, (noise * C)^2) on every coordinate. All of it
 * depends on `mu` = 1 / noise alone (Dong, Roth, Su, "Gaussian Differential Privacy", 2019), and many adaptive releases are one with the
 * root of the sum of the squares of their mu, again exactly (theorem 3.2 there).
 */
import { PrivacyError } from './error.ts';
import { millsRatio, normalDensity } from './normal.ts';
import { firstAtMostZero } from './numeric.ts';

/** Twice the largest relative error of a value of Mills' ratio. */
const MILLS_ERROR = 4e-15;
const ROUNDING = 2 ** -50;
const LARGEST_NOISE = 1e150;

/**
 * The smallest delta for which the mechanism is (epsilon, delta)-private, rounded up:
 * Phi(mu/2 - epsilon/mu) - e^epsilon Phi(-mu/2 - epsilon/mu) (Balle, Wang, "Improving the Gaussian Mechanism for Differential Privacy",
 * ICML 2018, theorem 8), written with Mills' ratio so that nothing overflows and tails keep their digits.
 *
 * @param epsilon at least 0
 */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0 || epsilon === Number.POSITIVE_INFINITY) return 0;
  if (mu === Number.POSITIVE_INFINITY) return 1;
  const a = mu / 2 - epsilon / mu;
  const density = normalDensity(a);
  const below = density * millsRatio(mu - a);
  const above = density * millsRatio(Math.abs(a));
  // The rounding of a itself, where a is a small difference of large numbers.
  const relative = 1 + ROUNDING * (8 + Math.abs(a) * (mu / 2 + epsilon / mu));
  const delta = a > 0 ? 1 - above - below : above - below;
  return Math.min(1, Math.max(0, delta + MILLS_ERROR * above) * relative + Number.MIN_VALUE);
}

/** ln(delta / wanted), positive exactly where delta is above what is wanted. */
function logExcess(delta: number, wanted: number): number {
  const log = Math.log(delta) - Math.log(wanted);
  return delta > wanted ? Math.max(log, Number.EPSILON) : Math.min(log, 0);
}

/** The smallest epsilon for a delta, rounded up; infinite for a delta of 0. */
export function gaussianEpsilon(mu: number, delta: number): number {
  if (mu === 0 || delta >= 1) return 0;
  if (mu === Number.POSITIVE_INFINITY || delta === 0) return Number.POSITIVE_INFINITY;
  if (gaussianDelta(mu, 0) <= delta) return 0;
  const excess = (epsilon: number) => logExcess(gaussianDelta(mu, epsilon), delta);
  // Phi(-z) <= e^(-z^2/2) / 2.
  let high = (mu * mu) / 2 + mu * Math.sqrt(-2 * Math.log(delta));
  while (excess(high) > 0) {
    if (high > Number.MAX_VALUE / 4) return Number.POSITIVE_INFINITY;
    high *= 1.0001;
  }
  return firstAtMostZero(excess, 0, high, high * 1e-14);
}

/**
 * The smallest noise, in multiples of the sensitivity, with which the mechanism is (epsilon, delta)-private, rounded up.
 *
 * @throws PrivacyError when no noise is enough
 */
export function gaussianNoise(epsilon: number, delta: number): number {
  if (delta >= 1 || epsilon === Number.POSITIVE_INFINITY) return 0;
  if (delta === 0) throw new PrivacyError('no noise is enough for a delta of 0: Gaussian noise needs a delta above it');
  const excess = (logNoise: number) => logExcess(gaussianDelta(Math.exp(-logNoise), epsilon), delta);
  let [low, high] = [0, 0];
  while (excess(high) > 0) {
    high += 1;
    if (high > Math.log(LARGEST_NOISE))
      throw new PrivacyError(`no noise is enough for epsilon ${epsilon}, delta ${delta}`);
  }
  while (excess(low) <= 0) low -= 1;
  let noise = Math.exp(firstAtMostZero(excess, low, high, 1e-13));
  for (let more = 1e-15; gaussianDelta(1 / noise, epsilon) > delta; more *= 2) noise *= 1 + more;
  return noise;
}

/**
 * The mu of releasing all prefix sums of `rounds` sums through a binary tree, every node of which gets noise of its own (Kairouz et al.,
 * "Practical and Private (Deep) Learning without Sampling or Shuffling", 2021: DP-FTRL). Somebody who takes part once is in one node of
 * each of the ceil(log2(rounds + 1)) levels. Who takes part k times is, on the level whose nodes span 2^j rounds, in nodes with at most
 * min(k, 2^j) parts each and k in all, so that the squares of the parts sum up to at most k min(k, 2^j).
 *
 * @param participations in how many rounds one client takes part at most
 */
export function treeMu(noise: number, rounds: number, participations: number): number {
  const levels = Math.ceil(Math.log2(rounds + 1));
  let squares = 0;
  for (let level = 0; level < levels; level++) squares += participations * Math.min(participations, 2 ** level);
  return Math.sqrt(squares) / noise;
}
