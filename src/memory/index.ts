/** The entity memory. */
export type { FactSource, NewFact, Pattern, RecallPage, RecallQuery, Triple } from './types.ts';
