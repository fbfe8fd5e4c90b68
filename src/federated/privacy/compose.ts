/**
 * Composition of many releases: the distribution of the sum of their losses, by a Fourier transform, and the divergence of that sum.
 *
 * The losses are tilted first: every probability p(l) becomes p(l) e^(theta l) / M(theta), with theta chosen so that the mean of the sum
 * lies about where the answer is (Keich, "sFFT: a faster accurate computation of the p-value of the entropy score", 2005, the same idea
 * for p-values). Rounding errors of the transform are relative to the largest probability, so without it a delta below 1e-12 would be
 * noise; with it the error is relative to delta itself. What is cut off, what wraps around, and a bound of the rounding errors is
 * added to delta, so that the result is an upper bound.
 */
import { GRID_ERROR, type LossGrid } from './discretize.ts';
import { Fft, fftError } from './fft.ts';
import { argMin } from './numeric.ts';

/** A release, and how often it is made. */
export interface Repeated {
  grid: LossGrid;
  count: number;
}

/** What is asked for: epsilon for a delta, or delta for an epsilon. */
export type Question = { delta: number } | { epsilon: number };

/** Where to look for the answer, by Chernoff's bound of the sum of the losses. */
export interface Outlook {
  /** The tilt. */
  theta: number;
  /** Deviations from `theta` at which Chernoff's bound of the tilted sum is best, above and below. */
  up: number;
  down: number;
  /** Nearly all of the tilted sum lies between. */
  low: number;
  high: number;
  /** Standard deviation of the tilted sum. */
  deviation: number;
}

/** The tilted sum leaves its window with a probability of about e^-WINDOW. */
const WINDOW = 34;
const MIN_THETA = 1e-6;
const MAX_THETA = 1e6;
const UNIT = 2 ** -53;

/** ln of the sum of e^(theta l) p(l). */
function logMoment({ step, first, probabilities }: LossGrid, theta: number): number {
  const last = probabilities.length - 1;
  // The largest exponent is at one end of the support; exponents below it may well be too small to matter.
  const shift = theta * step * (theta > 0 ? first + last : first);
  let sum = 0;
  for (let i = 0; i <= last; i++) sum += (probabilities[i] as number) * Math.exp(theta * step * (first + i) - shift);
  if (sum > 1e-290) return Math.log(sum) + shift;
  let most = Number.NEGATIVE_INFINITY;
  const exponents = probabilities.map((p, i) => Math.log(p) + theta * step * (first + i));
  for (const exponent of exponents) most = Math.max(most, exponent);
  return most + Math.log(exponents.reduce((total, exponent) => total + Math.exp(exponent - most), 0));
}

function logMoments(releases: readonly Repeated[], theta: number): number {
  return releases.reduce((sum, { grid, count }) => sum + count * logMoment(grid, theta), 0);
}

function tiltedVariance(grid: LossGrid, theta: number): number {
  const { step, first, probabilities } = grid;
  const logMass = logMoment(grid, theta);
  let [mean, square] = [0, 0];
  // About the middle of the support, so that little cancels.
  const middle = first + probabilities.length / 2;
  for (let i = 0; i < probabilities.length; i++) {
    const p = probabilities[i] as number;
    const tilted = p > 0 ? Math.exp(Math.log(p) + theta * step * (first + i) - logMass) : 0;
    const loss = step * (first + i - middle);
    mean += tilted * loss;
    square += tilted * loss * loss;
  }
  return Math.max(0, square - mean * mean);
}

/** Looks for the answer on grids that may be coarse: nothing here has to be exact. */
export function outlook(releases: readonly Repeated[], question: Question): Outlook {
  const moments = (theta: number) => logMoments(releases, theta);
  const objective =
    'delta' in question
      ? (theta: number) => (moments(theta) - Math.log(question.delta)) / theta
      : (theta: number) => moments(theta) - theta * question.epsilon;
  const theta = Math.exp(argMin((log) => objective(Math.exp(log)), Math.log(MIN_THETA), Math.log(MAX_THETA), 32));
  const atTheta = moments(theta);
  const beyond = (sign: 1 | -1) => (log: number) =>
    (moments(theta + sign * Math.exp(log)) - atTheta + WINDOW) / Math.exp(log);
  const [up, down] = ([1, -1] as const).map((sign) =>
    Math.exp(argMin(beyond(sign), Math.log(MIN_THETA), Math.log(MAX_THETA), 32)),
  ) as [number, number];
  return {
    theta,
    up,
    down,
    low: -beyond(-1)(Math.log(down)),
    high: beyond(1)(Math.log(up)),
    deviation: Math.sqrt(releases.reduce((sum, { grid, count }) => sum + count * tiltedVariance(grid, theta), 0)),
  };
}

/**
 * The answer: an upper bound. Every grid has the same step.
 *
 * @param at where to look, as `outlook` says
 */
export function compose(releases: readonly Repeated[], question: Question, at: Outlook): number {
  const { theta, up, down, low, high } = at;
  const step = releases[0]?.grid.step ?? 1;
  const base = Math.floor(low / step);
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, Math.ceil(high / step) - base + 2)));
  const logMass = logMoments(releases, theta);
  // What lies outside of the window, by Chernoff's bound for these very grids.
  const outside = (by: number, end: number) =>
    Math.exp(Math.min(0, logMoments(releases, theta + by) - logMass - by * end * step));
  // What lies above wraps around and is missed; what lies below is counted where it does not belong, which only adds, unless somebody
  // asks for an epsilon below the window.
  const isBelow = 'epsilon' in question && question.epsilon < base * step;
  const missed = outside(up, base + size - 1) + (isBelow ? outside(-down, base) : 0);
  const { sum, error } = tiltedSum(releases, theta, size);
  const rounds = releases.reduce((total, { count }) => total + count, 0);
  const relative = rounds * 2 * GRID_ERROR + (Math.abs(logMass) + theta * (base + size) * step) * 8 * UNIT;
  return answer(
    {
      probability: (j) => sum[(((base + j) % size) + size) % size] as number,
      ...{ step, base, size, theta, logMass },
      lost: error + missed,
      relative: Math.expm1(relative),
      infinite: Math.min(
        1,
        releases.reduce((total, { grid, count }) => total + count * grid.infinite, 0),
      ),
    },
    question,
  );
}

/** @returns the distribution of the tilted sum, at indices modulo `size`, and a bound of the sum of its errors */
function tiltedSum(releases: readonly Repeated[], theta: number, size: number) {
  const fft = new Fft(size);
  // The transform of the sum so far, as ln of its absolute value and its angle.
  const logs = new Float64Array(size / 2 + 1);
  const angles = new Float64Array(size / 2 + 1);
  let error = 0;
  for (const { grid, count } of releases) {
    const { step, first, probabilities } = grid;
    const logMass = logMoment(grid, theta);
    const tilted = { re: new Float64Array(size), im: new Float64Array(size) };
    for (let i = 0; i < probabilities.length; i++) {
      const p = probabilities[i] as number;
      const at = (((first + i) % size) + size) % size;
      if (p > 0)
        tilted.re[at] = (tilted.re[at] as number) + Math.exp(Math.log(p) + theta * step * (first + i) - logMass);
    }
    error += count * fftError(size) * euclidean(tilted.re);
    fft.forward(tilted);
    for (let k = 0; k <= size / 2; k++) {
      const [x, y] = [tilted.re[k] as number, tilted.im[k] as number];
      logs[k] = (logs[k] as number) + count * 0.5 * Math.log(x * x + y * y);
      angles[k] = (angles[k] as number) + ((count * Math.atan2(y, x)) % (2 * Math.PI));
    }
  }
  const re = new Float64Array(size);
  const im = new Float64Array(size);
  for (let k = 0; k <= size / 2; k++) {
    const magnitude = Math.exp(Math.min(0, logs[k] as number));
    re[k] = magnitude * Math.cos(angles[k] as number);
    im[k] = magnitude * Math.sin(angles[k] as number);
    if (k > 0 && k < size / 2) {
      re[size - k] = re[k] as number;
      im[size - k] = -(im[k] as number);
    }
  }
  const rounds = releases.reduce((total, { count }) => total + count, 0);
  // Powers: the logarithm and the angle have an error of a few units each, `rounds` times.
  error += ((rounds * 8 * UNIT + fftError(size)) * (euclidean(re) + euclidean(im))) / Math.sqrt(size);
  fft.inverse({ re, im });
  for (let k = 0; k < size; k++) re[k] = (re[k] as number) / size;
  // From the Euclidean norm to the sum of absolute values: Cauchy and Schwarz.
  return { sum: re, error: error * Math.sqrt(size) };
}

function euclidean(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

interface TiltedSum {
  probability(j: number): number;
  step: number;
  base: number;
  size: number;
  theta: number;
  logMass: number;
  /** Of the tilted sum, what may be missing where it matters. */
  lost: number;
  /** Relative error of everything else. */
  relative: number;
  infinite: number;
}

/** delta(epsilon) = infinite + sum over l > epsilon of p(l) (1 - e^(epsilon - l)), from the largest loss downwards. */
function answer(sum: TiltedSum, question: Question): number {
  const { step, base, size, theta, logMass, lost, relative, infinite } = sum;
  const scale = 1 + relative;
  // Mass that is lost at l > epsilon counts e^(-theta l) (1 - e^(epsilon - l)), which is largest where l - epsilon = ln(1 + 1/theta).
  const worst = lost * Math.exp(-theta * Math.log1p(1 / theta) - Math.log1p(theta));
  const errorAt = (loss: number) => worst * Math.exp(logMass - theta * loss);
  const stepShare = -Math.expm1(-step);
  const target = 'delta' in question ? question.delta : undefined;
  const wanted = 'epsilon' in question ? question.epsilon : 0;
  // Both at the grid point above: delta, and the sum of p(l) e^(epsilon - l).
  let delta = 0;
  let discounted = 0;
  if (target !== undefined && infinite + errorAt((base + size - 1) * step) > target) return Number.POSITIVE_INFINITY;
  for (let j = size - 1; j >= 0; j--) {
    const loss = (base + j) * step;
    const weight = Math.max(0, sum.probability(j)) * Math.exp(logMass - theta * loss);
    // From here down to the next grid point.
    const here = discounted + weight;
    const next = loss - step;
    const error = errorAt(next);
    if (target !== undefined) {
      const left = (target - infinite - error) / scale;
      if (delta + here * stepShare > left) {
        if (left <= delta) return Math.max(0, loss);
        return Math.max(0, loss + Math.log1p(-(left - delta) / here));
      }
      if (next <= 0) return 0;
    } else if (next <= wanted) {
      const share = loss > wanted ? -Math.expm1(wanted - loss) : 0;
      return Math.min(1, (delta + here * share) * scale + infinite + errorAt(wanted));
    }
    delta += here * stepShare;
    discounted = here * (1 - stepShare);
  }
  return target !== undefined ? Math.max(0, base * step) : 1;
}
