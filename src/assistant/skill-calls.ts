import type { Language } from '../language/index.ts';
import { type ModelPool, SkillCallError } from '../pool/index.ts';
import type { SkillScore } from '../router/index.ts';
import { TRANSLATIONS } from './skill-requests.ts';

/** Tokens that a skill which generates may write, when the request says nothing. */
const DEFAULT_MAX_TOKENS = 512;

/** A skill that a request was routed to, and what came of it. */
export interface SkillUse {
  skill: string;
  /** How sure the router was, 0 to 1. */
  score: number;
  /** `unused`: the assistant works with it itself and had no use for it, or the message lacks what it needs. */
  status: 'answered' | 'failed' | 'unused';
  /** gRPC status of a call that failed, and why it did. */
  code?: string;
  error?: string;
  latencyMs?: number;
}

/** What a skill answered. */
export interface SkillAnswer extends SkillUse {
  text: string;
  /** What the message lacks. */
  missing?: Record<Language, string>;
}

export interface SkillCallsOptions {
  pool: ModelPool;
  /** How long the skills of one request may take together, launches included, in milliseconds. */
  deadlineMs: number;
}

/** Calls the skills that a request was routed to. */
export class SkillCalls {
  readonly #options: SkillCallsOptions;

  constructor(options: SkillCallsOptions) {
    this.#options = options;
  }

  /** Whether a skill would answer without a launch. */
  isReady(skill: string): boolean {
    return this.#options.pool.client(skill).isConnected;
  }

  /** Whether a message is itself a request of a skill that the assistant works with otherwise. */
  takes(skill: string, text: string): boolean {
    const prepared = translationOf(skill)?.prepare(text);
    return prepared !== undefined && 'prompt' in prepared;
  }

  /**
   * Calls all that are to be called at once, launching those that do not run. What fails or is too late does not keep the others.
   *
   * @returns an outcome for each that was called, in the order of the routing; never rejects
   */
  async call(
    text: string,
    chosen: readonly SkillScore[],
    maxTokens = DEFAULT_MAX_TOKENS,
    signal?: AbortSignal,
  ): Promise<SkillAnswer[]> {
    const calls = chosen.map(async ({ skill, score }): Promise<SkillAnswer[]> => {
      const translation = translationOf(skill);
      if (!translation) return [await this.#call({ skill, score }, { prompt: text, maxTokens }, signal)];
      const prepared = translation.prepare(text);
      if (!prepared) return [];
      if ('missing' in prepared) return [{ skill, score, status: 'unused', text: '', missing: prepared.missing }];
      const answer = await this.#call({ skill, score }, { ...prepared, maxTokens: 0 }, signal);
      return [{ ...answer, text: translation.say?.(answer.text) ?? answer.text }];
    });
    return (await Promise.all(calls)).flat();
  }

  async #call({ skill, score }: SkillScore, request: Request, signal?: AbortSignal): Promise<SkillAnswer> {
    const { pool, deadlineMs } = this.#options;
    const begun = performance.now();
    const spent = () => Math.round((performance.now() - begun) * 1000) / 1000;
    try {
      const timeoutMs = Math.min(deadlineMs, pool.manifest(skill).timeouts.request);
      const { text } = await pool.client(skill).infer(request, { timeoutMs, ...(signal && { signal }) });
      return { skill, score, status: 'answered', text, latencyMs: spent() };
    } catch (error) {
      const code = error instanceof SkillCallError ? error.code : 'UNKNOWN';
      const [why = ''] = (error as Error).message.split('\n');
      return { skill, score, status: 'failed', code, error: why, text: '', latencyMs: spent() };
    }
  }
}

function translationOf(skill: string) {
  return Object.hasOwn(TRANSLATIONS, skill) ? TRANSLATIONS[skill] : undefined;
}

interface Request {
  prompt: string;
  maxTokens: number;
}
