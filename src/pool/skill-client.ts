import type {
  HealthCheckResponse,
  InferRequest,
  InferResponse,
  MetricsResponse,
  SessionReply,
} from '../contract/index.ts';
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

/**
 * A client of one skill. It outlives the skill's instances: a call launches the skill when it does not run, and goes to
 * its next instance when it was restarted.
 */
export class SkillClient implements AsyncDisposable {
  readonly #unit: SkillUnit;
  readonly #observe: (call: CallObservation) => void;

  constructor(unit: SkillUnit, observe: (call: CallObservation) => void) {
    this.#unit = unit;
    this.#observe = observe;
  }

  get skill(): string {
    return this.#unit.manifest.name;
  }

  /** Whether a call would be sent at once, without a launch. */
  get isConnected(): boolean {
    return this.#unit.session !== undefined;
  }

  /**
   * Calls the skill.
   *
   * @throws SkillTimeoutError, SkillUnavailableError, SkillLaunchError, or SkillCallError with the status of the skill
   */
  async infer(request: Partial<InferRequest>, options: CallOptions = {}): Promise<InferResponse> {
    const call = new PendingCall(this.#unit, options);
    const full = toRequest(request);
    try {
      while (true) {
        await call.ready();
        const session = this.#unit.session;
        if (!session) continue;
        const { id, answer } = session.infer(full, call.settings());
        try {
          const response = await call.within(answer, () => session.cancel(id));
          call.finish(this.#observe, 'OK');
          return response;
        } catch (error) {
          if (!call.mayRetry(error)) throw error;
        }
      }
    } catch (error) {
      throw await call.fail(this.#observe, error);
    }
  }

  /** Calls the skill for an answer in pieces. Leaving the loop early cancels the call. Throws as `infer` does. */
  async *inferStream(request: Partial<InferRequest>, options: CallOptions = {}): AsyncGenerator<InferResponse> {
    const call = new PendingCall(this.#unit, options);
    const replies: (SessionReply | Error)[] = [];
    let wake = () => {};
    let ended = false;
    let cancel = () => {};
    try {
      await call.ready();
      const session = this.#unit.session;
      if (!session) throw new SkillUnavailableError(this.skill, 'it stopped before the call was sent');
      const push = (reply: SessionReply | Error) => {
        replies.push(reply);
        wake();
      };
      const id = session.start(toRequest(request), call.settings(), true, { onReply: push, onBroken: push });
      cancel = () => session.cancel(id);
      while (!ended) {
        if (replies.length === 0) {
          await call.within(
            new Promise<void>((resolve) => {
              wake = resolve;
            }),
            cancel,
          );
        }
        for (const reply of replies.splice(0)) {
          if (reply instanceof Error) throw reply;
          if (reply.code !== 0) throw new ReplyError(reply.code, reply.error);
          ended = reply.end;
          if (reply.response) yield reply.response;
        }
      }
      call.finish(this.#observe, 'OK');
    } catch (error) {
      ended = true;
      throw await call.fail(this.#observe, error);
    } finally {
      if (!ended) {
        cancel();
        call.finish(this.#observe, 'CANCELLED');
      }
    }
  }

  /** Asks the running skill for its health; does not launch it and is no activity. */
  async check(timeoutMs = this.#unit.manifest.health.timeout): Promise<HealthCheckResponse> {
    const connection = this.#unit.connection;
    if (!connection) throw new SkillUnavailableError(this.skill, `it is not running (${this.#unit.state})`);
    return await connection.check(timeoutMs);
  }

  /** What the running skill has counted; does not launch it and is no activity. */
  async metrics(timeoutMs = this.#unit.manifest.health.timeout): Promise<MetricsResponse> {
    const connection = this.#unit.connection;
    if (!connection) throw new SkillUnavailableError(this.skill, `it is not running (${this.#unit.state})`);
    return await connection.metrics(timeoutMs);
  }

  /** This caller needs the skill no longer: of the idle skills, those that nobody holds are evicted first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#unit.holders = Math.max(0, this.#unit.holders - 1);
    return Promise.resolve();
  }
}

/** The time budget, the cancellation and the accounting of one call. */
class PendingCall {
  readonly #unit: SkillUnit;
  readonly #options: CallOptions;
  readonly #timeoutMs: number;
  readonly #started = performance.now();
  #retries = 0;
  #open = true;

  constructor(unit: SkillUnit, options: CallOptions) {
    this.#unit = unit;
    this.#options = options;
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
    observe({ skill: this.#unit.manifest.name, seconds: (performance.now() - this.#started) / 1000, code });
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

function toRequest(request: Partial<InferRequest>): InferRequest {
  return { prompt: '', maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined, ...request };
}
