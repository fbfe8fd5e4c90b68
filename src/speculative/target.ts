import type { LlamaGrammar } from 'node-llama-cpp';
import type { ParallelDrafting } from './parallel.ts';
import type { SamplerSettings } from './sampler.ts';

/** What the model says about the token that comes next. */
export interface Row {
  /** At temperature 0: the likeliest token. */
  token?: number;
  /** Above 0: the probabilities after top-k, top-p, min-p and temperature, of the tokens that are left. */
  probabilities?: ReadonlyMap<number, number>;
  /** How probable `token` is, 0 to 1, where that was asked for. */
  confidence?: number;
}

export interface Evaluation {
  settings: SamplerSettings;
  /** How many of the tokens, the last ones, get a row. */
  rows: 'all' | number;
  /** Whether rows of temperature 0 say how probable their token is; the others always do. */
  confidence?: boolean;
  /** Tokens to penalize in the row of the nth token. */
  punished?: (n: number) => readonly number[];
}

/** One sequence of tokens in a model's memory. Calls must not overlap. */
export interface TargetSequence {
  /** Tokens in its memory. */
  readonly length: number;
  /**
   * Makes its memory hold exactly these tokens. The batches in which they are evaluated depend on the tokens alone, never on what
   * was evaluated before, so that the same prompt always gives the same bits.
   */
  prefill(tokens: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Appends tokens, evaluated in one batch. @returns a row for each token that was asked for, in their order */
  evaluate(tokens: readonly number[], evaluation: Evaluation): Promise<Row[]>;
  /** Forgets all tokens from this length on. */
  rollBack(length: number): Promise<void>;
  /**
   * Appends `last` and generates what the grammar allows, token by token, the end of generation included.
   * @param punished tokens to penalize, asked for before each token
   */
  constrained(
    last: number,
    settings: SamplerSettings,
    grammar: LlamaGrammar,
    punished: () => readonly number[],
  ): AsyncIterable<number>;
  /** Gives the sequence back; it must not be used after that. */
  release(): void;
}

/** A language model as the decoder needs it. */
export interface Target {
  /** Tokens that a sequence can hold. */
  readonly contextSize: number;
  readonly vocabularySize: number;
  /** Digest of the token texts: equal for models whose token ids mean the same. */
  readonly vocabularyHash: string;
  /** Whether it can guess several tokens in one evaluation. */
  readonly parallel?: ParallelDrafting | undefined;
  /** Whether the last tokens of a sequence can be forgotten at no cost: not so in recurrent models. */
  readonly canRollBack: boolean;
  /** A free sequence; waits for one. @throws the signal's reason when that aborts first */
  acquire(signal?: AbortSignal): Promise<TargetSequence>;
  isEndOfGeneration(token: number): boolean;
  /** The text of tokens that follow others. Bytes that are no whole character give U+FFFD. */
  detokenize(tokens: readonly number[], before: readonly number[]): string;
}

/** The prompt and what is to be generated do not fit. */
export class ContextOverflowError extends Error {
  override name = 'ContextOverflowError';
}
