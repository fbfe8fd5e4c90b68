import type { FeedbackRecord, FeedbackStore, NewFeedback } from './feedback.ts';
import { type AnsweredRequest, RecentRequests } from './requests.ts';

/** What a user says about a request. */
export interface UserFeedback {
  /** The request, by the id that its answer carries; or its text. */
  requestId?: string;
  text?: string;
  /** Whether the answer helped. */
  helpful?: boolean;
  /** The skills that would have been right; empty: none. */
  skills?: readonly string[];
}

/** A skill that was called for a request and refused it, by gRPC status. */
export interface SkillRefusal {
  skill: string;
  code: string;
}

/** Which feedback is kept: all, what users say, or none. */
export type FeedbackUse = 'all' | 'explicit' | 'off';

/** Feedback that makes no sense. */
export class FeedbackError extends Error {
  override readonly name = 'FeedbackError';
}

const SAID_SKILLS_WEIGHT = 3;
const SAID_HELPFUL_WEIGHT = 1;
const REPEATED_WEIGHT = 0.1;
/** How much a failed call says about the routing, by status: a refusal much, a bug of the skill little, a skill that is down nothing. */
const FAILED_WEIGHTS: Record<string, number> = {
  INVALID_ARGUMENT: 0.25,
  FAILED_PRECONDITION: 0.25,
  OUT_OF_RANGE: 0.25,
  NOT_FOUND: 0.25,
  PERMISSION_DENIED: 0.25,
  UNIMPLEMENTED: 0.25,
  INTERNAL: 0.05,
  UNKNOWN: 0.05,
};

export interface RequestFeedbackOptions {
  store: FeedbackStore;
  use: FeedbackUse;
  /** Every skill that the router knows. */
  skills: readonly string[];
  /** Told of what is kept now. */
  onKept: (feedback: NewFeedback) => void;
}

/** Takes what users say about requests, and notes what happens to them. */
export class RequestFeedback {
  readonly #options: RequestFeedbackOptions;
  readonly #requests = new RecentRequests();

  constructor(options: RequestFeedbackOptions) {
    this.#options = options;
  }

  /** A request was answered: feedback can refer to it; that a skill refused it, or that it was asked before, says something by itself. */
  answered(id: string, request: AnsweredRequest, refusals: readonly SkillRefusal[] = []): void {
    if (this.#options.use === 'off') return;
    const before = this.#requests.add(id, request);
    if (this.#options.use !== 'all') return;
    for (const { skill, code } of refusals) {
      const weight = FAILED_WEIGHTS[code];
      if (weight) this.#keep({ signal: 'failed', text: request.text, skills: [], wrong: [skill], weight });
    }
    if (before && before.skills.length > 0)
      this.#keep({
        signal: 'repeated',
        text: before.text,
        skills: [],
        wrong: [...before.skills],
        weight: REPEATED_WEIGHT,
      });
  }

  /** @returns the number of the record @throws FeedbackError */
  said({ requestId, text, helpful, skills }: UserFeedback): number {
    const { use, skills: known } = this.#options;
    if (use === 'off') throw new FeedbackError('feedback is switched off: router.feedback is "off"');
    const request = this.#find(requestId, text);
    const unknown = skills?.find((skill) => !known.includes(skill));
    if (unknown !== undefined)
      throw new FeedbackError(`there is no skill "${unknown}" to route to; there are: ${known.join(', ') || 'none'}`);
    if (helpful === undefined && skills === undefined)
      throw new FeedbackError('it says neither whether the answer was helpful nor which skills were right');
    const base = { signal: 'user', text: request.text } as const;
    if (skills) return this.#keep({ ...base, skills: [...skills], wrong: null, weight: SAID_SKILLS_WEIGHT });
    const used = [...request.skills];
    if (helpful)
      return this.#keep({ ...base, skills: used, wrong: used.length > 0 ? [] : null, weight: SAID_HELPFUL_WEIGHT });
    return this.#keep({ ...base, skills: [], wrong: used, weight: SAID_HELPFUL_WEIGHT });
  }

  /** The newest first. */
  list(limit?: number): FeedbackRecord[] {
    return this.#options.store.list(limit);
  }

  /** Deletes one record; or all, and what is remembered of requests. @returns how many records there were */
  clear(id?: number): number {
    if (id === undefined) this.#requests.clear();
    return this.#options.store.clear(id);
  }

  #find(requestId: string | undefined, text: string | undefined): AnsweredRequest {
    if (requestId === undefined) {
      if (text === undefined || text.trim() === '')
        throw new FeedbackError('it names no request: give its id or its text');
      return { text, skills: [] };
    }
    const request = this.#requests.find(requestId.replace(/^chatcmpl-/, ''));
    if (request) return request;
    if (text !== undefined) return { text, skills: [] };
    throw new FeedbackError(
      `request ${requestId} is not remembered (the last 1000 since the start are): give its text, too`,
    );
  }

  #keep(feedback: NewFeedback): number {
    const id = this.#options.store.add(feedback);
    this.#options.onKept(feedback);
    return id;
  }
}
