import type { LlamaEmbeddingContext, LlamaGrammar, Token } from 'node-llama-cpp';
import { type GpuMode, type LoadedModel, loadModel, type ModelFacts } from '../models/index.ts';
import {
  ContextOverflowError,
  DEFAULT_SAMPLER,
  type Draft,
  type GenerateSettings,
  LlamaTarget,
  loadProfile,
  type SpeculationMode,
  type SpeculationSnapshot,
  SpeculativeDecoder,
} from '../speculative/index.ts';
import { GenerationError } from './error.ts';
import { grammarSchema } from './json-schema.ts';
import { Prompts, textsOf } from './prompts.ts';
import type {
  GeneratedPiece,
  Generation,
  GenerationInput,
  GenerationOptions,
  ModelCard,
  OutputFormat,
} from './types.ts';

/** Grammars that are kept: making one takes milliseconds. */
const MAX_GRAMMARS = 32;

export interface ModelSettings {
  gpu: GpuMode;
  threads: number;
  contextSize: number;
  /** Texts that are generated at once. */
  parallel: number;
  speculation: SpeculationMode;
  /** Where what was measured of models is kept, a JSON file. */
  profileFile: string;
  /** Bytes that may be used; by default what the system has free. */
  availableBytes?: number;
}

/** A model in memory, ready to generate. */
export class OpenModel implements AsyncDisposable {
  readonly card: ModelCard;
  readonly #loaded: LoadedModel;
  readonly #target: LlamaTarget;
  readonly #prompts: Prompts;
  readonly #decoder: SpeculativeDecoder;
  readonly #threads: number;
  readonly #grammars = new Map<string, Promise<LlamaGrammar>>();
  #embedding: Promise<LlamaEmbeddingContext> | undefined;

  private constructor(loaded: LoadedModel, target: LlamaTarget, prompts: Prompts, decoder: SpeculativeDecoder) {
    this.#loaded = loaded;
    this.#threads = loaded.threads;
    this.#target = target;
    this.#prompts = prompts;
    this.#decoder = decoder;
    this.card = {
      name: modelName(loaded.facts),
      quantization: loaded.facts.quantization,
      contextSize: target.contextSize,
      canChat: prompts.canChat,
    };
  }

  /** @throws ModelError, the signal's reason */
  static async open(
    path: string,
    settings: ModelSettings,
    draft: Draft | undefined,
    signal: AbortSignal,
  ): Promise<OpenModel> {
    const { gpu, threads, contextSize, parallel, availableBytes } = settings;
    const loaded = await loadModel(path, {
      ...{ gpu, threads, contextSize, sequences: parallel, signal },
      ...(availableBytes === undefined ? {} : { availableBytes }),
    });
    let target: LlamaTarget | undefined;
    try {
      target = await LlamaTarget.create(loaded.model, {
        contextSize: loaded.contextSize,
        sequences: parallel,
        threads,
      });
      const profile = await loadProfile(target, { modelFile: path, threads, cacheFile: settings.profileFile });
      const decoder = new SpeculativeDecoder({ target, profile, mode: settings.speculation, draft });
      return new OpenModel(loaded, target, await Prompts.create(loaded.model), decoder);
    } catch (error) {
      await target?.dispose();
      await loaded[Symbol.asyncDispose]();
      throw error;
    }
  }

  controlToken(text: string): boolean {
    return this.#prompts.controlToken(text);
  }

  statistics(): SpeculationSnapshot {
    return this.#decoder.stats.snapshot();
  }

  /** @throws GenerationError when the input does not fit or a setting makes no sense, the signal's reason */
  async generate(input: GenerationInput, options: GenerationOptions, signal: AbortSignal): Promise<Generation> {
    const { tokens, stop } = this.#tokensOf(input);
    const settings = this.#settings(options, stop);
    if (options.format) {
      settings.grammar = await this.#grammar(options.format);
      settings.stop = [...(settings.stop ?? []), ...textsOf(settings.grammar.stopGenerationTriggers)];
    }
    const room = this.#target.contextSize - tokens.length;
    if (room < 1) throw tooLong(tokens.length, 1, this.#target.contextSize);
    try {
      const pieces = this.#decoder.generate(tokens, settings, { signal });
      return {
        model: this.card.name,
        promptTokens: tokens.length,
        [Symbol.asyncIterator]: () => described(pieces)[Symbol.asyncIterator](),
      };
    } catch (error) {
      if (error instanceof ContextOverflowError)
        throw tooLong(tokens.length, options.maxTokens ?? 1, this.#target.contextSize);
      if (error instanceof RangeError) throw new GenerationError('invalid', error.message, { cause: error });
      throw error;
    }
  }

  /**
   * Vectors for texts or tokens, one after the other.
   *
   * @throws GenerationError when the model gives none or a text does not fit, the signal's reason
   */
  async embed(
    inputs: readonly (string | readonly number[])[],
    signal: AbortSignal,
  ): Promise<{ vectors: (readonly number[])[]; tokens: number }> {
    const tokens = inputs.map((input) => (typeof input === 'string' ? this.#prompts.ofText(input) : input));
    const { contextSize, vocabularySize } = this.#target;
    for (const list of tokens) {
      if (list.length > contextSize) throw tooLong(list.length, 0, contextSize);
      if (list.every((token) => Number.isInteger(token) && token >= 0 && token < vocabularySize)) continue;
      throw new GenerationError('invalid', `tokens must be from 0 to ${vocabularySize - 1}`, { param: 'input' });
    }
    const context = await this.#embeddingContext();
    const vectors: (readonly number[])[] = [];
    for (const list of tokens) {
      signal.throwIfAborted();
      vectors.push((await context.getEmbeddingFor(list as Token[])).vector);
    }
    return { vectors, tokens: tokens.reduce((sum, { length }) => sum + length, 0) };
  }

  async #embeddingContext(): Promise<LlamaEmbeddingContext> {
    const { contextSize } = this.#target;
    this.#embedding ??= this.#loaded.model
      .createEmbeddingContext({ contextSize, batchSize: contextSize, threads: this.#threads })
      .catch((error: Error) => {
        this.#embedding = undefined;
        throw new GenerationError('invalid', `${this.card.name} gives no embeddings: ${error.message}`, {
          param: 'model',
          cause: error,
        });
      });
    return await this.#embedding;
  }

  #tokensOf(input: GenerationInput): { tokens: readonly number[]; stop: readonly string[] } {
    if ('messages' in input) return this.#prompts.ofMessages(input.messages);
    const tokens =
      'tokens' in input
        ? input.tokens
        : 'raw' in input
          ? this.#prompts.ofRaw(input.raw)
          : this.#prompts.ofParts(input.prompt);
    return { tokens, stop: [] };
  }

  #settings(options: GenerationOptions, stop: readonly string[]): GenerateSettings {
    const { frequencyPenalty, presencePenalty, repeatPenalty, maxTokens, confidence, task } = options;
    const { temperature, topK, topP, minP, seed } = DEFAULT_SAMPLER;
    return {
      temperature: options.temperature ?? temperature,
      topK: options.topK ?? topK,
      topP: options.topP ?? topP,
      minP: options.minP ?? minP,
      seed: options.seed ?? seed,
      stop: [...(options.stop ?? []), ...stop],
      penalties: { frequency: frequencyPenalty ?? 0, presence: presencePenalty ?? 0, repeat: repeatPenalty ?? 1 },
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(confidence === undefined ? {} : { confidence }),
      ...(task === undefined ? {} : { task }),
    };
  }

  #grammar(format: OutputFormat): Promise<LlamaGrammar> {
    const key = JSON.stringify(format);
    const known = this.#grammars.get(key);
    if (known) return known;
    const made = makeGrammar(this.#loaded, format);
    const [oldest] = this.#grammars.keys();
    if (this.#grammars.size >= MAX_GRAMMARS && oldest !== undefined) this.#grammars.delete(oldest);
    this.#grammars.set(key, made);
    made.catch(() => this.#grammars.delete(key));
    return made;
  }

  /** All generations must have ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#embedding?.catch(() => undefined))?.dispose();
    await this.#target.dispose();
    await this.#loaded[Symbol.asyncDispose]();
  }
}

/** What clients call a model: its name without spaces. */
export function modelName({ name }: Pick<ModelFacts, 'name'>): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._:-]+/g, '-');
}

async function* described(
  pieces: ReturnType<SpeculativeDecoder['generate']>,
): AsyncGenerator<GeneratedPiece, void, undefined> {
  for await (const { finish, ...piece } of pieces) {
    yield finish === undefined ? piece : { ...piece, finish: finish === 'length' ? 'length' : 'stop' };
  }
}

/** @throws GenerationError when it is no grammar */
async function makeGrammar({ model }: LoadedModel, format: OutputFormat): Promise<LlamaGrammar> {
  try {
    const { llama } = model;
    if (format.kind === 'json') return await llama.getGrammarFor('json');
    if (format.kind === 'schema') {
      return await llama.createGrammarForJsonSchema(grammarSchema(format.schema) as { type: 'array' });
    }
    return await llama.createGrammar({ grammar: format.grammar });
  } catch (error) {
    if (error instanceof GenerationError) throw error;
    const what = format.kind === 'schema' ? 'the JSON schema' : 'the grammar';
    throw new GenerationError('invalid', `${what} cannot be used: ${(error as Error).message}`, {
      param: 'response_format',
      cause: error,
    });
  }
}

function tooLong(prompt: number, wanted: number, contextSize: number): GenerationError {
  return new GenerationError(
    'context_length_exceeded',
    `the prompt has ${prompt} tokens, and ${wanted} more do not fit: the context of the model has ${contextSize}; shorten the prompt, ask for fewer tokens, or raise models.context_size`,
  );
}
