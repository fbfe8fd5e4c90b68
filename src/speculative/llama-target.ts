import {
  type ControlledEvaluateInputItem,
  type LlamaContext,
  type LlamaContextSequence,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  type LlamaModel,
  type Token,
} from 'node-llama-cpp';
import { type ParallelDrafting, parallelDraftingOf } from './parallel.ts';
import { hasPenalties, PENALTY_WINDOW, type SamplerSettings } from './sampler.ts';
import { ContextOverflowError, type Evaluation, type Row, type Target, type TargetSequence } from './target.ts';
import { vocabularyOf } from './vocabulary.ts';

export interface LlamaTargetOptions {
  /** Tokens that a sequence can hold. */
  contextSize: number;
  /** Generations at once; the others wait. */
  sequences?: number;
  /** Threads for the evaluation. Never more than there are idle cores. */
  threads?: number;
}

/** Tokens of a prompt that are evaluated together. A part of what a text depends on: another value may change the last bits. */
const PREFILL_CHUNK = 256;

/** A GGUF model through node-llama-cpp. */
export class LlamaTarget implements Target {
  readonly contextSize: number;
  readonly vocabularySize: number;
  readonly vocabularyHash: string;
  readonly canRollBack: boolean;
  readonly parallel: ParallelDrafting | undefined;
  readonly #context: LlamaContext;
  readonly #free: LlamaSequence[] = [];
  readonly #waiting: ((sequence: LlamaSequence) => void)[] = [];

  private constructor(context: LlamaContext, sequences: LlamaContextSequence[]) {
    this.#context = context;
    this.#free = sequences.map((sequence) => new LlamaSequence(sequence, (it) => this.#giveBack(it)));
    // The last cell stays free: node-llama-cpp forgets the beginning when it is reached.
    this.contextSize = Math.min(...sequences.map(({ contextSize }) => contextSize)) - 1;
    this.canRollBack = sequences.every(({ needsCheckpoints }) => !needsCheckpoints);
    const { vocabularySize, vocabularyHash } = vocabularyOf(context.model);
    this.vocabularySize = vocabularySize;
    this.vocabularyHash = vocabularyHash;
    this.parallel = parallelDraftingOf(context.model, vocabularySize);
  }

  /** Makes a context for a model. The model stays the caller's to dispose, after this. */
  static async create(model: LlamaModel, { contextSize, sequences = 1, threads }: LlamaTargetOptions) {
    const context = await model.createContext({
      contextSize,
      sequences,
      threads,
      batchSize: Math.min(PREFILL_CHUNK, contextSize),
      // With it, on a processor, the bits of a row do not depend on how many rows are evaluated together (see probe.ts).
      flashAttention: true,
      // Whole attention windows, so that the last tokens can be forgotten.
      swaFullCache: true,
      // Sequences never share a batch: the width of a batch may change the last bits of its rows, and then the text of one
      // generation would depend on what else is going on.
      batching: {
        itemPrioritizationStrategy: ({ items, size }) =>
          items.slice(0, 1).map((item) => ({ item, processAmount: Math.min(size, item.tokens.length) })),
      },
    });
    return new LlamaTarget(
      context,
      Array.from({ length: sequences }, () => context.getSequence()),
    );
  }

  acquire(signal?: AbortSignal): Promise<TargetSequence> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sequence = this.#free.shift();
      if (sequence !== undefined) return resolve(sequence);
      const granted = (freed: LlamaSequence) => {
        signal?.removeEventListener('abort', refused);
        resolve(freed);
      };
      const refused = () => {
        this.#waiting.splice(this.#waiting.indexOf(granted), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', refused, { once: true });
      this.#waiting.push(granted);
    });
  }

  isEndOfGeneration(token: number): boolean {
    return this.#context.model.isEogToken(token as Token);
  }

  detokenize(tokens: readonly number[], before: readonly number[]): string {
    return this.#context.model.detokenize(tokens as Token[], false, before as Token[]);
  }

  async dispose(): Promise<void> {
    await this.#context.dispose();
  }

  #giveBack(sequence: LlamaSequence): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(sequence);
    else next(sequence);
  }
}

class LlamaSequence implements TargetSequence {
  readonly #sequence: LlamaContextSequence;
  readonly #onRelease: (sequence: LlamaSequence) => void;
  /** The prompt that its memory begins with, evaluated in whole chunks from the start. */
  #prompt: readonly number[] = [];

  constructor(sequence: LlamaContextSequence, onRelease: (sequence: LlamaSequence) => void) {
    this.#sequence = sequence;
    this.#onRelease = onRelease;
  }

  get length(): number {
    return this.#sequence.nextTokenIndex;
  }

  async prefill(tokens: readonly number[], signal?: AbortSignal): Promise<void> {
    // Whole chunks that are the same can stay: they were evaluated in the same batches, after the same tokens.
    let kept = 0;
    if (!this.#sequence.needsCheckpoints) {
      while (kept < tokens.length && tokens[kept] === this.#prompt[kept]) kept++;
      kept -= kept % PREFILL_CHUNK;
    }
    this.#prompt = [];
    await this.rollBack(kept);
    for (let from = kept; from < tokens.length; from += PREFILL_CHUNK) {
      signal?.throwIfAborted();
      const chunk = tokens.slice(from, from + PREFILL_CHUNK);
      this.#ensureRoom(chunk.length);
      await this.#sequence.evaluateWithoutGeneratingNewTokens(chunk as Token[]);
    }
    this.#prompt = tokens.slice();
  }

  async evaluate(tokens: readonly number[], { settings, rows, confidence, punished }: Evaluation): Promise<Row[]> {
    this.#ensureRoom(tokens.length);
    const { temperature, topK, topP, minP } = settings;
    const what = temperature === 0 ? { token: true, confidence } : { probabilities: true };
    const input = tokens.map((token, n): ControlledEvaluateInputItem => {
      if (rows !== 'all' && n < tokens.length - rows) return token as Token;
      const repeatPenalty = llamaPenalties(settings, () => punished?.(n) ?? []);
      return [
        token as Token,
        { generateNext: { ...what, options: { temperature, topK, topP, minP, seed: 0, repeatPenalty } } },
      ];
    });
    const results = await this.#sequence.controlledEvaluate(input);
    return results.flatMap((result) =>
      result === undefined
        ? []
        : [
            {
              token: result.next.token ?? undefined,
              probabilities: result.next.probabilities ?? undefined,
              confidence: result.next.confidence,
            },
          ],
    );
  }

  async rollBack(length: number): Promise<void> {
    const end = this.#sequence.nextTokenIndex;
    if (length < end) await this.#sequence.eraseContextTokenRanges([{ start: length, end }]);
  }

  constrained(last: number, settings: SamplerSettings, grammar: LlamaGrammar, punished: () => readonly number[]) {
    const { temperature, topK, topP, minP, seed } = settings;
    return this.#sequence.evaluate([last as Token], {
      temperature,
      topK,
      topP,
      minP,
      seed: (seed ^ Math.floor(seed / 2 ** 32)) >>> 0,
      repeatPenalty: llamaPenalties(settings, punished),
      grammarEvaluationState: new LlamaGrammarEvaluationState({ model: this.#sequence.model, grammar }),
      yieldEogToken: true,
    });
  }

  release(): void {
    this.#onRelease(this);
  }

  /** node-llama-cpp would silently forget the beginning of the text. */
  #ensureRoom(count: number): void {
    const room = this.#sequence.contextSize - 1 - this.#sequence.nextTokenIndex;
    if (count > room) throw new ContextOverflowError(`${count} more tokens do not fit: there is room for ${room}`);
  }
}

function llamaPenalties(settings: SamplerSettings, punished: () => readonly number[]) {
  if (!hasPenalties(settings)) return undefined;
  return {
    punishTokens: () => punished() as Token[],
    maxPunishTokens: PENALTY_WINDOW,
    penalty: settings.penalties?.repeat ?? 1,
    frequencyPenalty: settings.penalties?.frequency ?? 0,
    presencePenalty: settings.penalties?.presence ?? 0,
  };
}
