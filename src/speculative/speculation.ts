import type { VerifyCosts } from './costs.ts';
import type { Draft, DraftOptions, DraftStream } from './draft.ts';
import { NgramIndex } from './ngram.ts';
import { expectedTokens } from './policy.ts';
import type { Source } from './source.ts';
import type { SourceKind, SpeculationStats } from './stats.ts';

/** Tokens for the target to verify. */
export interface Proposal {
  tokens: readonly number[];
  kind: SourceKind | undefined;
  /** Milliseconds that were spent waiting for it. */
  waitMs: number;
}

export interface SpeculationOptions {
  prompt: readonly number[];
  draft: Draft | undefined;
  draftOptions: DraftOptions;
  /** Who proposes, in the order in which they are asked. */
  sources: Partial<Record<SourceKind, Source>>;
  costs: VerifyCosts;
  /** Most tokens to propose; 0 is plain decoding. */
  most: number;
  /** Always this many tokens, or as many as give the most tokens per time. */
  draftTokens: number | 'adaptive';
  /** Below this gain even with a draft that is always right and costs nothing, there is no speculation. */
  minGain: number;
  vocabularySize: number;
  stats: SpeculationStats;
}

/** Every so many rounds one is plain, so that the gain is measured and not believed. */
const PLAIN_EVERY = 50;

/** Proposals for one generation. */
export class Speculation {
  readonly #options: SpeculationOptions;
  /** Tokens that are certain: prompt and output. */
  readonly #tokens: number[];
  readonly #ngram = new NgramIndex();
  #indexed = 0;
  #stream: DraftStream | undefined;
  #committed: number;
  #roundsSincePlain = 0;
  /** It had nothing when it was asked last: it may be reading the prompt. No waiting until it has something. */
  #isDraftBehind = false;
  #lost = false;
  #hopeless = false;

  constructor(options: SpeculationOptions) {
    this.#options = options;
    this.#tokens = options.prompt.slice();
    this.#committed = options.prompt.length;
  }

  /** The draft may read the prompt while the target does. @param most tokens that can be used */
  start(most: number): void {
    const { draft, prompt, draftOptions, sources, costs, draftTokens } = this.#options;
    if (Math.min(most, this.#options.most) < 1) return;
    const isWanted =
      draftTokens === 'adaptive' ? sources.draft?.isOpen && this.#canGain(costs.verifyMs) : draftTokens > 0;
    if (isWanted) this.#stream = draft?.open(prompt, draftOptions);
  }

  /** @param most tokens that can still be used */
  async propose(most: number): Promise<Proposal> {
    const limit = Math.min(most, this.#options.most);
    let waitMs = 0;
    if (limit < 1) return { tokens: [], kind: undefined, waitMs };
    const isAdaptive = this.#options.draftTokens === 'adaptive';
    const verifyMs = this.#options.costs.verifyMs;
    if (isAdaptive && this.#roundsSincePlain >= PLAIN_EVERY) return { tokens: [], kind: undefined, waitMs };
    if (isAdaptive && !this.#canGain(verifyMs)) return { tokens: [], kind: undefined, waitMs };
    for (const [kind, source] of Object.entries(this.#options.sources) as [SourceKind, Source][]) {
      if (isAdaptive && !source.isOpen) continue;
      const { count, budgetMs } = this.#plan(source, verifyMs, limit);
      if (count < 1 || (kind === 'draft' && !this.#isDraftAlive())) continue;
      const started = performance.now();
      const found = kind === 'ngram' ? this.#lookUp(count) : await this.#askDraft(count, budgetMs);
      const tokens = validPrefix(found, count, this.#options.vocabularySize);
      if (kind === 'draft') {
        const waited = performance.now() - started;
        waitMs += waited;
        source.asked(tokens.length, waited);
        this.#isDraftBehind = tokens.length === 0;
      }
      if (tokens.length > 0) return { tokens, kind, waitMs };
    }
    return { tokens: [], kind: undefined, waitMs };
  }

  /** The target has verified a proposal: these tokens are certain now, the first `accepted` of them as proposed. */
  settle(proposal: Proposal, accepted: number, tokens: readonly number[]): void {
    this.#tokens.push(...tokens);
    const { sources, costs } = this.#options;
    this.#roundsSincePlain = proposal.tokens.length === 0 ? 0 : this.#roundsSincePlain + 1;
    if (proposal.kind !== undefined) {
      const verifyMs = costs.verifyMs.slice(0, this.#options.most + 1);
      sources[proposal.kind]?.tested(proposal.tokens.length, accepted, verifyMs);
    }
    for (const source of Object.values(sources)) source.generated(tokens.length);
    // Now, so that the draft can run ahead. One that is not used need not even know.
    if (this.#stream !== undefined && sources.draft?.isOpen) this.#commit(this.#stream);
  }

  close(): void {
    this.#stream?.close();
  }

  #plan(source: Source, verifyMs: readonly number[], limit: number) {
    const { draftTokens } = this.#options;
    if (draftTokens === 'adaptive') return source.plan(verifyMs, limit);
    const count = Math.min(draftTokens, limit);
    return { count, budgetMs: this.#worthMs(verifyMs, count) };
  }

  /** Milliseconds that a proposal of so many tokens can save at most. */
  #worthMs(verifyMs: readonly number[], count: number): number {
    return Math.max(0, expectedTokens(1, count) * (verifyMs[0] ?? 0) - (verifyMs[count] ?? Number.POSITIVE_INFINITY));
  }

  #canGain(verifyMs: readonly number[]): boolean {
    const plainMs = verifyMs[0] ?? 0;
    const gains = verifyMs.slice(1, this.#options.most + 1).map((ms, n) => ((n + 2) * plainMs) / ms);
    const canGain = Math.max(...gains) >= this.#options.minGain;
    if (!canGain && !this.#hopeless) this.#options.stats.fallback('gain');
    this.#hopeless ||= !canGain;
    return canGain;
  }

  #lookUp(count: number): readonly number[] {
    this.#ngram.push(this.#tokens.slice(this.#indexed));
    this.#indexed = this.#tokens.length;
    return this.#ngram.propose(count);
  }

  async #askDraft(count: number, budgetMs: number): Promise<readonly number[]> {
    const { draft, prompt, draftOptions } = this.#options;
    this.#stream ??= draft?.open(prompt, draftOptions);
    if (this.#stream === undefined) return [];
    this.#commit(this.#stream);
    return await this.#stream.propose(count, this.#isDraftBehind ? 0 : budgetMs);
  }

  #commit(stream: DraftStream): void {
    if (this.#committed < this.#tokens.length) stream.commit(this.#tokens.slice(this.#committed));
    this.#committed = this.#tokens.length;
  }

  #isDraftAlive(): boolean {
    const isAlive = this.#stream?.alive ?? true;
    if (!isAlive && !this.#lost) this.#options.stats.fallback('lost');
    this.#lost ||= !isAlive;
    return isAlive;
  }
}

/** What a draft sends is not to be trusted: at most `count` tokens, up to the first that is none. */
function validPrefix(tokens: readonly number[], count: number, vocabularySize: number): readonly number[] {
  const wanted = tokens.slice(0, count);
  const bad = wanted.findIndex((token) => !(Number.isInteger(token) && token >= 0 && token < vocabularySize));
  return bad < 0 ? wanted : wanted.slice(0, bad);
}
