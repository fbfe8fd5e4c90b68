/** What the assistant understands of a message. Rules implement this today; a language model can implement it later. */
import type { NewFact, Pattern, Triple } from '../memory/types.ts';

export type Language = 'es' | 'en';

/** What is asked about the facts that match the pattern. */
export type Asked = 'subject' | 'object' | 'whether' | 'everything';

export type Understanding =
  /** Something to remember, or something that is no longer true. */
  | {
      kind: 'statement';
      language: Language;
      facts: NewFact[];
      retract: Pattern[];
      /** Sentences of the message that were not understood. */
      ignored: string[];
    }
  /** Something to look up. Several patterns are tried in order; the first one that finds facts is the answer. */
  | { kind: 'question'; language: Language; asked: Asked; patterns: Pattern[] }
  /** A request to forget facts. */
  | { kind: 'forget'; language: Language; patterns: Pattern[] }
  | { kind: 'smalltalk'; language: Language; topic: Topic }
  /** Nothing is stored and the assistant says so. `reason` is for the user, in the user's language. */
  | { kind: 'unknown'; language: Language; reason: string };

export type Topic = 'greeting' | 'thanks' | 'farewell' | 'help';

/** What was done for a message. */
export interface Outcome {
  /** Facts that answer a question, best first. */
  recalled: readonly Triple[];
  forgotten: number;
  retracted: number;
}

/** Reads a message. */
export interface Understander {
  understand(text: string, signal?: AbortSignal): Understanding | Promise<Understanding>;
}

/** Writes the answer, in the language of the message, from nothing but what was understood and done. */
export interface Answerer {
  answer(understood: Understanding, outcome: Outcome, signal?: AbortSignal): string | Promise<string>;
}
