import type { CompleteOptions, PromptPart, TextModel } from '../language/index.ts';
import { inspectModel } from '../models/index.ts';
import type { Draft, SpeculationSnapshot } from '../speculative/index.ts';
import { currentRequest, iterateIn, runIn } from '../tracing/index.ts';
import { GenerationError } from './error.ts';
import { type ModelSettings, modelName, OpenModel } from './open-model.ts';
import { GenerationSpan, startEmbeddings } from './spans.ts';
import type {
  EndedGeneration,
  GeneratedPiece,
  Generation,
  GenerationInput,
  GenerationOptions,
  ModelCard,
} from './types.ts';

/** After a failed attempt to load the model, the next one is made no sooner, in milliseconds. */
const RETRY_MS = 30_000;
/** Generations that may wait for each that can run. */
const WAITING_PER_SEQUENCE = 16;

export interface GeneratorOptions extends ModelSettings {
  /** The file of the model, as it is now; throws when there is none. */
  file: () => string;
  /** Who proposes tokens, for a model file that is about to be loaded; undefined for none. */
  draft: (file: string) => Draft | undefined;
  /** Told of each generation when it has ended, and of the load. */
  observer?: Partial<GenerationObserver>;
}

export interface GenerationObserver {
  loaded(card: ModelCard, seconds: number): void;
  failed(error: unknown): void;
  generated(ended: EndedGeneration): void;
}

/**
 * The model that the assistant speaks with. It is loaded when it is first needed, once for all; what waits for it can leave without
 * stopping the load. Without a model, or with one that cannot be loaded, each generation says so and nothing else fails.
 */
export class Generator {
  readonly #options: GeneratorOptions;
  readonly #closing = new AbortController();
  #opening: Promise<OpenModel> | undefined;
  #open: OpenModel | undefined;
  #retryAt = 0;
  /** Ends of the generations under way. */
  readonly #active = new Set<Promise<void>>();

  constructor(options: GeneratorOptions) {
    this.#options = options;
  }

  /** What is loaded; undefined when nothing is. */
  get loaded(): ModelCard | undefined {
    return this.#open?.card;
  }

  /** What the configured model is called, loaded or not; undefined when there is none. */
  get name(): string | undefined {
    if (this.#open) return this.#open.card.name;
    try {
      return modelName(inspectModel(this.#options.file()));
    } catch {
      return undefined;
    }
  }

  /** Counts of the decoder; undefined while no model is loaded. */
  statistics(): SpeculationSnapshot | undefined {
    return this.#open?.statistics();
  }

  /** Loads the model, if it is not there. @throws GenerationError `no_model`, the signal's reason */
  async load(signal?: AbortSignal): Promise<ModelCard> {
    return (await this.#model(signal)).card;
  }

  /**
   * Begins to generate. Leaving the iteration, or aborting the signal, stops it.
   *
   * @throws GenerationError, the signal's reason; the iteration throws the same
   */
  async generate(input: GenerationInput, options: GenerationOptions = {}, signal?: AbortSignal): Promise<Generation> {
    const model = await this.#model(signal);
    const { parallel } = this.#options;
    if (this.#active.size >= parallel * (1 + WAITING_PER_SEQUENCE)) {
      throw new GenerationError('busy', `${this.#active.size} generations are under way or wait: try again later`);
    }
    const stopped = this.#stoppedBy(signal);
    const trace = GenerationSpan.start(model.card.name, input, options);
    try {
      const generation = await runIn(currentRequest(), trace?.span, () => model.generate(input, options, stopped));
      return { ...generation, [Symbol.asyncIterator]: () => this.#observed(generation, stopped, trace) };
    } catch (error) {
      trace?.span.end(error);
      throw error;
    }
  }

  /** Vectors for texts or tokens. @throws GenerationError, the signal's reason */
  async embed(inputs: readonly (string | readonly number[])[], signal?: AbortSignal) {
    const model = await this.#model(signal);
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#active.add(ended);
    const span = startEmbeddings(model.card.name);
    try {
      const embedded = await model.embed(inputs, this.#stoppedBy(signal));
      span?.set({ 'gen_ai.usage.input_tokens': embedded.tokens });
      span?.end();
      return embedded;
    } catch (error) {
      span?.end(error);
      throw error;
    } finally {
      this.#active.delete(ended);
      resolve();
    }
  }

  /** The model for the tasks of the assistant; loads it. @throws GenerationError `no_model` */
  async textModel(signal?: AbortSignal): Promise<TextModel> {
    const model = await this.#model(signal);
    return {
      name: model.card.name,
      contextSize: model.card.contextSize,
      controlToken: (name) => model.controlToken(name),
      complete: (prompt, options) => this.#complete(prompt, options),
    };
  }

  /** Stops everything and frees the model. */
  async close(): Promise<void> {
    this.#closing.abort(new GenerationError('no_model', 'Phoenix is being stopped'));
    await Promise.allSettled([this.#opening, ...this.#active]);
    await this.#open?.[Symbol.asyncDispose]();
    this.#open = undefined;
  }

  #stoppedBy(signal: AbortSignal | undefined): AbortSignal {
    return signal ? AbortSignal.any([this.#closing.signal, signal]) : this.#closing.signal;
  }

  async #complete(prompt: readonly PromptPart[], options: CompleteOptions): Promise<string> {
    const { jsonSchema, signal, ...rest } = options;
    const format = jsonSchema && { format: { kind: 'schema', schema: jsonSchema } as const };
    let text = '';
    for await (const piece of await this.generate({ prompt }, { ...rest, ...format }, signal)) text += piece.text;
    return text;
  }

  async #model(signal?: AbortSignal): Promise<OpenModel> {
    this.#closing.signal.throwIfAborted();
    signal?.throwIfAborted();
    if (this.#open) return this.#open;
    if (!this.#opening && performance.now() < this.#retryAt) throw this.#failure;
    this.#opening ??= this.#load().finally(() => {
      this.#opening = undefined;
    });
    if (!signal) return await this.#opening;
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([this.#opening, left]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #failure = new GenerationError('no_model', 'the model was not loaded yet');

  async #load(): Promise<OpenModel> {
    const { file, draft, observer, ...settings } = this.#options;
    const started = performance.now();
    try {
      const path = file();
      this.#open = await OpenModel.open(path, settings, draft(path), this.#closing.signal);
      observer?.loaded?.(this.#open.card, (performance.now() - started) / 1000);
      return this.#open;
    } catch (error) {
      this.#closing.signal.throwIfAborted();
      this.#failure = new GenerationError('no_model', (error as Error).message, { cause: error });
      this.#retryAt = performance.now() + RETRY_MS;
      observer?.failed?.(error);
      throw this.#failure;
    }
  }

  async *#observed(
    generation: Generation,
    signal: AbortSignal,
    trace: GenerationSpan | undefined,
  ): AsyncGenerator<GeneratedPiece, void, undefined> {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#active.add(ended);
    const started = performance.now();
    let firstTokenSeconds: number | undefined;
    let tokens = 0;
    let finish: EndedGeneration['finish'] = 'cancelled';
    let failure: unknown;
    try {
      const pieces = trace ? iterateIn(currentRequest(), trace.span, () => generation) : generation;
      for await (const piece of pieces) {
        trace?.token(piece.origin);
        firstTokenSeconds ??= (performance.now() - started) / 1000;
        tokens++;
        if (piece.finish) finish = piece.finish;
        yield piece;
      }
    } catch (error) {
      if (!signal.aborted) {
        finish = 'error';
        failure = error;
      }
      throw error;
    } finally {
      this.#active.delete(ended);
      resolve();
      const seconds = (performance.now() - started) / 1000;
      const { promptTokens } = generation;
      const traceId = trace?.span.isSampled ? trace.span.traceId : undefined;
      const over = { finish, promptTokens, tokens, seconds, firstTokenSeconds, traceId };
      trace?.end(over, failure);
      this.#options.observer?.generated?.(over);
    }
  }
}
