import type { LlamaModel } from 'node-llama-cpp';

/**
 * What a model can do that was trained to guess several tokens in one evaluation (PARD, An et al., 2025, arXiv 2504.18583): behind the
 * last token stand masks, each for a token that is not known yet, and each says what comes behind it.
 */
export interface ParallelDrafting {
  /** The token that stands for one that is not known yet. */
  maskToken: number;
  /** Tokens that it guesses at once, at most; more than one. */
  tokens: number;
}

/** What the file of a model says of that: the keys `phoenix.draft.mask_token_id` and `phoenix.draft.parallel_tokens`. */
export function parallelDraftingOf(model: LlamaModel, vocabularySize: number): ParallelDrafting | undefined {
  const metadata: Record<string, unknown> = model.fileInfo.metadata;
  const said = (metadata.phoenix as { draft?: Record<string, unknown> } | undefined)?.draft;
  const maskToken = Number(said?.mask_token_id ?? Number.NaN);
  const tokens = Number(said?.parallel_tokens ?? Number.NaN);
  const isToken = Number.isInteger(maskToken) && maskToken >= 0 && maskToken < vocabularySize;
  return isToken && Number.isInteger(tokens) && tokens > 1 ? { maskToken, tokens } : undefined;
}

/** The masks behind the last token with which `count` tokens are guessed. */
export function masks(parallel: ParallelDrafting | undefined, count: number): number[] {
  return parallel === undefined ? [] : new Array<number>(count - 1).fill(parallel.maskToken);
}

/** What is left of the tokens that were drafted, when others became certain meanwhile: nothing if those are different. */
export function leftOf(drafted: readonly number[], certain: readonly number[]): readonly number[] {
  return certain.every((token, n) => drafted[n] === token) ? drafted.slice(certain.length) : [];
}
