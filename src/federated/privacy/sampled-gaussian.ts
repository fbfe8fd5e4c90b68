/**
 * One release of the Poisson-sampled Gaussian mechanism: everybody takes part with probability q, independently, and the sum gets noise
 * N(0, s^2) in units of the clipping norm. For one client it is, in the direction of its update, a pair of distributions P and Q of one
 * number x (Mironov, Talwar, Zhang, "Renyi Differential Privacy of the Sampled Gaussian Mechanism", 2019, section 3; Zhu, Dong, Wang,
 * "Optimal Accounting of Differential Privacy via Characteristic Function", 2022, for the direction that adds):
 *
 *     remove   P = (1-q) N(0, s^2) + q N(1, s^2),  Q = N(0, s^2)
 *     add      P = N(0, s^2),                      Q = (1-q) N(0, s^2) + q N(1, s^2)
 *     replace  P = (1-q) N(0, s^2) + q N(1, s^2),  Q = (1-q) N(0, s^2) + q N(-1, s^2)
 *
 * The loss at x is ln(P(x) / Q(x)).
 */
import { normalDensity, normalTail } from './normal.ts';

export type Direction = 'remove' | 'add' | 'replace';

/** The loss of one release as a rising function of x, and the distribution of x under P. */
export interface LossModel {
  lossAt(x: number): number;
  /** The x at which the loss is this; infinite where the loss never is. */
  whereLossIs(loss: number): number;
  /** Of P. */
  density(x: number): number;
  /** P(X <= x). */
  cdf(x: number): number;
  /** P(X > x). */
  tail(x: number): number;
  /** P is a mixture of normal distributions of this deviation ... */
  deviation: number;
  /** ... whose means are, the lowest and the highest, these. */
  means: readonly [low: number, high: number];
}

/** @param rate above 0, at most 1 @param noise above 0 */
export function lossModel(direction: Direction, noise: number, rate: number): LossModel {
  if (direction === 'remove') return removal(noise, rate);
  return direction === 'add' ? addition(noise, rate) : replacement(noise, rate);
}

function removal(s: number, q: number): LossModel {
  const loss = mixtureLoss(s, q);
  const where = mixtureInverse(s, q);
  return { lossAt: loss, whereLossIs: where, ...mixture(s, q), deviation: s, means: [q === 1 ? 1 : 0, 1] };
}

/** The same pair the other way round; x is mirrored so that the loss rises. */
function addition(s: number, q: number): LossModel {
  const loss = mixtureLoss(s, q);
  const where = mixtureInverse(s, q);
  return {
    lossAt: (x) => -loss(-x),
    whereLossIs: (value) => -where(-value),
    density: (x) => normalDensity(x / s) / s,
    cdf: (x) => normalTail(-x / s),
    tail: (x) => normalTail(x / s),
    deviation: s,
    means: [0, 0],
  };
}

function replacement(s: number, q: number): LossModel {
  const loss = mixtureLoss(s, q);
  // With u = e^(x/s^2) and c = q e^(-1/(2 s^2)), the loss is l where c (v - 1/v) = (1-q) (e^(l/2) - e^(-l/2)) for v = u e^(-l/2).
  const logRatio = Math.log((1 - q) / q) + 0.5 / (s * s);
  const where = (value: number) => {
    if (q === 1) return (s * s * value) / 2;
    const half = Math.abs(value) / 2;
    const logSinh = half > 1 ? half + Math.log1p(-Math.exp(-2 * half)) - Math.LN2 : Math.log(Math.sinh(half));
    const log = logRatio + logSinh;
    const magnitude = s * s * (half + (log > 300 ? log + Math.LN2 : Math.asinh(Math.exp(log))));
    return value < 0 ? -magnitude : magnitude;
  };
  return {
    lossAt: (x) => loss(x) - loss(-x),
    whereLossIs: where,
    ...mixture(s, q),
    deviation: s,
    means: [q === 1 ? 1 : 0, 1],
  };
}

/** (1-q) N(0, s^2) + q N(1, s^2). */
function mixture(s: number, q: number): Pick<LossModel, 'density' | 'cdf' | 'tail'> {
  return {
    density: (x) => ((1 - q) * normalDensity(x / s) + q * normalDensity((x - 1) / s)) / s,
    cdf: (x) => (1 - q) * normalTail(-x / s) + q * normalTail((1 - x) / s),
    tail: (x) => (1 - q) * normalTail(x / s) + q * normalTail((x - 1) / s),
  };
}

/** ln((1-q) + q e^y) with y = (x - 1/2) / s^2. */
function mixtureLoss(s: number, q: number): (x: number) => number {
  const logRate = Math.log(q);
  const odds = (1 - q) / q;
  return (x) => {
    const y = (x - 0.5) / (s * s);
    if (q === 1) return y;
    if (q > 0.5 && y < -0.5) return Math.log(1 - q + q * Math.exp(y));
    return y < 1 ? Math.log1p(q * Math.expm1(y)) : y + logRate + Math.log1p(odds * Math.exp(-y));
  };
}

function mixtureInverse(s: number, q: number): (loss: number) => number {
  const least = Math.log1p(-q);
  const logRate = Math.log(q);
  return (loss) => {
    if (q === 1) return 0.5 + s * s * loss;
    if (loss <= least) return Number.NEGATIVE_INFINITY;
    const y = loss < 1 ? Math.log1p(Math.expm1(loss) / q) : loss - logRate + Math.log1p((q - 1) * Math.exp(-loss));
    return 0.5 + s * s * y;
  };
}

export interface OneRelease {
  direction: Direction;
  /** Standard deviation of the noise. */
  deviation: number;
  /** Largest norm of one update. */
  sensitivity: number;
  rate: number;
}

/**
 * The hockey-stick divergence of one release in closed form: P(loss > epsilon) - e^epsilon Q(loss > epsilon).
 *
 * @param epsilon any number
 */
export function sampledGaussianDelta({ direction, deviation, sensitivity, rate }: OneRelease, epsilon: number): number {
  const noise = deviation / sensitivity;
  const model = lossModel(direction, noise, rate);
  const x = model.whereLossIs(epsilon);
  if (x === Number.POSITIVE_INFINITY) return 0;
  const inOther = {
    remove: () => normalTail(x / noise),
    add: () => mixture(noise, rate).cdf(-x),
    replace: () => mixture(noise, rate).cdf(-x),
  };
  return Math.max(0, model.tail(x) - Math.exp(epsilon) * inOther[direction]());
}
