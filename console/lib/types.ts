/** What the server answers: the types of the server itself. */
export type { ChatMessage, SkillCall, SkillCallAnswer, Work } from '../../src/assistant/index.ts';
export type { MemoryReport, NewFact, RecallPage, Triple } from '../../src/memory/index.ts';
export type { SkillStatusReport } from '../../src/pool/index.ts';
export type { Origin } from '../../src/speculative/index.ts';
export type { History, SkillHistory } from '../../src/telemetry/index.ts';
