/** What the assistant understands of a message. Rules implement it, and language models. */
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
  /**
   * Nothing is stored and the assistant says so. `reason` is for the user, in the user's language. `final`: it was read and is
   * refused, so that nobody else needs to try.
   */
  | { kind: 'unknown'; language: Language; reason: string; final: boolean };

export type Topic = 'greeting' | 'thanks' | 'farewell' | 'help';

/** What was done for a message. */
export interface Outcome {
  /** Facts that answer a question, best first. */
  recalled: readonly Triple[];
  forgotten: number;
  retracted: number;
}

export interface UnderstandOptions {
  signal?: AbortSignal;
  /** Whether a model may read what the rules do not understand. Default true. */
  byModel?: boolean;
}

/** Reads a message. */
export interface Understander {
  understand(text: string, options?: UnderstandOptions): Understanding | Promise<Understanding>;
}

/** Writes the answer, in the language of the message, from nothing but what was understood and done. */
export interface Answerer {
  answer(message: string, understood: Understanding, outcome: Outcome, signal?: AbortSignal): string | Promise<string>;
}

/** A piece of a prompt: plain text, or the name of one of the model's control tokens (which text can never become). */
export type PromptPart = string | { readonly control: string };

export interface CompleteOptions {
  maxTokens: number;
  temperature?: number;
  seed?: number;
  jsonSchema?: object;
  stop?: readonly string[];
  task?: string;
  signal?: AbortSignal;
}

/** A language model that completes a prompt. */
export interface TextModel {
  readonly name: string;
  /** Most tokens of prompt and completion together. */
  readonly contextSize: number;
  /** Whether the model has this control token. */
  controlToken(name: string): boolean;
  complete(prompt: readonly PromptPart[], options: CompleteOptions): Promise<string>;
}
