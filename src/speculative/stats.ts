import type { GateReason } from './policy.ts';

/** Where a token came from. `corrected`: the target chose another one than was proposed. `target`: nothing was proposed. */
export type Origin = 'target' | 'draft' | 'ngram' | 'corrected';

/** Who proposes. */
export type SourceKind = 'draft' | 'ngram';

/** Why tokens were generated without speculation. */
export type FallbackReason =
  | GateReason
  /** The draft died or refused the vocabulary. */
  | 'lost'
  /** The grammar is applied by node-llama-cpp, which cannot check several tokens at once. */
  | 'grammar'
  /** Other batch widths than 1 change the logits of this model, and the text must not change. */
  | 'inexact'
  /** The model cannot forget tokens that were wrong. */
  | 'rollback';

interface SourceCounts {
  /** Tokens proposed and evaluated. */
  drafted: number;
  accepted: number;
  /** Proposed tokens up to the first wrong one of their round. */
  tested: number;
  /** Rounds that evaluated proposed tokens. */
  rounds: number;
  /** Rounds in which it was asked and had nothing. */
  empty: number;
  /** Time that the target waited for proposals, in milliseconds. */
  waitMs: number;
}

/** What the decoder counted since it was made. */
export interface SpeculationSnapshot {
  sources: Record<string, SourceCounts & { kind: SourceKind; task: string; acceptanceRate: number | undefined }>;
  /** Tokens generated, by origin. */
  tokens: Record<Origin, number>;
  /** Evaluations of the target that had proposed tokens in them, and those that had none. */
  verifyCalls: number;
  plainCalls: number;
  /** Tokens that an evaluation with proposed tokens gave on average. */
  tokensPerVerify: number | undefined;
  /** How often speculation ended or was not begun, by reason. */
  fallbacks: Partial<Record<FallbackReason, number>>;
  /** Tokens per time of recent rounds with proposals, waiting included, relative to recent plain ones; undefined until there are both. */
  gain: number | undefined;
  /** Tokens per second of recent plain rounds: what there would be without proposals; undefined until there were some. */
  plainTokensPerSecond: number | undefined;
}

/** Counts what happens. */
export class SpeculationStats {
  readonly #sources = new Map<string, SourceCounts & { kind: SourceKind; task: string }>();
  readonly #tokens: Record<Origin, number> = { target: 0, draft: 0, ngram: 0, corrected: 0 };
  readonly #fallbacks: Partial<Record<FallbackReason, number>> = {};
  #verifyCalls = 0;
  #plainCalls = 0;
  #verifyTokens = 0;
  /** Recent means, of rounds with proposals and of plain ones. */
  readonly #roundMs = new RecentMean();
  readonly #roundTokens = new RecentMean();
  readonly #plainMs = new RecentMean();

  source(name: string, kind: SourceKind, task: string): SourceCounts {
    const key = `${name}/${task}`;
    const counts = this.#sources.get(key) ?? {
      ...{ kind, task, drafted: 0, accepted: 0, tested: 0, rounds: 0, empty: 0, waitMs: 0 },
    };
    this.#sources.set(key, counts);
    return counts;
  }

  token(origin: Origin): void {
    this.#tokens[origin]++;
  }

  /** A round that evaluated `width` tokens and gave `tokens`. */
  round(width: number, tokens: number, evaluateMs: number, waitMs: number): void {
    if (width === 1) {
      this.#plainCalls++;
      this.#plainMs.add(evaluateMs);
    } else {
      this.#verifyCalls++;
      this.#verifyTokens += tokens;
      this.#roundMs.add(evaluateMs + waitMs);
      this.#roundTokens.add(tokens);
    }
  }

  fallback(reason: FallbackReason): void {
    this.#fallbacks[reason] = (this.#fallbacks[reason] ?? 0) + 1;
  }

  snapshot(): SpeculationSnapshot {
    return {
      sources: Object.fromEntries(
        Array.from(this.#sources, ([key, counts]) => [
          key,
          { ...counts, acceptanceRate: counts.tested > 0 ? counts.accepted / counts.tested : undefined },
        ]),
      ),
      tokens: { ...this.#tokens },
      verifyCalls: this.#verifyCalls,
      plainCalls: this.#plainCalls,
      tokensPerVerify: this.#verifyCalls > 0 ? this.#verifyTokens / this.#verifyCalls : undefined,
      fallbacks: { ...this.#fallbacks },
      gain:
        this.#plainCalls > 0 && this.#verifyCalls > 0
          ? (this.#roundTokens.mean * this.#plainMs.mean) / this.#roundMs.mean
          : undefined,
      plainTokensPerSecond: this.#plainMs.mean > 0 ? 1000 / this.#plainMs.mean : undefined,
    };
  }
}

/** Mean of about the last 64 values; one that is far off counts as four times the mean. */
class RecentMean {
  mean = 0;
  #count = 0;

  add(value: number): void {
    this.#count++;
    const limited = this.#count > 1 ? Math.min(value, 4 * this.mean) : value;
    this.mean += Math.max(1 / this.#count, 1 / 64) * (limited - this.mean);
  }
}
