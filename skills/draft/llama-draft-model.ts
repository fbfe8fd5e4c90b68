import type {
  ControlledEvaluateInputItem,
  LlamaContext,
  LlamaContextSequence,
  LlamaModel,
  Token,
} from 'node-llama-cpp';
import { choose, masks, type ParallelDrafting, parallelDraftingOf, vocabularyOf } from 'phoenix/drafting';
import type { DraftModel, DraftSequence, Sampler } from './drafting.ts';

export interface LlamaDraftOptions {
  /** Tokens that a sequence can hold. */
  contextSize: number;
  /** Generations at once; each has memory of its own. */
  sequences: number;
  /** Threads for the evaluation. Never more than there are idle cores. */
  threads?: number;
}

/** A GGUF model that drafts, through node-llama-cpp. */
export class LlamaDraftModel implements DraftModel {
  readonly name: string;
  readonly vocabularyHash: string;
  readonly vocabularySize: number;
  readonly contextSize: number;
  readonly atOnce: number;
  readonly sequences: readonly DraftSequence[];
  readonly #context: LlamaContext;

  private constructor(name: string, context: LlamaContext, sequences: readonly LlamaContextSequence[]) {
    this.name = name;
    this.#context = context;
    // The last cell stays free: node-llama-cpp forgets the beginning when it is reached.
    this.contextSize = Math.min(...sequences.map(({ contextSize }) => contextSize)) - 1;
    const { vocabularySize, vocabularyHash } = vocabularyOf(context.model);
    this.vocabularySize = vocabularySize;
    this.vocabularyHash = vocabularyHash;
    const parallel = parallelDraftingOf(context.model, vocabularySize);
    this.atOnce = parallel?.tokens ?? 1;
    this.sequences = sequences.map((sequence) => new LlamaDraftSequence(sequence, parallel));
  }

  /**
   * Makes a context for a model. The model stays the caller's to dispose, after this.
   *
   * @throws Error when the last tokens cannot be forgotten, as in recurrent models
   */
  static async create(name: string, model: LlamaModel, options: LlamaDraftOptions): Promise<LlamaDraftModel> {
    const { contextSize, sequences: count, threads } = options;
    const context = await model.createContext({
      contextSize,
      sequences: count,
      threads,
      flashAttention: true,
      // Whole attention windows, so that the last tokens can be forgotten.
      swaFullCache: true,
    });
    const sequences = Array.from({ length: count }, () => context.getSequence());
    if (sequences.some(({ needsCheckpoints }) => needsCheckpoints)) {
      await context.dispose();
      throw new Error(`${name} cannot draft: it cannot forget its last tokens; use a model that is not recurrent`);
    }
    return new LlamaDraftModel(name, context, sequences);
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
  }
}

class LlamaDraftSequence implements DraftSequence {
  readonly #sequence: LlamaContextSequence;
  readonly #parallel: ParallelDrafting | undefined;

  constructor(sequence: LlamaContextSequence, parallel: ParallelDrafting | undefined) {
    this.#sequence = sequence;
    this.#parallel = parallel;
  }

  async read(tokens: readonly number[]): Promise<void> {
    await this.#sequence.evaluateWithoutGeneratingNewTokens(tokens as Token[]);
  }

  async next(tokens: readonly number[], sampler: Sampler, position: number, count: number): Promise<number[]> {
    const { temperature, topK, topP, minP } = sampler;
    const what = temperature === 0 ? { token: true } : { probabilities: true };
    // The random number is not the model's but one that the target draws, too; without a seed it would be the clock's.
    const generateNext = { ...what, options: { temperature, topK, topP, minP, seed: 0 } };
    const input = [...tokens, ...masks(this.#parallel, count)].map(
      (token, n): ControlledEvaluateInputItem =>
        n < tokens.length - 1 ? (token as Token) : [token as Token, { generateNext }],
    );
    const results = await this.#sequence.controlledEvaluate(input);
    return results
      .slice(-count)
      .map((result, n) =>
        choose(
          { token: result?.next.token ?? undefined, probabilities: result?.next.probabilities },
          sampler,
          position + n,
        ),
      );
  }

  async rollBack(length: number): Promise<void> {
    const end = this.#sequence.nextTokenIndex;
    if (length < end) await this.#sequence.eraseContextTokenRanges([{ start: length, end }]);
  }
}
