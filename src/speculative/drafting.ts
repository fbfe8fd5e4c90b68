/** What a skill that drafts has in common with the decoder: `import { gumbelChoice } from 'phoenix/drafting'`. Bundled into it. */
export { gumbelChoice } from './gumbel.ts';
export { leftOf, masks, type ParallelDrafting, parallelDraftingOf } from './parallel.ts';
export { vocabularyOf } from './vocabulary.ts';
