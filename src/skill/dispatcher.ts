import type { InferRequest, InferResponse, MetricsResponse } from '../contract/gen/skills.ts';
import { CallMetrics } from './call-metrics.ts';
import { type CallContext, type SkillAnswer, SkillError, type SkillHandler, type SkillHealth } from './handler.ts';
import { Limiter } from './limiter.ts';
import { toSkillError } from './status.ts';

/** One call as the transport hands it over. */
export interface IncomingCall {
  request: InferRequest;
  /** How long it may take from now on, in milliseconds. */
  timeoutMs: number;
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

  constructor({ request, timeoutMs, grants }: IncomingCall) {
    this.request = request;
    this.deadline = this.received + timeoutMs;
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

/** What a timer can wait, in milliseconds: 24 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const cancelled = () => new SkillError('CANCELLED', 'the caller cancelled the call');

/** Runs calls through the limits of the skill: concurrency, queue, deadline, cancellation, and counts them. */
export class Dispatcher {
  readonly limiter: Limiter;
  readonly #metrics: CallMetrics;
  readonly #open = new Set<Call>();
  #handler: SkillHandler;
  /** Who waits for the end of some calls. */
  /** The call that is the only one, once it has come. */
  #onlyCall: Call | undefined;
  readonly #onUsed: (() => void) | undefined;
  readonly #endings = new Set<{ calls: Set<Call>; resolve: () => void }>();
  #draining = false;

  constructor(
    handler: SkillHandler,
    limits: { concurrency: number; queue: number },
    metrics: CallMetrics = new CallMetrics(),
    onUsed?: () => void,
  ) {
    this.#handler = handler;
    this.#metrics = metrics;
    this.#onUsed = onUsed;
    this.limiter = new Limiter(limits.concurrency, limits.queue);
  }

  /** Swaps the handler (hot reload). Resolves when the last call of the old one has ended. */
  async replaceHandler(handler: SkillHandler): Promise<void> {
    this.#handler = handler;
    await this.#untilOpenCallsEnd();
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
    await this.#untilOpenCallsEnd();
  }

  #untilOpenCallsEnd(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#endings.add({ calls: new Set(this.#open), resolve }));
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
    // The slot stays taken until the handler really ends.
    const ended = Promise.withResolvers<void>();
    let failure: SkillError | undefined = cancelled();
    try {
      this.#admit(call);
      await this.limiter.acquire(call.signal);
      void ended.promise.then(() => this.limiter.release());
      const started = performance.now();
      const pieces = this.#pieces(call);
      let held: SkillAnswer | undefined;
      for await (const piece of untilAborted(pieces, call.signal, ended.resolve)) {
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
      this.#finish(call, failure, false);
    }
  }

  #pieces(call: Call): AsyncIterable<SkillAnswer> | Iterable<SkillAnswer> {
    const handler = this.#handler;
    if (handler.inferStream) return handler.inferStream(call.request, call);
    return (async function* () {
      yield await handler.infer(call.request, call);
    })();
  }

  #admit(call: Call): void {
    this.#open.add(call);
    if (this.#draining) throw new SkillError('UNAVAILABLE', 'the skill is about to stop and takes no further calls');
    if (call.deadline <= performance.now()) throw deadlineExceeded(call);
    if (!this.#onUsed) return;
    if (this.#onlyCall)
      throw new SkillError('UNAVAILABLE', 'this instance of the skill serves one call, and has it already');
    this.#onlyCall = call;
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
    const left = Math.min(LONGEST_TIMER_MS, Math.max(0, call.deadline - performance.now()));
    return setTimeout(() => call.abort(deadlineExceeded(call)), left);
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
    if (call === this.#onlyCall) this.#onUsed?.();
    if (acquired) this.limiter.release();
    this.#metrics.observe((performance.now() - call.received) / 1000, failure?.status);
    for (const ending of this.#endings) {
      ending.calls.delete(call);
      if (ending.calls.size > 0) continue;
      this.#endings.delete(ending);
      ending.resolve();
    }
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
  onEnd: () => void,
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
    if (done) onEnd();
    else void Promise.resolve(iterator.return?.()).then(onEnd, onEnd);
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
