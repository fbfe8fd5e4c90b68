/** Everything that can be asked of a running Phoenix: the server offers it over HTTP, the CLI uses it, here or there. */
import type { MemoryReport, NewFact, Pattern, RecallPage, RecallQuery, Triple } from '../memory/index.ts';
import type { SkillStatusReport } from '../pool/index.ts';

export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  content: string;
}

/** What the assistant did for one request. */
export interface ChatAnswer {
  text: string;
  language: 'es' | 'en';
  /** Facts that were stored. */
  stored: NewFact[];
  /** Facts that the answer was made from. */
  recalled: Triple[];
  /** How many facts were forgotten. */
  forgotten: number;
  /** Who answered the recall. */
  memory: 'skill' | 'local' | undefined;
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
  chat(messages: readonly ChatMessage[], signal?: AbortSignal): Promise<ChatAnswer>;

  recall(query: RecallQuery): Promise<RecallPage>;
  history(query: RecallQuery): Promise<RecallPage>;
  store(facts: readonly NewFact[]): Promise<number>;
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
}
