import type { Calibration } from './types.ts';
import { sigmoid } from './weights.ts';

const MAX_STEPS = 100;
const CONVERGED = 1e-9;
/** Keeps the steps of Newton's method finite. */
const RIDGE = 1e-9;

/** A raw score, and whether the request was for the skill. */
export interface Outcome {
  score: number;
  truth: 0 | 1;
}

/** Scores as they are. */
export const UNCALIBRATED: Calibration = { slope: 1, offset: 0 };

/**
 * Fits the probabilities of raw scores: Platt, "Probabilistic Outputs for Support Vector Machines", 1999, with the targets of its
 * section 2.2, by Newton's method with halved steps (Lin, Lin, Weng, Machine Learning 68, 2007). The scores must come from a model that
 * has not seen the requests.
 */
export function fitCalibration(outcomes: readonly Outcome[]): Calibration {
  const yes = outcomes.filter(({ truth }) => truth === 1).length;
  const no = outcomes.length - yes;
  if (yes === 0 || no === 0) return UNCALIBRATED;
  const targets = { 1: (yes + 1) / (yes + 2), 0: 1 / (no + 2) };
  const lossOf = ({ slope, offset }: Calibration) =>
    outcomes.reduce((sum, { score, truth }) => sum + crossEntropy(slope * score + offset, targets[truth]), 0);
  let fit: Calibration = { slope: 1, offset: 0 };
  let loss = lossOf(fit);
  for (let n = 0; n < MAX_STEPS; n++) {
    const [bySlope, byOffset] = newtonStep(outcomes, targets, fit);
    let share = 1;
    let next = fit;
    let nextLoss = Number.POSITIVE_INFINITY;
    while (share > CONVERGED && !(nextLoss < loss)) {
      next = { slope: fit.slope - share * bySlope, offset: fit.offset - share * byOffset };
      nextLoss = lossOf(next);
      share /= 2;
    }
    if (!(loss - nextLoss > CONVERGED * outcomes.length)) break;
    [fit, loss] = [next, nextLoss];
  }
  // A slope that falls would turn the order of the scores round.
  return fit.slope > 0 ? fit : UNCALIBRATED;
}

/** The loss of a probability that is given as its logit, without overflow. */
function crossEntropy(logit: number, target: number): number {
  return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
}

/** Gradient divided by curvature, in slope and offset. */
function newtonStep(
  outcomes: readonly Outcome[],
  targets: Record<0 | 1, number>,
  { slope, offset }: Calibration,
): [bySlope: number, byOffset: number] {
  let [gradientSlope, gradientOffset] = [0, 0];
  let [slopes, both, offsets] = [RIDGE, 0, RIDGE];
  for (const { score, truth } of outcomes) {
    const probability = sigmoid(slope * score + offset);
    const error = probability - targets[truth];
    const curvature = probability * (1 - probability);
    gradientSlope += error * score;
    gradientOffset += error;
    slopes += curvature * score * score;
    both += curvature * score;
    offsets += curvature;
  }
  const determinant = slopes * offsets - both * both;
  return [
    (gradientSlope * offsets - gradientOffset * both) / determinant,
    (gradientOffset * slopes - gradientSlope * both) / determinant,
  ];
}
