import type { InferRequest, InferResponse, MetricsResponse } from '../contract/gen/skills.ts';
import { CallMetrics } from './call-metrics.ts';
import { type CallContext, type SkillAnswer, SkillError, type SkillHandler, type SkillHealth } from './handler.ts';
import { Limiter } from './limiter.ts';
import { toSkillError } from './status.ts';

/** One call as the transport hands it over. */
export interface IncomingCall {
  request: InferRequest;
  /** Milliseconds since the epoch. */
  deadline: number;
  grants: ReadonlySet<string>;
}

/** Cancels a call and carries its deadline; the AbortSignal is made only for handlers that ask for it. */
export class Call implements CallContext {
  readonly request: InferRequest;
  readonly deadline: number;
  readonly grants: ReadonlySet<string>;
  readonly received = performance.now();
  #controller: AbortController | undefined;
  #aborted: SkillError | undefined;

  constructor({ request, deadline, grants }: IncomingCall) {
    this.request = request;
    this.deadline = deadline;
    this.grants = grants;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  get aborted(): SkillError | undefined {
    return this.#aborted;
  }

  abort(error: SkillError): void {
    if (this.#aborted) return;
    this.#aborted = error;
    this.#controller?.abort(error);
  }
}

const cancelled = () => new SkillError('CANCELLED', 'the caller cancelled the call');

/** Runs calls through the limits of the skill: concurrency, queue, deadline, cancellation, and counts them. */
export class Dispatcher {
  readonly limiter: Limiter;
  readonly #metrics = new CallMetrics();
  readonly #open = new Set<Call>();
  #handler: SkillHandler;
  #drained: (() => void) | undefined;
  #draining = false;

  constructor(handler: SkillHandler, limits: { concurrency: number; queue: number }) {
    this.#handler = handler;
    this.limiter = new Limiter(limits.concurrency, limits.queue);
  }

  /** Swaps the handler (hot reload); calls that run keep the old one. */
  replaceHandler(handler: SkillHandler): void {
    this.#handler = handler;
  }

  health(): SkillHealth {
    if (this.#draining) return { serving: false, message: 'draining: the skill is about to stop' };
    return this.#handler.health?.() ?? { serving: true };
  }

  metrics(): MetricsResponse {
    return this.#metrics.snapshot(this.limiter.running, this.limiter.queued);
  }

  /** Accepts no further call and resolves when the last one has ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#open.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
  }

  /** Ends every open call with this error. */
  abortAll(error: SkillError): void {
    for (const call of this.#open) call.abort(error);
  }

  /** A call ends as cancelled: the caller is gone. */
  cancel(call: Call): void {
    call.abort(cancelled());
  }

  /**
   * Runs one call to its only answer.
   *
   * Returns the answer itself, not a promise, when the handler is synchronous: an event loop turn per call is what
   * throughput is lost to.
   *
   * @throws SkillError (or rejects with it) with the status that the caller gets.
   */
  run(call: Call): InferResponse | Promise<InferResponse> {
    try {
      this.#admit(call);
    } catch (error) {
      throw this.#finish(call, toSkillError(error), false);
    }
    if (!this.limiter.tryAcquire()) return this.#runLater(call);
    const started = performance.now();
    try {
      const answer = this.#handler.infer(call.request, call);
      if (!(answer instanceof Promise)) {
        const response = this.#complete(call, answer, started);
        this.#finish(call, undefined, true);
        return response;
      }
      return this.#settle(call, answer, started);
    } catch (error) {
      throw this.#finish(call, toSkillError(error), true);
    }
  }

  /** Runs one call and yields its answer in pieces; the last one carries the metrics. */
  async *stream(call: Call): AsyncGenerator<InferResponse> {
    const timer = this.#startTimer(call);
    let acquired = false;
    let failure: SkillError | undefined = cancelled();
    try {
      this.#admit(call);
      await this.limiter.acquire(call.signal);
      acquired = true;
      const started = performance.now();
      const pieces = this.#handler.inferStream?.(call.request, call) ?? [await this.#handler.infer(call.request, call)];
      let held: SkillAnswer | undefined;
      for await (const piece of untilAborted(pieces, call.signal)) {
        if (held !== undefined) yield toResponse(held);
        held = piece;
      }
      yield this.#complete(call, held ?? '', started);
      failure = undefined;
    } catch (error) {
      failure = toSkillError(call.aborted ?? error);
      throw failure;
    } finally {
      clearTimeout(timer);
      this.#finish(call, failure, acquired);
    }
  }

  #admit(call: Call): void {
    this.#open.add(call);
    if (this.#draining) throw new SkillError('UNAVAILABLE', 'the skill is about to stop and takes no further calls');
    if (call.deadline <= Date.now()) throw deadlineExceeded(call);
  }

  async #runLater(call: Call): Promise<InferResponse> {
    const timer = this.#startTimer(call);
    try {
      await this.limiter.acquire(call.signal);
    } catch (error) {
      clearTimeout(timer);
      throw this.#finish(call, toSkillError(error), false);
    }
    clearTimeout(timer);
    const started = performance.now();
    try {
      return await this.#settle(call, Promise.resolve(this.#handler.infer(call.request, call)), started);
    } catch (error) {
      throw this.#finish(call, toSkillError(error), true);
    }
  }

  /** Waits for the handler, but no longer than the deadline or the caller; the slot stays taken until it really ends. */
  async #settle(call: Call, answer: Promise<SkillAnswer>, started: number): Promise<InferResponse> {
    const timer = this.#startTimer(call);
    const aborted = rejectOnAbort(call.signal);
    const ended = answer.then(
      () => undefined,
      () => undefined,
    );
    try {
      const response = this.#complete(call, await Promise.race([answer, aborted]), started);
      this.#finish(call, undefined, true);
      return response;
    } catch (error) {
      const failure = toSkillError(call.aborted ?? error);
      this.#finish(call, failure, false);
      void ended.then(() => this.limiter.release());
      throw failure;
    } finally {
      clearTimeout(timer);
    }
  }

  #startTimer(call: Call): NodeJS.Timeout {
    return setTimeout(() => call.abort(deadlineExceeded(call)), Math.max(0, call.deadline - Date.now()));
  }

  #complete(call: Call, answer: SkillAnswer, started: number): InferResponse {
    const response = toResponse(answer);
    const now = performance.now();
    response.latencyMs = now - call.received;
    response.metrics = { error: '', queueMs: started - call.received, handlerMs: now - started };
    return response;
  }

  #finish<T extends SkillError | undefined>(call: Call, failure: T, acquired: boolean): T {
    if (!this.#open.delete(call)) return failure;
    if (acquired) this.limiter.release();
    this.#metrics.observe((performance.now() - call.received) / 1000, failure?.status);
    if (this.#draining && this.#open.size === 0) this.#drained?.();
    return failure;
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  return aborted;
}

/** The pieces of a handler, given up at once when the call is aborted, whether the handler notices or not. */
async function* untilAborted(
  pieces: AsyncIterable<SkillAnswer> | Iterable<SkillAnswer>,
  signal: AbortSignal,
): AsyncGenerator<SkillAnswer> {
  const iterator = Symbol.asyncIterator in pieces ? pieces[Symbol.asyncIterator]() : pieces[Symbol.iterator]();
  const aborted = rejectOnAbort(signal);
  let done = false;
  try {
    while (true) {
      const next = await Promise.race([iterator.next(), aborted]);
      if (next.done) break;
      yield next.value;
    }
    done = true;
  } finally {
    // Not awaited: a handler that hangs must not keep the call open.
    if (!done) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function deadlineExceeded(call: Call): SkillError {
  const spent = Math.round(performance.now() - call.received);
  return new SkillError('DEADLINE_EXCEEDED', `no answer within the deadline (${spent} ms after the call arrived)`);
}

function toResponse(answer: SkillAnswer): InferResponse {
  if (typeof answer === 'string') answer = { text: answer };
  return {
    text: answer.text ?? '',
    confidence: answer.confidence ?? 1,
    latencyMs: 0,
    tokensGenerated: answer.tokensGenerated ?? 0,
    model: answer.model ?? '',
    finishReason: answer.finishReason ?? 'stop',
    metrics: undefined,
    sql: answer.sql,
  };
}
