/** What the router works with. */

export type Language = 'es' | 'en';

/** A request, and which skills it is for. */
export interface Example {
  text: string;
  language?: Language;
  /** Every skill that the request needs; none for one that no skill is for. */
  skills: readonly string[];
  /** Skills that are known to be wrong. Default: all others. */
  wrong?: readonly string[];
  /** How much it counts in training, relative to others. Default 1. */
  weight?: number;
}

/** A sparse vector: `values[i]` stands at `indices[i]`; each index at most once. */
export interface SparseVector {
  readonly indices: Uint16Array;
  readonly values: Float32Array;
}

/** Makes texts vectors of a fixed dimension. Index 0 is always 1: its weight is the bias. */
export interface Featurizer {
  /** Names what the numbers mean, with a version: weights belong to one featurizer. */
  readonly id: string;
  readonly dimension: number;
  featurize(text: string): SparseVector | Promise<SparseVector>;
  /** Tells of each feature of a text where it stands, what it adds there, and how it reads. Together they are the vector. */
  describe(text: string, visit: Visit): void | Promise<void>;
}

export type Visit = (index: number, value: number, feature: string) => void;

/**
 * Weights of independent logistic regressions, one for each skill: `values[skill * dimension + feature]`, skills in the order of
 * `skills`. Nothing changes it once it was made.
 */
export interface RouterWeights {
  /** The featurizer that they were trained with. */
  readonly features: string;
  /** Features of each skill. */
  readonly dimension: number;
  readonly skills: readonly string[];
  readonly values: Float32Array;
}

/** Makes the raw score of a skill a probability: 1 / (1 + exp(-(slope * score + offset))). */
export interface Calibration {
  readonly slope: number;
  readonly offset: number;
}

export interface SkillScore {
  skill: string;
  /** Probability that the request is for this skill, 0 to 1, whatever the others have. */
  score: number;
}

/** Which skills a request is for. */
export interface Decision {
  /** Of every skill that is known, the likeliest first. */
  scores: SkillScore[];
  /** Those that are chosen, the likeliest first; empty when no skill is. */
  chosen: SkillScore[];
}
