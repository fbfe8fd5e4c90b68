import type { PromptPart } from '../language/index.ts';
import type { Origin } from '../speculative/index.ts';

/** One message of a conversation. */
export interface ChatTurn {
  role: 'system' | 'user' | 'assistant';
  text: string;
}

/**
 * What is continued: a conversation, in the form that the model was trained for; a prompt in which text can never become a control
 * token; a raw text in which control tokens are meant as such; or tokens.
 */
export type GenerationInput =
  | { readonly messages: readonly ChatTurn[] }
  | { readonly prompt: readonly PromptPart[] }
  | { readonly raw: string }
  | { readonly tokens: readonly number[] };

/** What the text must look like. */
export type OutputFormat =
  | { readonly kind: 'json' }
  | { readonly kind: 'schema'; readonly schema: object }
  | { readonly kind: 'gbnf'; readonly grammar: string };

export interface GenerationOptions {
  /** 0 (the default): always the likeliest token. */
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  seed?: number;
  /** By default what fits into the context. */
  maxTokens?: number;
  stop?: readonly string[];
  frequencyPenalty?: number;
  presencePenalty?: number;
  repeatPenalty?: number;
  format?: OutputFormat;
  /** Whether tokens come with their probability. */
  confidence?: boolean;
  /** Acceptance of proposals is measured for each kind of task. */
  task?: string;
}

/** A piece of a text as it is generated. */
export interface GeneratedPiece {
  /** Certain text; empty while a character is incomplete or a stop sequence may have begun. */
  text: string;
  token: number;
  origin: Origin;
  /** How probable the model found the token, 0 to 1, where that was asked for. */
  confidence?: number;
  /** Set on the last piece: `stop` when the model or a stop sequence ended the text, `length` at the limit. */
  finish?: 'stop' | 'length';
}

/** A generation under way. */
export interface Generation extends AsyncIterable<GeneratedPiece> {
  readonly model: string;
  readonly promptTokens: number;
}

/** A generation that is over. */
export interface EndedGeneration {
  /** `cancelled` when the client left. */
  finish: 'stop' | 'length' | 'cancelled' | 'error';
  promptTokens: number;
  tokens: number;
  seconds: number;
  /** Until the first token; undefined when there was none. */
  firstTokenSeconds: number | undefined;
  /** The trace that it is part of, if that is kept. */
  traceId: string | undefined;
}

/** What a loaded model can do. */
export interface ModelCard {
  /** As clients name it, for example "phoenix-nano-target". */
  readonly name: string;
  readonly quantization: string;
  readonly contextSize: number;
  /** Whether it has a chat template: only such a model was trained to talk. */
  readonly canChat: boolean;
}
