import { DEFAULT_THRESHOLD } from './evaluate.ts';
import type { Decision, Featurizer, SkillScore, SparseVector } from './types.ts';
import { dot, RouterWeightsError, sigmoid } from './weights.ts';
import type { RouterModel } from './weights-file.ts';

export const DEFAULT_TOP_K = 3;
/** Scores that differ by less are as good as equal: of these, a skill that is ready comes first. */
const NEARLY_EQUAL = 0.05;

export interface RouterSettings {
  /** The least score of a skill that is chosen. Default 0.3. */
  threshold?: number;
  /** Most skills that are chosen. Default 3. */
  topK?: number;
}

/** A piece of the request, and what it did for the score of a skill. */
export interface Contribution {
  /** The text of the feature: a word, two words, or letters of a word with `_` for its edge. */
  feature: string;
  /** What it added to the raw score, calibration included. */
  contribution: number;
}

export interface SkillExplanation extends SkillScore {
  chosen: boolean;
  /** The score is 1 / (1 + exp(-logit)); the logit is the bias and all contributions together. */
  logit: number;
  bias: number;
  /** Those that decided, the strongest first. */
  features: Contribution[];
}

export interface Explanation {
  text: string;
  threshold: number;
  topK: number;
  skills: SkillExplanation[];
}

/** Decides which skills a request is for: a score for each skill by itself. */
export class Router {
  readonly featurizer: Featurizer;
  readonly threshold: number;
  readonly topK: number;
  #model: RouterModel;

  /** @throws RouterWeightsError when the model is for other features */
  constructor(
    featurizer: Featurizer,
    model: RouterModel,
    { threshold = DEFAULT_THRESHOLD, topK = DEFAULT_TOP_K }: RouterSettings = {},
  ) {
    this.featurizer = featurizer;
    this.threshold = threshold;
    this.topK = topK;
    this.#model = this.#checked(model);
  }

  get model(): RouterModel {
    return this.#model;
  }

  /** Takes another model from the next decision on. @throws RouterWeightsError when it is for other features */
  swap(model: RouterModel): void {
    this.#model = this.#checked(model);
  }

  /** @param isReady whether a skill could answer at once; among nearly equal scores such a skill comes first */
  async decide(text: string, isReady?: (skill: string) => boolean): Promise<Decision> {
    const vector = this.featurizer.featurize(text);
    return this.decideOn(vector instanceof Promise ? await vector : vector, isReady);
  }

  decideOn(vector: SparseVector, isReady: (skill: string) => boolean = () => false): Decision {
    const { weights, calibration } = this.#model;
    // A text without a word asks for nothing.
    const isEmpty = vector.indices.length <= 1;
    const scores = weights.skills.map((skill, n): SkillScore => {
      if (isEmpty) return { skill, score: 0 };
      const { slope = 1, offset = 0 } = calibration[n] ?? {};
      return { skill, score: sigmoid(slope * dot(weights.values, n * weights.dimension, vector) + offset) };
    });
    scores.sort(byScore);
    return { scores, chosen: this.#choose(scores, isReady) };
  }

  /** What the score of each skill is made of. `limit`: most features of each. */
  async explain(text: string, limit = 10): Promise<Explanation> {
    const { weights, calibration } = this.#model;
    const decision = await this.decide(text);
    const chosen = new Set(decision.chosen.map(({ skill }) => skill));
    const features: { index: number; value: number; feature: string }[] = [];
    await this.featurizer.describe(text, (index, value, feature) => features.push({ index, value, feature }));
    const skills = decision.scores.map(({ skill, score }): SkillExplanation => {
      const n = weights.skills.indexOf(skill);
      const { slope = 1, offset = 0 } = calibration[n] ?? {};
      const weightAt = (index: number) => slope * (weights.values[n * weights.dimension + index] ?? 0);
      const bias = weightAt(0) + offset;
      const sums = new Map<string, number>();
      for (const { index, value, feature } of features)
        sums.set(feature, (sums.get(feature) ?? 0) + value * weightAt(index));
      const contributions = [...sums].map(([feature, contribution]): Contribution => ({ feature, contribution }));
      return {
        skill,
        score,
        chosen: chosen.has(skill),
        logit: contributions.reduce((sum, { contribution }) => sum + contribution, bias),
        bias,
        features: contributions
          .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.feature < b.feature ? -1 : 1))
          .slice(0, limit),
      };
    });
    return { text, threshold: this.threshold, topK: this.topK, skills };
  }

  #choose(scores: readonly SkillScore[], isReady: (skill: string) => boolean): SkillScore[] {
    const possible = scores.filter(({ score }) => score >= this.threshold);
    const rank = ({ skill, score }: SkillScore) => score + (isReady(skill) ? NEARLY_EQUAL : 0);
    return possible
      .toSorted((a, b) => rank(b) - rank(a))
      .slice(0, this.topK)
      .sort(byScore);
  }

  #checked(model: RouterModel): RouterModel {
    const { id, dimension } = this.featurizer;
    if (model.weights.features !== id || model.weights.dimension !== dimension)
      throw new RouterWeightsError(
        `router weights: they are for the features "${model.weights.features}", not for "${id}"`,
      );
    return model;
  }
}

/** The likeliest first; of equal ones, by name. */
function byScore(a: SkillScore, b: SkillScore): number {
  return b.score - a.score || (a.skill < b.skill ? -1 : 1);
}
