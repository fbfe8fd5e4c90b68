import { ModelAnswerer } from './model-answerer.ts';
import { knowsTasks, ModelUnderstander } from './model-understander.ts';
import type { Answerer, Outcome, TextModel, Understander, Understanding, UnderstandOptions } from './types.ts';

/** When the model is asked: never, after the rules did not understand, or before them. */
export type ModelUse = 'rules' | 'auto' | 'model';

export interface CombinedOptions<Rules> {
  rules: Rules;
  /** The model, once it is loaded; undefined when there is none. */
  model: () => Promise<TextModel | undefined>;
  use: ModelUse;
  /** Told when the model failed and the rules went on without it. */
  onFailure?: (error: unknown) => void;
}

/** Understands with rules and a model. The model never reads what is a request to forget, small talk, or what the rules refuse. */
export class CombinedUnderstander implements Understander {
  readonly #options: CombinedOptions<Understander>;

  constructor(options: CombinedOptions<Understander>) {
    this.#options = options;
  }

  async understand(
    message: string,
    { signal, byModel: mayAsk = true }: UnderstandOptions = {},
  ): Promise<Understanding> {
    const { rules, use } = this.#options;
    const byRules = await rules.understand(message, { signal });
    const isPartly = byRules.kind === 'statement' && byRules.ignored.length > 0;
    const isClear = byRules.kind !== 'unknown' && !isPartly;
    const isRefused = byRules.kind === 'unknown' && byRules.final;
    const isForRules = byRules.kind === 'forget' || byRules.kind === 'smalltalk' || isRefused;
    if (!mayAsk || use === 'rules' || isForRules || (use === 'auto' && isClear)) return byRules;
    const byModel = await withModel(this.#options, signal, (model) =>
      new ModelUnderstander(model).understand(message, signal),
    );
    return byModel ?? byRules;
  }
}

/** Answers with a model where it says all that is to be said, with rules otherwise. */
export class CombinedAnswerer implements Answerer {
  readonly #options: CombinedOptions<Answerer>;

  constructor(options: CombinedOptions<Answerer>) {
    this.#options = options;
  }

  async answer(message: string, understood: Understanding, outcome: Outcome, signal?: AbortSignal): Promise<string> {
    const byModel =
      this.#options.use === 'model'
        ? await withModel(this.#options, signal, (model) =>
            new ModelAnswerer(model).answer(message, understood, outcome, signal),
          )
        : undefined;
    return byModel ?? this.#options.rules.answer(message, understood, outcome, signal);
  }
}

/** What the model makes of it; undefined when there is no model for this, or when it fails. */
async function withModel<T>(
  { model, onFailure }: CombinedOptions<unknown>,
  signal: AbortSignal | undefined,
  use: (model: TextModel) => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    const loaded = await model();
    return loaded && knowsTasks(loaded) ? await use(loaded) : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    onFailure?.(error);
    return undefined;
  }
}
