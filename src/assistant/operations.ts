/** Everything that can be asked of a running Phoenix: the server offers it over HTTP, the CLI uses it, here or there. */
import type { GenerationOptions } from '../generation/index.ts';
import type { Correction, MemoryReport, NewFact, Pattern, RecallPage, RecallQuery, Triple } from '../memory/index.ts';
import type { SkillStatusReport } from '../pool/index.ts';
import type { EvaluationReport, Explanation, FeedbackRecord, TrainReport, UserFeedback } from '../router/index.ts';
import type { Origin } from '../speculative/index.ts';
import type { Use } from '../tracing/index.ts';
import type { SkillUse } from './skill-calls.ts';

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content: string;
}

/** How an answer is written, where a language model writes it; of an answer by rules only length and stop sequences hold. */
export interface ChatOptions extends Omit<GenerationOptions, 'task'> {
  /** What feedback calls the request by. By default it gets an id of its own. */
  requestId?: string;
}

/** What the assistant did for one request. */
export interface ChatAnswer {
  /** What feedback calls the request by. */
  requestId: string;
  text: string;
  /** The model that wrote the answer; undefined for an answer by rules. */
  model: string | undefined;
  /** Why it ended: `length` when it was cut off. */
  finish: 'stop' | 'length';
  promptTokens: number;
  completionTokens: number;
  language: 'es' | 'en';
  /** Facts that were stored. */
  stored: NewFact[];
  /** Facts that the answer was made from. */
  recalled: Triple[];
  /** How many facts were forgotten. */
  forgotten: number;
  /** Who answered the recall. */
  memory: 'skill' | 'local' | undefined;
  /** The skills that the router chose, and what came of it. */
  skills: SkillUse[];
  /** What it needed; on answers that are measured. */
  work?: Work;
}

/** What one request needed. Times are in milliseconds. */
export interface Work {
  /** From the request to the end of its answer. */
  totalMs: number;
  /** To the first piece of the answer. */
  firstPieceMs: number | undefined;
  /** From the first to the last token that a model generated; undefined for an answer by rules. */
  tokensPerSecond: number | undefined;
  skills: Use[];
  /** Operations of the memory; what the sql skill did for them stands in `skills`, too. */
  memory: Use[];
}

/** A piece of an answer. */
export interface ReplyPiece {
  text: string;
  /** Where a generated token came from. */
  origin?: Origin;
  /** How probable the model found the token, 0 to 1, where that was asked for. */
  confidence?: number;
  /** On the last piece: everything. */
  answer?: ChatAnswer;
}

/** A call to a skill by hand. */
export interface SkillCall {
  prompt: string;
  maxTokens?: number;
  timeoutMs?: number;
  context?: Record<string, string>;
  /** Values of the `?` of a statement for the sql skill. */
  parameters?: (string | number | null)[];
  /** Rights beyond the default. */
  grants?: 'schema'[];
}

export interface SkillCallAnswer {
  text: string;
  model: string;
  finishReason: string;
  latencyMs: number;
}

export interface Operations {
  /** Answers the last message of the user. */
  chat(messages: readonly ChatMessage[], options?: ChatOptions, signal?: AbortSignal): Promise<ChatAnswer>;
  /** The same, piece by piece as it is written. Leaving the iteration stops it. */
  reply(messages: readonly ChatMessage[], options?: ChatOptions, signal?: AbortSignal): AsyncIterable<ReplyPiece>;

  recall(query: RecallQuery): Promise<RecallPage>;
  history(query: RecallQuery): Promise<RecallPage>;
  store(facts: readonly NewFact[]): Promise<number>;
  /** @returns whether there was such a fact */
  correct(correction: Correction): Promise<boolean>;
  forget(pattern: Pattern, everything: boolean): Promise<number>;
  rotate(days: number): Promise<number>;
  vacuum(): Promise<void>;
  memoryStats(): Promise<MemoryReport>;
  exportMemory(): AsyncIterable<string>;
  importMemory(lines: AsyncIterable<string>): Promise<number>;

  listSkills(): Promise<SkillStatusReport[]>;
  skillStatus(name: string): Promise<SkillStatusReport>;
  startSkill(name: string): Promise<SkillStatusReport>;
  stopSkill(name: string): Promise<boolean>;
  restartSkill(name: string): Promise<SkillStatusReport>;
  reloadSkill(name: string): Promise<boolean>;
  skillLogs(name: string, lines: number): Promise<string[]>;
  callSkill(name: string, call: SkillCall): Promise<SkillCallAnswer>;

  /** Which skills a text would be sent to, and why. */
  explainRoute(text: string): Promise<Explanation>;
  trainRouter(): Promise<TrainReport>;
  evaluateRouter(): Promise<EvaluationReport>;
  /** Takes weights that were trained elsewhere (an encoded model); undefined: what was trained here. @throws RouterWeightsError */
  useRouterWeights(model: Uint8Array | undefined): Promise<void>;
  /** @returns the number of the record @throws FeedbackError */
  giveFeedback(feedback: UserFeedback): Promise<number>;
  /** The newest first. */
  listFeedback(limit?: number): Promise<FeedbackRecord[]>;
  /** Deletes one record, or all. @returns how many there were */
  clearFeedback(id?: number): Promise<number>;
}
