/** What a skill that drafts has in common with the decoder: `import { choose } from 'phoenix/drafting'`. Bundled into it. */
export { gumbelChoice } from './gumbel.ts';
export { leftOf, masks, type ParallelDrafting, parallelDraftingOf } from './parallel.ts';
export { choose } from './sampler.ts';
export { vocabularyOf } from './vocabulary.ts';
