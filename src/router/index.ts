/** The router: which skills a request needs. */
export { heldOutCorpus, trainingCorpus } from './corpus.ts';
export { type Embedder, EmbeddingFeatures } from './embedding-features.ts';
export {
  DEFAULT_THRESHOLD,
  type EvaluateOptions,
  evaluate,
  type Quality,
  qualityOf,
  type Scored,
  type SkillQuality,
} from './evaluate.ts';
export { DIMENSION, HashedFeatures } from './features.ts';
export { type FeedbackRecord, type FeedbackStore, feedbackFormat, type NewFeedback, type Signal } from './feedback.ts';
export {
  FeedbackError,
  type FeedbackUse,
  RequestFeedback,
  type SkillRefusal,
  type UserFeedback,
} from './request-feedback.ts';
export { type Contribution, DEFAULT_TOP_K, type Explanation, Router, type SkillExplanation } from './router.ts';
export {
  type EvaluationReport,
  type RouterObserver,
  RouterService,
  type RouterServiceOptions,
  type TrainReport,
} from './service.ts';
export { type Labelled, label, type TrainOptions, trainLocal } from './train.ts';
export { type RoutedSkill, trainModel } from './training.ts';
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
export { decodeModel, encodeModel, modelFormat, type RouterModel } from './weights-file.ts';
