/** Understanding and answering, for Spanish and English: by rules, and with a language model where it does better. */
export { RuleAnswerer, sayFacts } from './answerer.ts';
export { CombinedAnswerer, CombinedUnderstander, type ModelUse } from './combined.ts';
export { SELF } from './entities.ts';
export type {
  Answerer,
  Asked,
  CompleteOptions,
  Language,
  Outcome,
  PromptPart,
  TextModel,
  Understander,
  Understanding,
  UnderstandOptions,
} from './types.ts';
export { RuleUnderstander } from './understander.ts';
