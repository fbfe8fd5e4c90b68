/** Understanding and answering without a language model, by rules for Spanish and English. */
export { RuleAnswerer } from './answerer.ts';
export { SELF } from './entities.ts';
export type { Answerer, Asked, Language, Outcome, Understander, Understanding } from './types.ts';
export { RuleUnderstander } from './understander.ts';
