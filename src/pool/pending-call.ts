import { statusName } from '../skill/index.ts';
import { SkillCallError, SkillTimeoutError, SkillUnavailableError } from './errors.ts';
import type { CallObservation } from './events.ts';
import { type CallSettings, ReplyError, SessionBrokenError } from './session.ts';
import type { SkillUnit } from './unit.ts';

/** How often a call is sent again after the connection broke under it. */
const MAX_RETRIES = 2;

export interface CallOptions {
  /** Milliseconds until the call is given up, launch included. Default: `timeouts.request` of the manifest. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Rights beyond the default, for example `schema` of the sql skill. */
  grants?: readonly string[];
  /** The call may be sent again although the skill may have seen it. Default: `idempotent` of the manifest. */
  idempotent?: boolean;
}

/** The time budget, the cancellation and the accounting of one call. */
export class PendingCall {
  readonly #unit: SkillUnit;
  readonly #options: CallOptions;
  readonly #timeoutMs: number;
  readonly #isTimed: boolean;
  readonly #started = performance.now();
  #retries = 0;
  #open = true;

  /** @param isTimed whether its time says something of the skill: not so where it lasts as long as the caller likes */
  constructor(unit: SkillUnit, options: CallOptions, isTimed = true) {
    this.#unit = unit;
    this.#options = options;
    this.#isTimed = isTimed;
    this.#timeoutMs = options.timeoutMs ?? unit.manifest.timeouts.request;
    unit.activity.begin();
  }

  #remaining(): number {
    return this.#timeoutMs - (performance.now() - this.#started);
  }

  settings(): CallSettings {
    return { timeoutMs: Math.max(1, Math.ceil(this.#remaining())), grants: this.#options.grants ?? [] };
  }

  /** Waits until the skill serves. */
  async ready(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    if (this.#unit.session) return;
    const late = new AbortController();
    const signal = this.#options.signal ? AbortSignal.any([late.signal, this.#options.signal]) : late.signal;
    const timer = setTimeout(
      () =>
        late.abort(
          new SkillTimeoutError(
            this.#unit.manifest.name,
            this.#timeoutMs,
            `waiting for it to start; it is ${this.#unit.state}`,
          ),
        ),
      Math.max(0, this.#remaining()),
    );
    try {
      await this.#unit.ensureReady(signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for an answer, no longer than the deadline and the caller's patience. */
  within<T>(answer: Promise<T>, cancel: () => void): Promise<T> {
    const { signal } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (error: unknown) => {
        cancel();
        reject(error);
      };
      const timer = setTimeout(
        () => {
          giveUp(new SkillTimeoutError(this.#unit.manifest.name, this.#timeoutMs, 'waiting for its answer'));
          void this.#unit.probe();
        },
        Math.max(0, this.#remaining()),
      );
      const onAbort = () => giveUp(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      // It may have been aborted before this began to listen.
      if (signal?.aborted) onAbort();
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      answer.then(
        (value) => {
          settle();
          resolve(value);
        },
        (error) => {
          settle();
          reject(error);
        },
      );
    });
  }

  /** A call that was surely not seen may be sent again; one that may have been seen only where that does no harm. */
  mayRetry(error: unknown): boolean {
    if (!(error instanceof SessionBrokenError) || this.#retries >= MAX_RETRIES) return false;
    if (error.sent && !(this.#options.idempotent ?? this.#unit.manifest.idempotent)) return false;
    this.#retries++;
    return true;
  }

  finish(observe: (call: CallObservation) => void, code: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#unit.activity.end();
    const seconds = this.#isTimed ? (performance.now() - this.#started) / 1000 : undefined;
    observe({ skill: this.#unit.manifest.name, seconds, code });
  }

  /** Accounts for a failed call. @returns the error that the caller gets */
  async fail(observe: (call: CallObservation) => void, error: unknown): Promise<Error> {
    const ending = error instanceof SessionBrokenError ? await this.#unit.explainEnd() : undefined;
    const typed = this.#typed(error, ending);
    this.finish(observe, typed instanceof SkillCallError ? typed.code : 'CANCELLED');
    return typed;
  }

  #typed(error: unknown, ending: string | undefined): Error {
    const { name } = this.#unit.manifest;
    if (error instanceof SkillCallError) return error;
    if (error instanceof SessionBrokenError) {
      return new SkillUnavailableError(name, `the connection broke while the call ran: ${ending ?? error.message}`, {
        cause: error,
      });
    }
    if (error instanceof ReplyError) {
      const code = statusName(error.code);
      if (code === 'DEADLINE_EXCEEDED') return new SkillTimeoutError(name, this.#timeoutMs, error.message);
      if (code === 'UNAVAILABLE') return new SkillUnavailableError(name, error.message, { cause: error });
      return new SkillCallError(name, code, error.message, { cause: error });
    }
    return error instanceof Error ? error : new Error(String(error));
  }
}
