import { hashedFeaturesOf, label } from './train.ts';
import type { Calibration, Example, Featurizer, RouterWeights, SparseVector } from './types.ts';
import { checkedWeights, dot, sigmoid } from './weights.ts';

/** At how many places the scores are compared with what came true. */
const BINS = 10;
export const DEFAULT_THRESHOLD = 0.3;
const SMALLEST = 1e-7;

/** How well one skill is told apart from everything else. */
export interface SkillQuality {
  /** Requests that are for it. */
  requests: number;
  /** Share of all requests about which it decided rightly. */
  accuracy: number;
  precision: number;
  recall: number;
  f1: number;
  /** Area under the ROC curve; NaN without both kinds of requests. */
  auc: number;
}

export interface Quality {
  examples: number;
  /** Share of the requests for which exactly the right skills were chosen. */
  exact: number;
  /** Mean logarithmic loss over all requests and skills. */
  loss: number;
  /** Mean squared difference of score and truth: Brier, "Verification of forecasts", 1950. */
  brier: number;
  /** Expected calibration error, 10 bins of equal width: Guo et al., ICML 2017, equation 3. */
  ece: number;
  skills: Record<string, SkillQuality>;
}

/** A request with the score of each skill, and the truth as far as it is known: 1, 0, or -1. */
export interface Scored {
  scores: readonly number[];
  labels: ArrayLike<number>;
}

export interface EvaluateOptions {
  threshold?: number;
  /** By skill; without it, raw scores are taken for logits. */
  calibration?: readonly Calibration[];
}

/** How well weights of the hashed features route examples. @throws RouterWeightsError */
export function evaluate(weights: RouterWeights, examples: readonly Example[], options: EvaluateOptions = {}): Quality {
  const features = hashedFeaturesOf(checkedWeights(weights));
  const scored = examples.map((example) => scoreOf(weights, example, features.featurize(example.text), options));
  return qualityOf(weights.skills, scored, options.threshold);
}

/** `evaluate` for any features. */
export async function evaluateWith(
  featurizer: Featurizer,
  weights: RouterWeights,
  examples: readonly Example[],
  options: EvaluateOptions = {},
): Promise<Quality> {
  const scored: Scored[] = [];
  for (const example of examples)
    scored.push(scoreOf(weights, example, await featurizer.featurize(example.text), options));
  return qualityOf(weights.skills, scored, options.threshold);
}

function scoreOf(
  { skills, dimension, values }: RouterWeights,
  example: Example,
  vector: SparseVector,
  { calibration }: EvaluateOptions,
): Scored {
  const { labels } = label(example, vector, skills);
  const scores = skills.map((_, n) => {
    const { slope, offset } = calibration?.[n] ?? { slope: 1, offset: 0 };
    return sigmoid(slope * dot(values, n * dimension, vector) + offset);
  });
  return { scores, labels };
}

/** How well scores fit to the truth. What nobody knows counts nowhere. */
export function qualityOf(
  skills: readonly string[],
  scored: readonly Scored[],
  threshold = DEFAULT_THRESHOLD,
): Quality {
  const pairs = skills.map((_, n) =>
    scored.flatMap(({ scores, labels }) =>
      (labels[n] ?? -1) < 0 ? [] : [{ score: scores[n] ?? 0, truth: labels[n] ?? 0 }],
    ),
  );
  const all = pairs.flat();
  const mean = (of: (pair: Pair) => number) => all.reduce((sum, pair) => sum + of(pair), 0) / all.length;
  const isExact = ({ scores, labels }: Scored) =>
    skills.every((_, n) => (labels[n] ?? -1) < 0 || (scores[n] ?? 0) >= threshold === (labels[n] === 1));
  return {
    examples: scored.length,
    exact: scored.filter(isExact).length / scored.length,
    loss: mean(({ score, truth }) => -Math.log(Math.max(SMALLEST, truth === 1 ? score : 1 - score))),
    brier: mean(({ score, truth }) => (score - truth) ** 2),
    ece: calibrationError(all),
    skills: Object.fromEntries(skills.map((skill, n) => [skill, skillQuality(pairs[n] ?? [], threshold)])),
  };
}

interface Pair {
  score: number;
  truth: number;
}

function skillQuality(pairs: readonly Pair[], threshold: number): SkillQuality {
  let [hits, misses, alarms] = [0, 0, 0];
  for (const { score, truth } of pairs) {
    if (truth === 1 && score >= threshold) hits++;
    else if (truth === 1) misses++;
    else if (score >= threshold) alarms++;
  }
  return {
    requests: hits + misses,
    accuracy: (pairs.length - misses - alarms) / pairs.length,
    precision: hits / (hits + alarms),
    recall: hits / (hits + misses),
    f1: (2 * hits) / (2 * hits + misses + alarms),
    auc: areaUnderCurve(pairs),
  };
}

/** The probability that a right request has more than a wrong one (Mann and Whitney's U); equal scores count half. */
function areaUnderCurve(pairs: readonly Pair[]): number {
  const sorted = pairs.toSorted((a, b) => a.score - b.score);
  const yes = sorted.filter(({ truth }) => truth === 1).length;
  let sum = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && sorted[to]?.score === sorted[from]?.score) to++;
    for (let n = from; n < to; n++) if (sorted[n]?.truth === 1) sum += (from + to + 1) / 2;
    from = to;
  }
  return (sum - (yes * (yes + 1)) / 2) / (yes * (sorted.length - yes));
}

function calibrationError(pairs: readonly Pair[]): number {
  const bins = Array.from({ length: BINS }, () => ({ scores: 0, truths: 0 }));
  for (const { score, truth } of pairs) {
    const bin = bins[Math.min(BINS - 1, Math.floor(score * BINS))];
    if (!bin) continue;
    bin.scores += score;
    bin.truths += truth;
  }
  return bins.reduce((sum, { scores, truths }) => sum + Math.abs(scores - truths), 0) / pairs.length;
}
