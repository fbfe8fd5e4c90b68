import type { EvaluationCosts } from './costs.ts';
import type { Draft, DraftOptions, DraftStream } from './draft.ts';
import { NgramIndex } from './ngram.ts';
import { expectedTokens, type Plan } from './policy.ts';
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
  costs: EvaluationCosts;
  /** Most tokens to propose; 0 is plain decoding. */
  most: number;
  /** Always this many tokens, or as many as give the most tokens per time. */
  draftTokens: number | 'adaptive';
  /** Below this gain even with a draft that is always right and costs nothing, there is no speculation. */
  minGain: number;
  vocabularySize: number;
  /** What comes after such a token is of no use. */
  isEnd: (token: number) => boolean;
  stats: SpeculationStats;
  /** The time, in milliseconds. */
  now: () => number;
}

/**
 * A draft is opened while the target reads the prompt, which takes longer than reading it takes the draft. Later it would have to read all that
 * was written while the target writes: only where that many tokens were generated.
 */
const LONG = 128;
/** Rounds in which a draft is not waited for: when it begins while the target already writes, and at most. */
const UNWAITED_WHILE_READING = 4;
const LONGEST_UNWAITED = 16;

const NOTHING: Proposal = { tokens: [], kind: undefined, waitMs: 0 };

/** Proposals for one generation. */
export class Speculation {
  readonly #options: SpeculationOptions;
  readonly #sources: readonly (readonly [SourceKind, Source])[];
  /** Those of them that are asked. One that does not pay any more will not do so behind more tokens either. */
  readonly #asked = new Set<Source>();
  readonly #isAdaptive: boolean;
  /** Tokens that are certain: prompt and output. */
  readonly #tokens: number[];
  readonly #ngram = new NgramIndex();
  #indexed = 0;
  #stream: DraftStream | undefined;
  #committed = 0;
  #roundStarted = 0;
  /** Whether the round before was plain on purpose: a draft that runs ahead has come to rest since. */
  #isResting = false;
  /** Whose tokens the round before verified. A plain evaluation behind one of another width takes longer, so does one behind the prompt. */
  #verified: SourceKind | undefined;
  #isFirst = true;
  /**
   * It was waited for in vain, as while it reads the prompt: it is not waited for again in so many rounds, and in twice as many the next
   * time.
   */
  #unwaited = 0;
  #vain = 0;
  #isLost = false;
  readonly #isHopeless: boolean;

  constructor(options: SpeculationOptions) {
    this.#options = options;
    this.#sources = Object.entries(options.sources) as [SourceKind, Source][];
    this.#isAdaptive = options.draftTokens === 'adaptive';
    this.#tokens = options.prompt.slice();
    this.#isHopeless = options.most < 1 || (this.#isAdaptive && !this.#canGain());
    if (this.#isHopeless && options.most > 0) options.stats.fallback('gain');
    if (this.#isHopeless) return;
    const position = this.#tokens.length - 1;
    for (const [, source] of this.#sources) {
      if (!this.#isAdaptive || source.isWorthAsking(source.plan(position, options.most).gain)) this.#asked.add(source);
    }
  }

  /** The draft may read the prompt while the target does. @param most tokens that can be used */
  start(most: number): void {
    const { sources, draftTokens } = this.#options;
    if (this.#isHopeless || most < 1 || draftTokens === 0) return;
    if (sources.draft !== undefined && this.#asked.has(sources.draft)) this.#open();
  }

  /** @param most tokens that can still be used */
  async propose(most: number): Promise<Proposal> {
    const { now } = this.#options;
    this.#roundStarted = now();
    const limit = Math.min(most, this.#options.most);
    if (limit < 1 || this.#asked.size === 0 || this.#isMeasuring) return NOTHING;
    let waitMs = 0;
    for (const [kind, source] of this.#sources) {
      if (!this.#asked.has(source)) continue;
      const { count, gain, budgetMs } = this.#plan(source, limit);
      if (count < 1) continue;
      if (this.#isAdaptive && !source.isWorthAsking(gain)) {
        this.#asked.delete(source);
        continue;
      }
      const asked = now();
      const isWaitedFor = this.#unwaited === 0;
      const found = kind === 'ngram' ? this.#lookUp(count) : await this.#askDraft(count, budgetMs);
      if (found === undefined) continue;
      const tokens = this.#usable(found, count);
      if (kind === 'draft') {
        const waited = now() - asked;
        waitMs += waited;
        source.asked(found.length, waited, isWaitedFor);
      }
      if (tokens.length > 0) return { tokens, kind, waitMs };
    }
    return waitMs > 0 ? { ...NOTHING, waitMs } : NOTHING;
  }

  /** The target has verified a proposal: these tokens are certain now, the first `accepted` of them as proposed. */
  settle(proposal: Proposal, accepted: number, tokens: readonly number[]): void {
    const { sources, costs, most, now } = this.#options;
    const position = this.#tokens.length - 1;
    for (const token of tokens) this.#tokens.push(token);
    const isMeasured = this.#isMeasuring;
    const before = this.#verified;
    this.#verified = proposal.kind;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    // Now, so that the draft can run ahead.
    if (this.#stream !== undefined && !isMeasured) this.#commit(this.#stream);
    const ms = now() - this.#roundStarted;
    if (proposal.kind !== undefined) {
      const round = { position, most, roundMs: ms, waitMs: proposal.waitMs };
      sources[proposal.kind]?.tested(proposal.tokens.length, accepted, round);
    } else if (before !== undefined || (this.#stream !== undefined && !isMeasured)) {
      // Behind another width, or it waited for a draft that had nothing, or was slowed by one that was at work.
      const reason = this.#stream === undefined ? 'gain' : 'slow';
      sources[before ?? 'draft']?.spent(ms, tokens.length, position, reason);
    } else if (!isFirst && (this.#stream === undefined || this.#isResting)) {
      costs.observePlain(position, ms);
    }
    this.#isResting = isMeasured;
    costs.generated(tokens.length);
    for (const [, source] of this.#sources) {
      source.generated(tokens.length);
      if (source.isOpen && !this.#isHopeless) this.#asked.add(source);
    }
    if (sources.draft !== undefined && !this.#asked.has(sources.draft)) this.#closeStream();
  }

  close(): void {
    this.#closeStream();
  }

  /** Plain decoding is measured now and then, so that the gain is known and not believed. */
  get #isMeasuring(): boolean {
    return this.#isAdaptive && this.#options.costs.isStale;
  }

  #plan(source: Source, limit: number): Plan {
    const { draftTokens, costs } = this.#options;
    const position = this.#tokens.length - 1;
    if (draftTokens === 'adaptive') return source.plan(position, limit);
    const count = Math.min(draftTokens, limit);
    const worthMs = expectedTokens(1, count) * costs.ms(1, position);
    const verifyMs = costs.ms(count + 1, position);
    return { count, gain: worthMs / verifyMs, budgetMs: Math.max(0, worthMs - verifyMs) };
  }

  /** Whether a draft that is always right and costs nothing would be of use. */
  #canGain(): boolean {
    const { costs, most, minGain } = this.#options;
    const position = this.#tokens.length - 1;
    const plainMs = costs.ms(1, position);
    for (let count = 1; count <= Math.min(most, costs.widest - 1); count++) {
      if (((count + 1) * plainMs) / costs.ms(count + 1, position) >= minGain) return true;
    }
    return false;
  }

  #lookUp(count: number): readonly number[] {
    this.#ngram.push(this.#tokens.slice(this.#indexed));
    this.#indexed = this.#tokens.length;
    return this.#ngram.propose(count);
  }

  /** @returns undefined when there is no draft, or none any more */
  async #askDraft(count: number, budgetMs: number): Promise<readonly number[] | undefined> {
    if (this.#stream === undefined && !this.#isLost && this.#isLong) {
      this.#open();
      // It has to read all that was written.
      this.#unwaited = UNWAITED_WHILE_READING;
    }
    if (this.#stream?.alive === false) this.#lose();
    if (this.#stream === undefined) return undefined;
    this.#commit(this.#stream);
    const waitMs = this.#unwaited > 0 ? 0 : budgetMs;
    const found = await this.#stream.propose(count, waitMs);
    if (found.length > 0) this.#unwaited = this.#vain = 0;
    else if (this.#unwaited > 0) this.#unwaited--;
    else this.#unwaited = this.#vain = Math.min(LONGEST_UNWAITED, Math.max(1, 2 * this.#vain));
    return found;
  }

  /** Whether so much was written that a draft may be opened that was not from the start. */
  get #isLong(): boolean {
    return !this.#isAdaptive || this.#tokens.length - this.#options.prompt.length >= LONG;
  }

  #open(): void {
    const { draft, draftOptions, sources, now } = this.#options;
    const started = now();
    this.#stream = draft?.open(this.#tokens, draftOptions);
    this.#committed = this.#tokens.length;
    sources.draft?.spent(now() - started, 0, this.#tokens.length - 1);
  }

  #closeStream(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.#unwaited = this.#vain = 0;
  }

  #commit(stream: DraftStream): void {
    if (this.#committed < this.#tokens.length) stream.commit(this.#tokens.slice(this.#committed));
    this.#committed = this.#tokens.length;
  }

  #lose(): void {
    this.#options.stats.fallback('lost');
    this.#isLost = true;
    this.#closeStream();
  }

  /**
   * What a draft sends is not to be trusted: at most `count` tokens, up to the first that is none. An end is not verified: the target
   * says itself whether the text ends there, in the row before it.
   */
  #usable(tokens: readonly number[], count: number): readonly number[] {
    const { vocabularySize, isEnd } = this.#options;
    const isUseless = (token: number) =>
      !(Number.isInteger(token) && token >= 0 && token < vocabularySize) || isEnd(token);
    const wanted = tokens.slice(0, count);
    const first = wanted.findIndex(isUseless);
    return first < 0 ? wanted : wanted.slice(0, first);
  }
}
