import type { Draft, DraftOptions, DraftStream } from './draft.ts';
import { leftOf, masks } from './parallel.ts';
import { Progress } from './progress.ts';
import { choose, type SamplerSettings } from './sampler.ts';
import type { Target, TargetSequence } from './target.ts';

export interface LocalDraftOptions {
  name?: string;
  /**
   * Tokens to draft beyond what was asked for, while the target verifies. They are of use when all that was proposed turns out right,
   * and take a processor of their own: 0 where there is none to spare.
   */
  runAhead?: number;
}

/** A small model of the same vocabulary, in this process. */
export class LocalDraft implements Draft {
  readonly name: string;
  readonly #model: Target;
  readonly #runAhead: number;

  /** @param model stays the caller's to dispose, when all generations have ended */
  constructor(model: Target, { name = 'local', runAhead = 0 }: LocalDraftOptions = {}) {
    this.name = name;
    this.#model = model;
    this.#runAhead = runAhead;
  }

  open(prompt: readonly number[], options: DraftOptions): LocalDraftStream {
    return new LocalDraftStream(this.#model, prompt, options, this.#runAhead);
  }
}

class LocalDraftStream implements DraftStream {
  readonly #model: Target;
  readonly #settings: SamplerSettings;
  readonly #runAhead: number;
  readonly #closing = new AbortController();
  /** Tokens that are certain, and behind them those that are proposed. */
  readonly #tokens: number[];
  #certain: number;
  /** How many of the tokens are in the model's memory. What it holds behind them is wrong. */
  #evaluated = 0;
  /** Proposed tokens that are wanted. */
  #wanted = 0;
  #sequence: TargetSequence | undefined;
  #isWorking = false;
  #isAlive: boolean;
  readonly #progress = new Progress();

  constructor(model: Target, prompt: readonly number[], options: DraftOptions, runAhead: number) {
    this.#model = model;
    this.#settings = options;
    this.#runAhead = runAhead;
    this.#tokens = prompt.slice();
    this.#certain = prompt.length;
    this.#isAlive = model.canRollBack && options.vocabularyHash === model.vocabularyHash;
    // Reads the prompt.
    if (this.#isAlive) void this.#draft();
  }

  get alive(): boolean {
    return this.#isAlive;
  }

  commit(tokens: readonly number[]): void {
    const wrong = tokens.findIndex((token, n) => this.#tokens[this.#certain + n] !== token);
    if (wrong >= 0) {
      this.#tokens.splice(this.#certain + wrong, this.#tokens.length, ...tokens.slice(wrong));
      this.#evaluated = Math.min(this.#evaluated, this.#certain + wrong);
    }
    this.#certain += tokens.length;
    this.#want(0);
  }

  async propose(count: number, waitMs: number): Promise<readonly number[]> {
    this.#want(count);
    const deadline = performance.now() + waitMs;
    while (this.#isAlive && this.#tokens.length - this.#certain < count && performance.now() < deadline) {
      await this.#progress.until(deadline);
    }
    // What is missing is drafted all the same, while the target goes on alone.
    return this.#isAlive ? this.#tokens.slice(this.#certain, this.#certain + count) : [];
  }

  close(): void {
    this.#die();
    if (!this.#isWorking) this.#release();
  }

  #want(count: number): void {
    this.#wanted = Math.max(this.#runAhead, count);
    if (this.#isAlive && !this.#isWorking && this.#isWanting) void this.#draft();
  }

  get #isWanting(): boolean {
    return this.#isAlive && this.#tokens.length - this.#certain < this.#wanted;
  }

  /** Tokens to draft in one evaluation: what is wanted, as far as the model can and has room. */
  get #atOnce(): number {
    const { parallel, contextSize } = this.#model;
    const { length } = this.#tokens;
    return Math.min(parallel?.tokens ?? 1, this.#certain + this.#wanted - length, contextSize - length);
  }

  /** Drafts until there is what is wanted. What is certain may change while the model works. */
  async #draft(): Promise<void> {
    this.#isWorking = true;
    try {
      const sequence = this.#sequence ?? (await this.#begin());
      while (this.#isWanting) {
        if (this.#tokens.length >= this.#model.contextSize) throw new Error('the context of the draft is full');
        const from = this.#evaluated;
        const length = this.#tokens.length;
        // What is about to be in memory; if it turns out wrong meanwhile, commit() says from where on.
        this.#evaluated = length;
        const count = this.#atOnce;
        const input = [...this.#tokens.slice(from), ...masks(this.#model.parallel, count)];
        await sequence.rollBack(from);
        const rows = await sequence.evaluate(input, { settings: this.#settings, rows: count });
        const drafted = rows.map((row, n) => choose(row, this.#settings, length + n));
        if (this.#evaluated === length) this.#tokens.push(...leftOf(drafted, this.#tokens.slice(length)));
        this.#progress.report();
      }
    } catch {
      // It no longer helps, whatever the reason; the target goes on alone.
      this.#die();
    } finally {
      this.#isWorking = false;
      if (!this.#isAlive) this.#release();
    }
  }

  async #begin(): Promise<TargetSequence> {
    this.#sequence = await this.#model.acquire(this.#closing.signal);
    const prompt = this.#tokens.slice(0, -1);
    this.#evaluated = prompt.length;
    await this.#sequence.prefill(prompt, this.#closing.signal);
    return this.#sequence;
  }

  #die(): void {
    this.#isAlive = false;
    this.#closing.abort();
    this.#progress.report();
  }

  #release(): void {
    this.#sequence?.release();
    this.#sequence = undefined;
  }
}
