/** What a number of releases costs together. */
import { compose, type Outlook, outlook, type Question, type Repeated } from './compose.ts';
import { discretize, range } from './discretize.ts';
import { gaussianDelta, gaussianEpsilon, treeMu } from './gaussian.ts';
import { type Adjacency, checkedDelta, checkedEpsilon, checkedRelease, type Release } from './parameters.ts';
import { checkedOrder, DEFAULT_ORDERS, rdpToDelta, rdpToEpsilon, sampledGaussianRdp } from './rdp.ts';
import { type Direction, lossModel } from './sampled-gaussian.ts';

/** An upper bound, and how it was found. */
export interface Cost {
  /** The least of the bounds below: what holds. */
  epsilon: number;
  /**
   * By composing losses, or in closed form where everybody takes part in every round; undefined where that cannot be computed: noise
   * below 0.001, delta below 1e-200.
   */
  pld: number | undefined;
  /** By Renyi divergences; undefined for replace_one, for which there is no such bound with sampling. */
  rdp: number | undefined;
  /** The order of the Renyi divergence that gave it. */
  order: number | undefined;
}

export interface AccountantOptions {
  adjacency?: Adjacency;
  /** Step of the grid of losses, where it is not narrowed for more rounds or widened for more noise than it was made for. */
  step?: number;
  /** Orders of the Renyi divergence. */
  orders?: readonly number[];
}

/** The step that Google's accountant uses. */
const STEP = 1e-4;
/** A step takes at most this part of the standard deviation of one release. */
const STEP_SHARE = 1 / 20;
const LEAST_STEP = 1e-12;
/** A rough grid has steps this many times as wide. */
const ROUGH = 16;
const MAX_POINTS = 2 ** 20;
const COARSE_POINTS = 2 ** 12;
const ROUGH_POINTS = 2 ** 16;
/** Of delta, what may be cut off one release's loss, times the number of releases: e^-23 = 1e-10. */
const LOG_CUT = 23;
const LEAST_NOISE = 1e-3;
const LEAST_DELTA = 1e-200;
const MOST_ROUNDS = 1e15;

/**
 * The epsilon of all releases together, for a delta: an upper bound, whatever was rounded. Infinite where there is none.
 *
 * @throws PrivacyError for parameters that are none
 */
export function epsilonOf(releases: readonly Release[], delta: number, options: AccountantOptions = {}): Cost {
  checkedDelta(delta);
  const parts = split(releases, options.adjacency ?? 'add_remove');
  const { mu, sampled } = parts;
  if (sampled.length === 0) {
    const epsilon = gaussianEpsilon(mu, delta);
    return withRdp(epsilon, parts, delta, options);
  }
  const neverSampled = -Math.expm1(sampled.reduce((sum, { rate, rounds }) => sum + rounds * Math.log1p(-rate), 0));
  if (mu === 0 && delta >= neverSampled * (1 + 1e-12)) return { epsilon: 0, pld: 0, rdp: undefined, order: undefined };
  const pld = composed(parts, { delta }, options);
  const cost = withRdp(pld, parts, delta, options);
  // Sampling never makes it worse.
  const everybody = gaussianEpsilon(Math.hypot(mu, ...sampled.map(fullMu(parts))), delta);
  return { ...cost, epsilon: Math.min(cost.epsilon, everybody) };
}

/** The delta of all releases together, for an epsilon; an upper bound, too. */
export function deltaOf(releases: readonly Release[], epsilon: number, options: AccountantOptions = {}): number {
  checkedEpsilon(epsilon);
  const parts = split(releases, options.adjacency ?? 'add_remove');
  const { mu, sampled } = parts;
  if (sampled.length === 0) return gaussianDelta(mu, epsilon);
  const pld = composed(parts, { epsilon }, options) ?? 1;
  const divergences = parts.adjacency === 'add_remove' ? rdpOf(parts, options) : undefined;
  const everybody = gaussianDelta(Math.hypot(mu, ...sampled.map(fullMu(parts))), epsilon);
  return Math.min(pld, divergences ? rdpToDelta(divergences, epsilon) : 1, everybody);
}

interface Parts {
  adjacency: Adjacency;
  /** Of everything without sampling: one Gaussian release. */
  mu: number;
  sampled: { noise: number; rate: number; rounds: number }[];
}

function split(releases: readonly Release[], adjacency: Adjacency): Parts {
  const sampled: Parts['sampled'] = [];
  let squares = 0;
  for (const each of releases) {
    const { mode, noise, rounds, rate, participations } = checkedRelease(each);
    if (rounds === 0 || rate === 0) continue;
    if (mode === 'tree') squares += treeMu(noise, rounds, participations) ** 2;
    else if (rate === 1) squares += rounds / noise ** 2;
    else sampled.push({ noise, rate, rounds });
  }
  // Replacing an update by another moves the sum by two norms.
  return { adjacency, mu: Math.sqrt(squares) * (adjacency === 'replace_one' ? 2 : 1), sampled };
}

function fullMu({ adjacency }: Parts) {
  return ({ noise, rounds }: Parts['sampled'][number]) =>
    (Math.sqrt(rounds) / noise) * (adjacency === 'replace_one' ? 2 : 1);
}

function rdpOf({ mu, sampled }: Parts, { orders = DEFAULT_ORDERS }: AccountantOptions): Map<number, number> {
  return new Map(
    orders.map((order) => [
      checkedOrder(order),
      sampled.reduce((sum, { rounds, ...release }) => sum + rounds * sampledGaussianRdp(release, order), 0) +
        (mu === 0 ? 0 : (order * mu * mu) / 2),
    ]),
  );
}

function withRdp(pld: number | undefined, parts: Parts, delta: number, options: AccountantOptions): Cost {
  const isSampledReplacement = parts.adjacency === 'replace_one' && parts.sampled.length > 0;
  if (isSampledReplacement) return { epsilon: pld ?? Number.POSITIVE_INFINITY, pld, rdp: undefined, order: undefined };
  const { epsilon: rdp, order } = rdpToEpsilon(rdpOf(parts, options), delta);
  return { epsilon: Math.min(pld ?? Number.POSITIVE_INFINITY, rdp), pld, rdp, order };
}

/** @returns undefined where losses cannot be composed */
function composed(parts: Parts, question: Question, options: AccountantOptions): number | undefined {
  const { adjacency, mu, sampled } = parts;
  const steps = sampled.map(({ noise, rate, rounds }) => ({ release: { noise, rate }, count: rounds }));
  if (mu > 0) steps.push({ release: { noise: (adjacency === 'replace_one' ? 2 : 1) / mu, rate: 1 }, count: 1 });
  const rounds = steps.reduce((sum, { count }) => sum + count, 0);
  const isTooMuch = steps.some(({ release }) => release.noise < LEAST_NOISE) || rounds > MOST_ROUNDS;
  if (isTooMuch || ('delta' in question && question.delta < LEAST_DELTA)) return undefined;
  const directions: readonly Direction[] = adjacency === 'replace_one' ? ['replace'] : ['remove', 'add'];
  // What is cut off has to be small beside a delta that is not known yet when it is asked for.
  const logDelta = 'delta' in question ? Math.log(question.delta) : -50;
  const logTail = logDelta - Math.log(rounds) - LOG_CUT;
  let worst = 0;
  for (const direction of directions) {
    const bound = boundIn(direction, steps, question, logTail);
    // Mostly, removing somebody costs more than adding: a quick, rough bound of the other is enough to see that.
    if (worst > 0 && bound(ROUGH * (options.step ?? STEP)) <= worst) continue;
    worst = Math.max(worst, bound(options.step ?? STEP));
  }
  return worst;
}

interface Step {
  release: { noise: number; rate: number };
  count: number;
}

/** @returns the bound by the size of a step of the grid */
function boundIn(
  direction: Direction,
  steps: readonly Step[],
  question: Question,
  logTail: number,
): (finest: number) => number {
  const widest = Math.max(...steps.map(({ release }) => lossRange(direction, release, logTail)));
  const onGrid = (step: number): Repeated[] =>
    steps.map(({ release, count }) => ({ grid: discretize(direction, release, step, logTail), count }));
  const coarse = onGrid(Math.max(widest / COARSE_POINTS, LEAST_STEP));
  let at = outlook(coarse, question);
  // Chernoff's bound may lie far above the answer; errors are smallest where the answer is.
  if ('delta' in question) {
    for (let pass = 0; pass < 2; pass++) {
      if ((at.high - at.low) / (coarse[0]?.grid.step ?? 1) > ROUGH_POINTS) break;
      const epsilon = compose(coarse, question, at);
      if (Number.isFinite(epsilon)) at = outlook(coarse, { epsilon });
    }
  }
  return (finest) => compose(onGrid(gridStep(at, widest, steps, finest)), question, at);
}

/** As fine as it was asked for or as one release needs it, as coarse as the range needs it. */
function gridStep({ low, high, deviation }: Outlook, widest: number, steps: readonly Step[], finest: number): number {
  const rounds = steps.reduce((sum, { count }) => sum + count, 0);
  const perRelease = (deviation / Math.sqrt(rounds)) * STEP_SHARE;
  return Math.max(Math.min(finest, perRelease), LEAST_STEP, widest / MAX_POINTS, (high - low) / MAX_POINTS);
}

function lossRange(direction: Direction, { noise, rate }: Step['release'], logTail: number): number {
  const model = lossModel(direction, noise, rate);
  const [low, high] = range(model, logTail);
  return model.lossAt(high) - model.lossAt(low);
}
