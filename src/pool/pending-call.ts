import type { InferRequest, InferResponse } from '../contract/index.ts';
import { statusName } from '../skill/index.ts';
import {
  currentRequest,
  noteSpan,
  type RequestContext,
  runIn,
  type Span,
  startSpan,
  traceparentOf,
  wallClock,
} from '../tracing/index.ts';
import type { SkillConnection } from './connection.ts';
import { SkillCallError, SkillTimeoutError, SkillUnavailableError } from './errors.ts';
import type { CallObservation } from './events.ts';
import { type CallSettings, ReplyError, SessionBrokenError } from './session.ts';
import type { SkillUnit } from './unit.ts';

/** How often a call is sent again after the connection broke under it. */
const MAX_RETRIES = 2;

/** What is called: methods of the contract. */
type Method = 'Infer' | 'InferStream' | 'Draft';

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
  readonly #method: Method;
  readonly #request: RequestContext | undefined = currentRequest();
  readonly #span: Span | undefined;
  readonly #started = performance.now();
  /** performance.now() of the last attempt. */
  #sent = performance.now();
  #retries = 0;
  #open = true;
  #connection: SkillConnection | undefined;

  constructor(unit: SkillUnit, options: CallOptions, method: Method = 'Infer') {
    this.#unit = unit;
    this.#options = options;
    this.#method = method;
    this.#timeoutMs = options.timeoutMs ?? unit.manifest.timeouts.request;
    const { name } = unit.manifest;
    this.#span = startSpan(`sarai.skills.SkillService/${method}`, {
      kind: 'client',
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': `sarai.skills.SkillService/${method}`,
        'peer.service': serviceOf(name),
        'sarai.skill.name': name,
      },
    });
    unit.activity.begin();
    if (method !== 'Draft') return;
    unit.activity.streams++;
    // It ends with the generation, when what was done for the request has been told already.
    this.#request?.noteCall(name, undefined);
  }

  #remaining(): number {
    return this.#timeoutMs - (performance.now() - this.#started);
  }

  /** What the skill is told of the trace that this call is part of. */
  get traceparent(): string | undefined {
    return this.#span && traceparentOf(this.#span);
  }

  /** The request, with the trace that it is part of in its context. */
  carryTrace(request: InferRequest): InferRequest {
    const { traceparent } = this;
    return traceparent === undefined ? request : { ...request, context: { ...request.context, traceparent } };
  }

  /**
   * Notes the skill's own share of the trace. A skill has no network: what it measured comes with its answer, and stands in the middle
   * of the time from the call to the answer, because the clocks of both are not compared.
   */
  answered({ latencyMs, metrics, tokensGenerated, model }: InferResponse): void {
    if (!this.#span || !metrics) return;
    const took = performance.now() - this.#sent;
    const spent = Math.min(latencyMs, took);
    const startedAt = wallClock() - (took + spent) / 2;
    noteSpan(`sarai.skills.SkillService/${this.#method}`, this.#span, {
      kind: 'server',
      service: serviceOf(this.#unit.manifest.name),
      attributes: {
        'rpc.system.name': 'grpc',
        'rpc.method': `sarai.skills.SkillService/${this.#method}`,
        'sarai.queue_ms': metrics.queueMs,
        'sarai.handler_ms': metrics.handlerMs,
        ...(tokensGenerated > 0 && { 'gen_ai.usage.output_tokens': tokensGenerated, 'gen_ai.response.model': model }),
      },
      startedAt,
      endedAt: startedAt + spent,
    });
  }

  settings(): CallSettings {
    this.#sent = performance.now();
    return { timeoutMs: Math.max(1, Math.ceil(this.#remaining())), grants: this.#options.grants ?? [] };
  }

  /** Waits until the skill serves this call. @throws SkillCallError RESOURCE_EXHAUSTED when too many wait */
  async connect(): Promise<SkillConnection> {
    while (true) {
      await this.#ready();
      // Nothing there: the skill has just stopped, or the one call of this instance is somebody else's.
      this.#connection = this.#unit.take();
      if (this.#connection) return this.#connection;
    }
  }

  #release(): void {
    if (this.#connection) this.#unit.release(this.#connection);
    this.#connection = undefined;
  }

  async #ready(): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#release();
    if (this.#unit.session) return;
    const { name, single_use, limits } = this.#unit.manifest;
    // The others queue inside the skill.
    if (single_use && this.#unit.activity.waiting > limits.queue) {
      throw new SkillCallError(name, 'RESOURCE_EXHAUSTED', `busy: ${limits.queue} calls wait; try again later`);
    }
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
    this.#unit.activity.waiting++;
    try {
      await runIn(this.#request, this.#span, () => this.#unit.ensureReady(signal));
    } finally {
      this.#unit.activity.waiting--;
      clearTimeout(timer);
    }
  }

  /** Waits for an answer, no longer than the deadline and the caller's patience. */
  within<T>(answer: Promise<T>, cancel: () => void): Promise<T> {
    const { signal } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      const giveUp = (error: unknown) => {
        settle();
        cancel();
        reject(error);
      };
      const onAbort = () => giveUp(signal?.reason);
      const timer = setTimeout(
        () => {
          giveUp(new SkillTimeoutError(this.#unit.manifest.name, this.#timeoutMs, 'waiting for its answer'));
          void this.#unit.probe();
        },
        Math.max(0, this.#remaining()),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      // It may have been aborted before this began to listen.
      if (signal?.aborted) onAbort();
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
    this.#release();
    if (this.#method === 'Draft') this.#unit.activity.streams--;
    // A drafting stream lasts as long as the caller likes: that says nothing of the skill.
    const seconds = this.#method === 'Draft' ? undefined : (performance.now() - this.#started) / 1000;
    if (this.#request && code === 'OK') this.#request.usedSkill = true;
    if (seconds !== undefined) this.#request?.noteCall(this.#unit.manifest.name, seconds * 1000, code !== 'OK');
    const call: CallObservation = { skill: this.#unit.manifest.name, seconds, code };
    if (this.#span) {
      if (this.#span.isSampled) call.traceId = this.#span.traceId;
      this.#span.set({ 'rpc.response.status_code': code });
      this.#span.end(code === 'OK' ? undefined : { code });
    }
    observe(call);
  }

  /** Accounts for a failed call. @returns the error that the caller gets */
  async fail(observe: (call: CallObservation) => void, error: unknown): Promise<Error> {
    const ending =
      error instanceof SessionBrokenError ? await this.#unit.explainEnd(Math.max(0, this.#remaining())) : undefined;
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

/** Under which name a skill stands in traces. */
function serviceOf(skill: string): string {
  return `saraiskill.${skill}`;
}
