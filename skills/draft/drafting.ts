import { leftOf } from 'phoenix/drafting';
import { type DraftCall, type Drafter, type DraftSession, type DraftSettings, SkillError } from 'phoenix/skill';

/** How the token after others is chosen. */
export type Sampler = Pick<DraftSettings, 'seed' | 'temperature' | 'topK' | 'topP' | 'minP'>;

/** One sequence of tokens in a model's memory. Calls never overlap. */
export interface DraftSequence {
  /** Appends tokens. */
  read(tokens: readonly number[]): Promise<void>;
  /**
   * Appends tokens, and perhaps something behind them that is to be forgotten.
   *
   * @param count tokens to choose, as many as the model can in one evaluation at most
   * @returns its choice of the tokens that follow, from `position` on
   */
  next(tokens: readonly number[], sampler: Sampler, position: number, count: number): Promise<readonly number[]>;
  /** Forgets all tokens from this length on. */
  rollBack(length: number): Promise<void>;
}

/** A model as drafting needs it. */
export interface DraftModel {
  readonly name: string;
  /** Digest of the token texts. */
  readonly vocabularyHash: string;
  readonly vocabularySize: number;
  /** Tokens that a sequence can hold. */
  readonly contextSize: number;
  /** Tokens that it can choose in one evaluation, at most. */
  readonly atOnce: number;
  /** As many generations can be drafted for at once. */
  readonly sequences: readonly DraftSequence[];
}

/** Tokens of a prompt that are read together: a stream that ends meanwhile gives its sequence back after these. */
const PREFILL_CHUNK = 256;
/**
 * How long a token may be kept so that others travel with it, in milliseconds: a message costs its reader about a tenth of that. A
 * model that takes longer for a token sends each at once.
 */
const HOLD_MS = 0.5;

/** A sequence, and what its memory is known to begin with. */
interface Slot {
  readonly sequence: DraftSequence;
  memory: readonly number[];
}

/** Drafts with a model: as many generations at once as it has sequences. */
export class ModelDrafter implements Drafter {
  readonly model: string;
  readonly vocabularyHash: string;
  readonly vocabularySize: number;
  readonly contextSize: number;
  readonly #atOnce: number;
  readonly #slots: readonly Slot[];
  readonly #free: Set<Slot>;

  constructor({ name, vocabularyHash, vocabularySize, contextSize, atOnce, sequences }: DraftModel) {
    this.model = name;
    this.vocabularyHash = vocabularyHash;
    this.vocabularySize = vocabularySize;
    this.contextSize = contextSize;
    this.#atOnce = atOnce;
    this.#slots = sequences.map((sequence) => ({ sequence, memory: [] }));
    this.#free = new Set(this.#slots);
  }

  /** @throws SkillError RESOURCE_EXHAUSTED when every sequence is in use */
  open(settings: DraftSettings, call: DraftCall): DraftSession {
    // Conversations grow: the next prompt often begins as one before it did.
    const [slot] = [...this.#free].sort(
      (a, b) => commonLength(b.memory, settings.prompt) - commonLength(a.memory, settings.prompt),
    );
    if (!slot) {
      throw new SkillError(
        'RESOURCE_EXHAUSTED',
        `the model drafts for ${this.#slots.length} generations already, which is all that it has memory for`,
      );
    }
    this.#free.delete(slot);
    return new Drafting(slot, this.#atOnce, this.contextSize, settings, call, () => this.#free.add(slot));
  }

  /** Resolves when the model does nothing any more; to be called when all streams have ended. */
  async idle(): Promise<void> {
    while (this.#free.size < this.#slots.length) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Drafts for one generation, ahead of what is certain. */
class Drafting implements DraftSession {
  readonly #slot: Slot;
  readonly #atOnce: number;
  readonly #contextSize: number;
  readonly #settings: DraftSettings;
  readonly #call: DraftCall;
  readonly #onRelease: () => void;
  /** Tokens that are certain, and behind them those that are proposed. */
  readonly #tokens: number[];
  #certain: number;
  /** How many of the tokens are in the model's memory. What it holds behind them is something else. */
  #evaluated: number;
  #isWorking = false;
  /** How many of the tokens were sent, or were certain before they could be. */
  #sent: number;
  /** When the first of those that are kept was drafted, by performance.now(). */
  #heldSince: number | undefined;

  constructor(
    slot: Slot,
    atOnce: number,
    contextSize: number,
    settings: DraftSettings,
    call: DraftCall,
    onRelease: () => void,
  ) {
    this.#slot = slot;
    this.#atOnce = atOnce;
    this.#contextSize = contextSize;
    this.#settings = settings;
    this.#call = call;
    this.#onRelease = onRelease;
    this.#tokens = settings.prompt.slice();
    this.#certain = this.#tokens.length;
    this.#sent = this.#certain;
    // The last token is read again: what follows it was not kept.
    this.#evaluated = Math.min(commonLength(slot.memory, this.#tokens), this.#tokens.length - 1);
    call.signal.addEventListener('abort', () => this.#release(), { once: true });
    this.#goOn();
  }

  commit(tokens: readonly number[]): void {
    const wrong = tokens.findIndex((token, n) => this.#tokens[this.#certain + n] !== token);
    if (wrong >= 0) {
      this.#tokens.length = Math.min(this.#tokens.length, this.#certain + wrong);
      for (const token of tokens.slice(wrong)) this.#tokens.push(token);
      this.#evaluated = Math.min(this.#evaluated, this.#certain + wrong);
      this.#heldSince = undefined;
    }
    this.#certain += tokens.length;
    this.#sent = wrong >= 0 ? this.#certain : Math.max(this.#sent, this.#certain);
    this.#goOn();
  }

  /** Tokens that are still to be drafted. */
  get #missing(): number {
    const { length } = this.#tokens;
    return Math.min(this.#certain + this.#settings.runAhead, this.#contextSize) - length;
  }

  get #isWanting(): boolean {
    return !this.#call.signal.aborted && this.#missing > 0;
  }

  #goOn(): void {
    if (!this.#isWorking && this.#isWanting) void this.#draft();
  }

  /** Drafts as far ahead as is wanted. What is certain may change while the model works. */
  async #draft(): Promise<void> {
    this.#isWorking = true;
    try {
      // Not before the stream is open.
      await Promise.resolve();
      while (this.#isWanting) await this.#step();
    } catch (error) {
      this.#evaluated = 0;
      this.#call.fail(error);
    } finally {
      this.#isWorking = false;
      if (this.#call.signal.aborted) this.#release();
    }
  }

  async #step(): Promise<void> {
    const { sequence } = this.#slot;
    const from = this.#evaluated;
    const { length } = this.#tokens;
    const to = Math.min(length, from + PREFILL_CHUNK);
    const input = this.#tokens.slice(from, to);
    const started = performance.now();
    // What is about to be in memory; if some of it turns out wrong meanwhile, commit() says from where on.
    this.#evaluated = to;
    await sequence.rollBack(from);
    if (to < length) return await sequence.read(input);
    const tokens = await sequence.next(input, this.#settings, to, Math.min(this.#atOnce, this.#missing));
    if (this.#call.signal.aborted || this.#evaluated !== to) return;
    const left = leftOf(tokens, this.#tokens.slice(to));
    if (left.length === 0) return;
    this.#tokens.push(...left);
    this.#propose(performance.now() - started);
  }

  /** Sends what was drafted, now or, where tokens come one by one, with the next, which takes about as long as this one. */
  #propose(tokenMs: number): void {
    const now = performance.now();
    this.#heldSince ??= now;
    if (this.#atOnce === 1 && this.#isWanting && now + tokenMs - this.#heldSince < HOLD_MS) return;
    this.#heldSince = undefined;
    const from = this.#sent;
    this.#sent = this.#tokens.length;
    this.#call.propose(from, this.#tokens.slice(from));
  }

  #release(): void {
    if (this.#isWorking) return;
    this.#slot.memory = this.#tokens.slice(0, this.#evaluated);
    this.#onRelease();
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}
