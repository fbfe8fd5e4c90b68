/** The loss of one release on a grid, so that many can be composed. */
import { PrivacyError } from './error.ts';
import { type Direction, type LossModel, lossModel } from './sampled-gaussian.ts';

/** A distribution of losses on the multiples of `step`. */
export interface LossGrid {
  step: number;
  /** The loss of the first probability is `first * step`. */
  first: number;
  probabilities: Float64Array;
  /** Probability of an infinite loss. */
  infinite: number;
}

/** Nodes and weights of Gauss-Legendre quadrature on [-1, 1]. */
const TINY = legendre([0.5773502691896257], [1]);
const NARROW = legendre([0.7745966692414834, 0], [0.5555555555555556, 0.8888888888888888]);
const WIDE = legendre(
  [0.9602898564975363, 0.7966664774136267, 0.525532409916329, 0.1834346424956498],
  [0.10122853629037626, 0.22238103445337448, 0.31370664587788727, 0.362683783378362],
);
/** Widths up to which these are exact to the last digits, in units in which the integrand varies. */
const TINY_WIDTH = 0.001;
const NARROW_WIDTH = 0.02;
const WIDE_WIDTH = 0.5;
/** More points than this take too much memory. */
const MAX_POINTS = 2 ** 22;

/**
 * A distribution on the grid that is at least as bad as the true loss, as close to it as the grid allows: the part of P and Q between two
 * grid points goes to these two so that its mass under P and under Q stays the same ("Connect the Dots": Doroshenko, Ghazi, Kamath,
 * Kumar, Manurangsi 2022, whose formula by differences of the hockey-stick divergence is this in other words). At the grid points the
 * divergence is exact, between them it is a chord of a convex function, and so never too low; so it stays under composition
 * (theorem 5 there). The masses are integrals of positive functions, so that nothing cancels: every one has a relative error below
 * `GRID_ERROR`.
 *
 * @param logTail ln of the probability that is cut off at either end; above it goes to infinity, below it is moved up to the first point
 */
export function discretize(
  direction: Direction,
  { noise, rate }: { noise: number; rate: number },
  step: number,
  logTail: number,
): LossGrid {
  const model = lossModel(direction, noise, rate);
  const [low, high] = range(model, logTail);
  const first = Math.floor(model.lossAt(low) / step);
  const last = Math.ceil(model.lossAt(high) / step);
  if (last - first > MAX_POINTS) throw new PrivacyError(`a grid of steps of ${step} is too fine for noise ${noise}`);
  const probabilities = new Float64Array(last - first + 1);
  const shareBelow = 1 / Math.expm1(step);
  const shareAbove = -1 / Math.expm1(-step);
  let from = low;
  for (let i = 1; i < probabilities.length; i++) {
    const upper = (first + i) * step;
    const to = Math.min(high, Math.max(from, model.whereLossIs(upper)));
    const [below, above] = cell(model, from, to, upper, step);
    probabilities[i - 1] = (probabilities[i - 1] ?? 0) + below * shareBelow;
    probabilities[i] = above * shareAbove;
    from = to;
  }
  probabilities[0] = (probabilities[0] ?? 0) + model.cdf(low);
  return { step, first, probabilities, infinite: model.tail(high) };
}

/** Largest relative error of a probability on the grid. */
export const GRID_ERROR = 5e-13;

/** The x outside of which there is less than e^logTail at either side. */
export function range({ deviation, means: [low, high] }: LossModel, logTail: number): [low: number, high: number] {
  const reach = deviation * Math.sqrt(-2 * logTail);
  return [low - reach, high + reach];
}

/**
 * Integrals under P between two x of e^(upper - loss) - 1 and of 1 - e^(lower - loss), where `upper` and `lower` are the losses of the
 * two grid points around.
 */
function cell(model: LossModel, from: number, to: number, upper: number, step: number): [below: number, above: number] {
  let [below, above] = [0, 0];
  if (to <= from) return [below, above];
  const { deviation } = model;
  const scale = Math.min(deviation, deviation * deviation);
  const width = (to - from) / scale;
  const { nodes, weights } = width <= TINY_WIDTH ? TINY : width <= NARROW_WIDTH ? NARROW : WIDE;
  const panels = Math.ceil(width / WIDE_WIDTH);
  const half = (to - from) / panels / 2;
  for (let panel = 0; panel < panels; panel++) {
    const middle = from + (2 * panel + 1) * half;
    for (let n = 0; n < nodes.length; n++) {
      const x = middle + half * (nodes[n] ?? 0);
      const weight = half * (weights[n] ?? 0) * model.density(x);
      const left = Math.min(step, Math.max(0, upper - model.lossAt(x)));
      below += weight * Math.expm1(left);
      above += weight * -Math.expm1(left - step);
    }
  }
  return [below, above];
}

function legendre(nodes: readonly number[], weights: readonly number[]) {
  const isMirrored = (n: number) => nodes[n] !== 0;
  const mirrored = nodes.filter((_, n) => isMirrored(n)).map((node) => -node);
  const mirroredWeights = weights.filter((_, n) => isMirrored(n));
  return { nodes: [...nodes, ...mirrored], weights: [...weights, ...mirroredWeights] };
}
