/** How much noise, or how many rounds, a target allows. */
import { type AccountantOptions, epsilonOf } from './accountant.ts';
import { PrivacyError } from './error.ts';
import { gaussianNoise, treeMu } from './gaussian.ts';
import { firstAtMostZero } from './numeric.ts';
import { checkedDelta, checkedEpsilon, checkedRelease, type Release } from './parameters.ts';

export interface Target {
  epsilon: number;
  delta: number;
}

/** Logarithms of the noises that are looked at. */
const LEAST = Math.log(1e-3);
const MOST = Math.log(1e9);
/** Of the noise, relative. */
const TOLERANCE = 1e-9;
const ROUGH_TOLERANCE = 1e-6;
/** Bounds on a wider grid are bounds, a little higher, and found sooner. */
const ROUGH_STEP = 1.6e-3;

/**
 * The smallest noise, in clipping norms, with which the rounds cost at most `target.epsilon` at `target.delta`; rounded up.
 *
 * @throws PrivacyError when no noise is enough
 */
export function noiseFor(target: Target, rounds: Omit<Release, 'noise'>, options: AccountantOptions = {}): number {
  const { epsilon, delta } = { epsilon: checkedEpsilon(target.epsilon), delta: checkedDelta(target.delta) };
  const { mode, rate, rounds: count, participations } = checkedRelease({ ...rounds, noise: 1 });
  if (count === 0 || rate === 0) return 0;
  if (mode !== 'poisson' || rate === 1) {
    const scale = options.adjacency === 'replace_one' ? 2 : 1;
    const mu = mode === 'tree' ? treeMu(1, count, participations) : Math.sqrt(count);
    return gaussianNoise(epsilon, delta) * scale * mu;
  }
  const neverTakesPart = { ...rounds, noise: 0 };
  if (epsilonOf([neverTakesPart], delta, options).epsilon <= epsilon) return 0;
  if (delta === 0) throw new PrivacyError('no noise is enough for a delta of 0: Gaussian noise needs a delta above it');
  const excess = (step?: number) => (logNoise: number) =>
    epsilonOf([{ ...rounds, noise: Math.exp(logNoise) }], delta, { ...options, step }).epsilon - epsilon;
  const rough = roughly(excess(ROUGH_STEP));
  if (rough === undefined) throw new PrivacyError(`no noise is enough for epsilon ${epsilon} at delta ${delta}`);
  // A finer grid needs a little less.
  const fine = excess(options.step);
  let low = rough;
  for (let width = 1e-4; fine(low) <= 0; width = Math.min(10 * width, Math.LN2)) {
    low -= width;
    if (low < LEAST) return Math.exp(rough) * (1 + 1e-12);
  }
  return Math.exp(firstAtMostZero(fine, low, rough, TOLERANCE)) * (1 + 1e-12);
}

/** @returns undefined when no noise is enough */
function roughly(excess: (logNoise: number) => number): number | undefined {
  let [low, high] = [0, 0];
  while (excess(high) > 0) {
    low = high;
    high += Math.LN2;
    if (high > MOST) return undefined;
  }
  while (low === high || excess(low) <= 0) {
    high = low;
    low -= Math.LN2;
    if (low < LEAST) return high;
  }
  return firstAtMostZero(excess, low, high, ROUGH_TOLERANCE);
}

/** How many such rounds cost at most `target.epsilon` at `target.delta`, after those in `spent`; infinite when they cost nothing. */
export function roundsFor(
  target: Target,
  round: Omit<Release, 'rounds'>,
  spent: readonly Release[] = [],
  options: AccountantOptions = {},
): number {
  const { epsilon, delta } = { epsilon: checkedEpsilon(target.epsilon), delta: checkedDelta(target.delta) };
  const isWithin = (rounds: number) =>
    epsilonOf([...spent, { ...round, rounds }], delta, { step: ROUGH_STEP, ...options }).epsilon <= epsilon;
  if (!isWithin(1)) return 0;
  let [low, high] = [1, 2];
  while (isWithin(high)) {
    [low, high] = [high, high * 2];
    if (high > Number.MAX_SAFE_INTEGER) return Number.POSITIVE_INFINITY;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (isWithin(middle)) low = middle;
    else high = middle;
  }
  return low;
}
