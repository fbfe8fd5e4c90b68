import type { LlamaGrammar } from 'node-llama-cpp';
import { EvaluationCosts } from './costs.ts';
import type { Draft } from './draft.ts';
import { GATE_LIMITS, type GateLimits } from './policy.ts';
import type { SpeculationProfile } from './probe.ts';
import { checkSampler, choose, hasPenalties, PENALTY_WINDOW, type SamplerSettings } from './sampler.ts';
import { Source } from './source.ts';
import { Speculation } from './speculation.ts';
import { type FallbackReason, type Origin, type SourceKind, SpeculationStats } from './stats.ts';
import { ContextOverflowError, type Target, type TargetSequence } from './target.ts';
import { TextStream } from './text-stream.ts';

/**
 * `exact`: the text is what the target alone would write, to the letter: only batch widths are used whose bits are those of width 1.
 * `distribution`: any width; where rounding differs between widths another, equally likely text may come out. `off`: no speculation.
 */
export type SpeculationMode = 'exact' | 'distribution' | 'off';

export interface DecoderOptions {
  target: Target;
  /** What was measured of the target. */
  profile: SpeculationProfile;
  mode?: SpeculationMode;
  draft?: Draft;
  /** Whether to propose what followed the same words before. */
  ngram?: boolean;
  /** Tokens to propose in each round; by default as many as give the most tokens per time. */
  draftTokens?: number | 'adaptive';
  limits?: Partial<GateLimits>;
  /** The time by which gains are measured, in milliseconds. */
  now?: () => number;
}

export interface GenerateSettings extends SamplerSettings {
  /** By default what fits into the context. */
  maxTokens?: number;
  /** Generation ends where one of these texts would begin. */
  stop?: readonly string[];
  /** What the text must look like. Such a generation uses no speculation. */
  grammar?: LlamaGrammar;
  /** Whether tokens come with their probability; not those of a grammar. */
  confidence?: boolean;
  /** Acceptance is measured for each kind of task. */
  task?: string;
}

/** `end`: the model ended it; `stop`: a stop sequence came; `length`: maxTokens were generated. */
export type FinishReason = 'end' | 'stop' | 'length';

export interface GeneratedToken {
  token: number;
  origin: Origin;
  /** Text that is certain now; empty while a character is incomplete or a stop sequence may have begun. */
  text: string;
  /** How probable the model found it among its candidates, 0 to 1. */
  confidence?: number;
  /** Set on the last token. */
  finish?: FinishReason;
}

/**
 * Generates text with a target model and, when it pays, with proposals that the target verifies several at a time. The text is a
 * function of target, settings, seed and prompt: who proposes what, how fast and for how long can change the time alone.
 */
export class SpeculativeDecoder {
  readonly stats = new SpeculationStats();
  readonly #options: DecoderOptions;
  readonly #limits: GateLimits;
  readonly #costs: EvaluationCosts;
  readonly #sources = new Map<string, Source>();
  readonly #now: () => number;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#limits = { ...GATE_LIMITS, ...options.limits };
    this.#costs = new EvaluationCosts(options.profile);
    this.#now = options.now ?? (() => performance.now());
  }

  /**
   * Generates until the model ends, a stop sequence comes or maxTokens are there. Leaving the loop early, or aborting the signal,
   * stops it; several may run at once.
   * @throws RangeError when a setting is out of range, ContextOverflowError when prompt and maxTokens do not fit, the signal's reason
   */
  generate(
    prompt: readonly number[],
    settings: GenerateSettings,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<GeneratedToken, void, undefined> {
    const { target } = this.#options;
    checkSampler(settings);
    const isToken = (token: number) => Number.isInteger(token) && token >= 0 && token < target.vocabularySize;
    if (prompt.length === 0 || !prompt.every(isToken)) {
      throw new RangeError(`the prompt must be tokens of the model, one at least`);
    }
    const maxTokens = settings.maxTokens ?? Math.max(1, target.contextSize - prompt.length);
    if (!Number.isSafeInteger(maxTokens) || maxTokens < 1) {
      throw new RangeError(`maxTokens must be a whole number from 1, not ${maxTokens}`);
    }
    if (prompt.length + maxTokens > target.contextSize) {
      throw new ContextOverflowError(
        `a prompt of ${prompt.length} tokens and ${maxTokens} to generate do not fit into a context of ${target.contextSize}: ` +
          `shorten the prompt or ask for fewer`,
      );
    }
    const text = new TextStream((tokens, before) => target.detokenize(tokens, before), settings.stop ?? []);
    return this.#run(new Output(target, prompt, maxTokens, text), settings, signal);
  }

  /** How many of the proposed tokens are what the target chooses; `choiceAt(n)` is its choice after the first n of them. */
  protected accepted(proposed: readonly number[], choiceAt: (n: number) => number): number {
    let accepted = 0;
    while (accepted < proposed.length && choiceAt(accepted) === proposed[accepted]) accepted++;
    return accepted;
  }

  async *#run(output: Output, settings: GenerateSettings, signal: AbortSignal | undefined) {
    const sequence = await this.#options.target.acquire(signal);
    let speculation: Speculation | undefined;
    try {
      if (settings.grammar !== undefined) {
        await sequence.prefill(output.tokens.slice(0, -1), signal);
        yield* this.#constrained(sequence, output, settings, settings.grammar, signal);
        return;
      }
      speculation = this.#speculation(output.tokens.slice(), settings);
      speculation.start(output.left - 1);
      await sequence.prefill(output.tokens.slice(0, -1), signal);
      while (!output.isFinished) {
        signal?.throwIfAborted();
        yield* await this.#round(sequence, output, settings, speculation);
      }
    } finally {
      speculation?.close();
      sequence.release();
    }
  }

  /** One evaluation of the target. @returns the tokens that it gave */
  async #round(sequence: TargetSequence, output: Output, settings: GenerateSettings, speculation: Speculation) {
    const proposal = await speculation.propose(output.left - 1);
    const proposed = proposal.tokens;
    const base = output.tokens.length;
    const started = this.#now();
    const rows = await sequence.evaluate([...output.tokens.slice(-1), ...proposed], {
      settings,
      rows: 'all',
      confidence: settings.confidence,
      punished: hasPenalties(settings)
        ? (n) => [...output.generated(PENALTY_WINDOW), ...proposed.slice(0, n)].slice(-PENALTY_WINDOW)
        : undefined,
    });
    const chosen: number[] = [];
    const choiceAt = (n: number) => {
      chosen[n] ??= choose(rows[n] ?? {}, settings, base + n);
      return chosen[n];
    };
    const accepted = this.accepted(proposed, choiceAt);
    const tokens = [...proposed.slice(0, accepted), choiceAt(accepted)];
    await sequence.rollBack(base + accepted);
    const evaluateMs = this.#now() - started;
    this.stats.round(proposed.length + 1, tokens.length, evaluateMs, proposal.waitMs);
    speculation.settle(proposal, accepted, tokens);
    const last: Origin = accepted < proposed.length ? 'corrected' : 'target';
    const probability = (n: number) => rows[n]?.probabilities?.get(tokens[n] ?? -1) ?? rows[n]?.confidence;
    return this.#emit(
      output,
      tokens,
      (n) => (n < accepted ? (proposal.kind ?? 'target') : last),
      settings.confidence ? probability : () => undefined,
    );
  }

  async *#constrained(
    sequence: TargetSequence,
    output: Output,
    settings: GenerateSettings,
    grammar: LlamaGrammar,
    signal: AbortSignal | undefined,
  ) {
    if (this.#options.mode !== 'off') this.stats.fallback('grammar');
    const last = output.tokens.at(-1) ?? 0;
    for await (const token of sequence.constrained(last, settings, grammar, () => output.generated(PENALTY_WINDOW))) {
      signal?.throwIfAborted();
      yield* this.#emit(
        output,
        [token],
        () => 'target',
        () => undefined,
      );
      if (output.isFinished) return;
      signal?.throwIfAborted();
    }
  }

  /** The tokens up to the one that finishes the generation, if one does. */
  #emit(
    output: Output,
    tokens: readonly number[],
    originOf: (n: number) => Origin,
    confidenceOf: (n: number) => number | undefined,
  ): GeneratedToken[] {
    const emitted: GeneratedToken[] = [];
    for (const [n, token] of tokens.entries()) {
      if (output.isFinished) break;
      const origin = originOf(n);
      this.stats.token(origin);
      const confidence = confidenceOf(n);
      emitted.push({ token, origin, ...(confidence === undefined ? {} : { confidence }), ...output.push(token) });
    }
    return emitted;
  }

  #speculation(prompt: readonly number[], settings: GenerateSettings): Speculation {
    const { target, profile, mode = 'exact', draft, ngram = true, draftTokens = 'adaptive' } = this.#options;
    const { seed, temperature, topK, topP, minP, task = 'any' } = settings;
    const width = mode === 'exact' ? profile.exactWidth : profile.verifyMs.length;
    let most = Math.max(0, width - 1);
    const without: FallbackReason | undefined = target.canRollBack ? (most === 0 ? 'inexact' : undefined) : 'rollback';
    if (mode === 'off' || without !== undefined) most = 0;
    if (mode !== 'off' && without !== undefined) this.stats.fallback(without);
    return new Speculation({
      prompt,
      draft,
      draftOptions: { seed, temperature, topK, topP, minP, vocabularyHash: target.vocabularyHash },
      sources: {
        ...(ngram && { ngram: this.#source('ngram', 'ngram', task) }),
        ...(draft !== undefined && { draft: this.#source(draft.name, 'draft', task) }),
      },
      costs: this.#costs,
      most,
      draftTokens,
      minGain: this.#limits.minGain,
      vocabularySize: target.vocabularySize,
      isEnd: (token) => target.isEndOfGeneration(token),
      stats: this.stats,
      now: this.#now,
    });
  }

  #source(name: string, kind: SourceKind, task: string): Source {
    const key = JSON.stringify([name, task]);
    const source = this.#sources.get(key) ?? new Source(name, kind, task, this.#costs, this.stats, this.#limits);
    this.#sources.set(key, source);
    return source;
  }
}

/** What was generated so far. */
class Output {
  /** Prompt and output. */
  readonly tokens: number[];
  readonly #target: Target;
  readonly #promptLength: number;
  readonly #maxTokens: number;
  readonly #text: TextStream;
  isFinished = false;

  constructor(target: Target, prompt: readonly number[], maxTokens: number, text: TextStream) {
    this.tokens = prompt.slice();
    this.#target = target;
    this.#promptLength = prompt.length;
    this.#maxTokens = maxTokens;
    this.#text = text;
  }

  /** Tokens that may still come. */
  get left(): number {
    return this.#promptLength + this.#maxTokens - this.tokens.length;
  }

  /** The last tokens of the output, at most so many. */
  generated(most: number): number[] {
    return this.tokens.slice(Math.max(this.#promptLength, this.tokens.length - most));
  }

  push(token: number): { text: string; finish?: FinishReason } {
    this.tokens.push(token);
    if (this.#target.isEndOfGeneration(token)) return this.#finish('end', this.#text.flush());
    const { text, stopped } = this.#text.push(token);
    if (stopped) return this.#finish('stop', text);
    // What was held back may yet show to hold a stop sequence.
    return this.left === 0 ? this.#finish('length', text + this.#text.flush()) : { text };
  }

  #finish(finish: FinishReason, text: string) {
    this.isFinished = true;
    return { text, finish };
  }
}
