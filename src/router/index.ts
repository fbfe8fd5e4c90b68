/** The router: which skills a request needs. */
export { DEFAULT_THRESHOLD, type EvaluateOptions, evaluate, type Quality, type SkillQuality } from './evaluate.ts';
export { DIMENSION, HashedFeatures } from './features.ts';
export { type TrainOptions, trainLocal } from './train.ts';
export type {
  Calibration,
  Decision,
  Example,
  Featurizer,
  Language,
  RouterWeights,
  SkillScore,
  SparseVector,
} from './types.ts';
export { checkedWeights, emptyWeights, RouterWeightsError, selectSkills } from './weights.ts';
export { decodeModel, encodeModel, type RouterModel } from './weights-file.ts';
