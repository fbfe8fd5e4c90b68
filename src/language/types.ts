/** What the assistant understands of a sentence. Rules implement this today; a language model can implement it later. */
import type { NewFact, Pattern, Triple } from '../memory/types.ts';

export type Language = 'es' | 'en';

/** What is asked about the facts that match the pattern. */
export type Asked = 'subject' | 'verb' | 'object' | 'whether' | 'everything';

export type Understanding =
  /** Something to remember. `facts` has at least one entry. */
  | {
      kind: 'statement';
      language: Language;
      facts: NewFact[] /** Facts that the sentence says are no longer true. */;
      retract?: Pattern[];
    }
  /** Something to look up. Several patterns are tried in order; the first one that finds facts is the answer. */
  | { kind: 'question'; language: Language; asked: Asked; patterns: Pattern[] }
  /** A request to forget facts. */
  | { kind: 'forget'; language: Language; patterns: Pattern[] }
  /** Hello, thanks, bye. */
  | { kind: 'smalltalk'; language: Language; topic: 'greeting' | 'thanks' | 'farewell' | 'help' }
  /** Nothing is stored and the assistant says so. */
  | { kind: 'unknown'; language: Language /** For the user: what could not be understood. */; reason: string };

/** Reads a sentence. */
export interface Understander {
  understand(text: string, signal?: AbortSignal): Understanding | Promise<Understanding>;
}

/** Writes the answer, in the language of the request, from nothing but the facts that it is given. */
export interface Answerer {
  /** An answer to a question, from the recalled facts, best first; says so when there are none. */
  answer(
    question: Extract<Understanding, { kind: 'question' }>,
    facts: readonly Triple[],
    signal?: AbortSignal,
  ): string | Promise<string>;
}
