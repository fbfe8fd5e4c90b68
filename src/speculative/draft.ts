/** What a draft needs to know so that it makes the same random choices as the target. */
export interface DraftOptions {
  /** The seed of the generation. */
  seed: number;
  /** 0: the likeliest token. */
  temperature: number;
  topK: number;
  topP: number;
  minP: number;
  /** Digest of the target's token texts; a draft with another vocabulary cannot help and must not try. */
  vocabularyHash: string;
}

/** Proposes tokens for generations. May be slow, wrong or dead: only time is lost. */
export interface Draft {
  /** Names it in statistics. */
  readonly name: string;
  /** Begins a generation. */
  open(prompt: readonly number[], options: DraftOptions): DraftStream;
}

/** The draft's side of one generation. */
export interface DraftStream {
  /** These tokens are certain now and follow the prompt and what was committed before. Never waits, never throws. */
  commit(tokens: readonly number[]): void;
  /**
   * Up to `count` tokens that may come next; waits at most `waitMs` milliseconds for them; what is there by then, possibly none.
   * Never throws.
   */
  propose(count: number, waitMs: number): Promise<readonly number[]>;
  /** False once it will never propose again (died, refused the vocabulary). */
  readonly alive: boolean;
  close(): void;
}
