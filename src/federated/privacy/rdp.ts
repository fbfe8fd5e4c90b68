/**
 * Renyi differential privacy: simpler than composing losses, valid for any number of rounds and any noise, and looser. Here it is the
 * check of the other accountant, and the answer where that cannot compute one.
 */
import { PrivacyError } from './error.ts';
import { logNormalDensity } from './normal.ts';
import { logAdd } from './numeric.ts';

/** Orders that are tried: those of Google's accountant, Opacus and TensorFlow Privacy together. */
export const DEFAULT_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, n) => 1 + (n + 1) / 10),
  ...[1.25, 1.75, 2.25],
  ...Array.from({ length: 53 }, (_, n) => n + 11),
  ...[128, 256, 512, 1024],
].sort((a, b) => a - b);

/** More nodes than this take too long for what a fractional order is worth. */
const MAX_NODES = 200_000;
const ROUNDING_UP = 1 + 1e-12;
/** Converting orders below this gives nothing but rounding errors. */
const LEAST_ORDER = 1.01;

/**
 * The Renyi divergence of one release of the Poisson-sampled Gaussian mechanism, for adding or removing one client, rounded up
 * (Mironov, Talwar, Zhang, "Renyi Differential Privacy of the Sampled Gaussian Mechanism", 2019, section 3.3): ln A / (order - 1), where A
 * is the mean of ((1-q) + q e^y)^order over N(0, noise^2) with y = (2x - 1) / (2 noise^2). For a whole order that is a finite sum. For
 * another order it is integrated by the trapezoidal rule, which for such functions converges faster than any power of its step; the
 * series of the paper does not converge for all of them.
 *
 * @param order above 1; infinite gives infinite
 */
export function sampledGaussianRdp({ noise, rate }: { noise: number; rate: number }, order: number): number {
  checkedOrder(order);
  if (rate === 0) return 0;
  if (noise === 0 || order === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (rate === 1) return order / (2 * noise * noise);
  return (logMoment(noise, rate, order) / (order - 1)) * ROUNDING_UP;
}

/** @throws PrivacyError */
export function checkedOrder(order: number): number {
  if (!(order > 1)) throw new PrivacyError(`an order is a number above 1, not ${order}`);
  return order;
}

/** ln A. */
function logMoment(s: number, q: number, order: number): number {
  if (Number.isInteger(order)) return wholeOrder(s, q, order);
  const scale = 0.4 * Math.min(s, s * s);
  if ((order + 24 * s) / scale <= MAX_NODES) return anyOrder(s, q, order, scale);
  // ln A is a convex function of the order, and 0 for the order 1.
  const below = Math.floor(order);
  const share = order - below;
  const atBelow = below === 1 ? 0 : wholeOrder(s, q, below);
  return (1 - share) * atBelow + share * wholeOrder(s, q, below + 1);
}

/**
 * Sum of C(order, i) (1-q)^(order-i) q^i e^((i^2-i) / (2 s^2)). Without the exponential that is 1, so A - 1 is the sum with e^(...) - 1:
 * nothing cancels, however small it is.
 */
function wholeOrder(s: number, q: number, order: number): number {
  let logExcess = Number.NEGATIVE_INFINITY;
  let logBinomial = 0;
  for (let i = 1; i <= order; i++) {
    logBinomial += Math.log((order - i + 1) / i);
    const exponent = (i * (i - 1)) / (2 * s * s);
    const logExp = exponent > 30 ? exponent + Math.log1p(-Math.exp(-exponent)) : Math.log(Math.expm1(exponent));
    logExcess = logAdd(logExcess, logBinomial + (order - i) * Math.log1p(-q) + i * Math.log(q) + logExp);
  }
  return logOnePlus(logExcess);
}

/** A - 1 as the mean of (1+u)^order - 1 - order u, which is never negative, with u = q (e^y - 1), whose mean is 0. */
function anyOrder(s: number, q: number, order: number, step: number): number {
  const [low, high] = [-12 * s, order + 12 * s];
  let logSum = Number.NEGATIVE_INFINITY;
  for (let x = low; x <= high; x += step) {
    logSum = logAdd(logSum, logNormalDensity(x / s) + logExcess((x - 0.5) / (s * s), q, order));
  }
  return logOnePlus(logSum + Math.log(step / s));
}

/** ln((1+u)^order - 1 - order u). */
function logExcess(y: number, q: number, order: number): number {
  const logOnePlusU =
    y < 1 ? Math.log1p(q * Math.expm1(y)) : y + Math.log(q) + Math.log1p(((1 - q) / q) * Math.exp(-y));
  const u = Math.expm1(Math.min(logOnePlusU, 700));
  if (Math.abs(u) * order < 0.05) {
    let term = (order * (order - 1) * u * u) / 2;
    let sum = 0;
    for (let n = 2; n < 12; n++) {
      sum += term;
      term *= ((order - n) / (n + 1)) * u;
    }
    return Math.log(sum);
  }
  const log = order * logOnePlusU;
  if (log < 30) return Math.log(Math.expm1(log) - order * u);
  return log + Math.log1p(-Math.exp(Math.log1p(order * u) - log));
}

function logOnePlus(log: number): number {
  return log > 30 ? log + Math.log1p(Math.exp(-log)) : Math.log1p(Math.exp(log));
}

/**
 * Epsilon for a delta (Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy", 2020, proposition 12): the least over
 * the orders of rdp + ln(1 - 1/order) - ln(delta order) / (order - 1); and 0 where the total variation distance, at most
 * sqrt(1 - e^-rdp), is not above delta.
 *
 * @param divergences Renyi divergence by order
 */
export function rdpToEpsilon(
  divergences: ReadonlyMap<number, number>,
  delta: number,
): { epsilon: number; order: number } {
  let best = { epsilon: Number.POSITIVE_INFINITY, order: Number.NaN };
  for (const [order, rdp] of divergences) {
    let epsilon = Number.POSITIVE_INFINITY;
    if (delta >= 1 || delta * delta + Math.expm1(-rdp) >= 0) epsilon = 0;
    else if (order > LEAST_ORDER && delta > 0)
      epsilon = Math.max(0, rdp + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1));
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return best;
}

/** Delta for an epsilon, by the same bounds. */
export function rdpToDelta(divergences: ReadonlyMap<number, number>, epsilon: number): number {
  let best = 1;
  for (const [order, rdp] of divergences) {
    best = Math.min(best, Math.sqrt(-Math.expm1(-rdp)));
    if (order > LEAST_ORDER)
      best = Math.min(best, Math.exp((order - 1) * (rdp - epsilon + Math.log1p(-1 / order)) - Math.log(order)));
  }
  return best;
}
