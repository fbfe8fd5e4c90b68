/**
 * What belongs to one request, wherever its code runs: whether a skill helped, and its trace. Knows of traces only what they are made
 * of; src/telemetry exports them by OpenTelemetry, where that is configured. Without it nothing here costs more than a look.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

export type Attributes = Record<string, string | number | boolean | string[]>;

/** One timed step of a trace. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Whether it is kept: an example of a measurement must exist. */
  readonly isSampled: boolean;
  set(attributes: Attributes): void;
  /** Ends it, as failed if there is an error; of that only the kind is kept: its message may quote the user. The first end counts. */
  end(error?: unknown): void;
}

export interface SpanOptions {
  /** `client` calls another process, `server` is called by one. Default `internal`. */
  kind?: 'internal' | 'client' | 'server';
  attributes?: Attributes;
  /** Who does it; default: the assistant. */
  service?: string;
  /** Milliseconds since the epoch, for what was measured elsewhere. Default: now. */
  startedAt?: number;
  /** Milliseconds since the epoch: it has ended already. */
  endedAt?: number;
}

/** What keeps traces. `parent`: a span, or the W3C traceparent of another program's span. */
export interface Tracer {
  start(name: string, options: SpanOptions, parent: Span | string | undefined): Span;
}

/** What was done for one request by one skill, or by one operation of the memory: how often, and the time of all together. */
export interface Use {
  name: string;
  calls: number;
  failed: number;
  /** Milliseconds; undefined for what lasts as long as its caller likes. */
  ms: number | undefined;
}

/** One request to the assistant. */
export class RequestContext {
  /** A skill answered at least one call for it. */
  usedSkill = false;
  readonly #skills = new Map<string, Use>();
  readonly #memory = new Map<string, Use>();

  noteCall(skill: string, ms: number | undefined, isFailed = false): void {
    note(this.#skills, skill, ms, isFailed);
  }

  noteMemory(operation: string, ms: number): void {
    note(this.#memory, operation, ms, false);
  }

  /** The skills that were called so far. */
  get skills(): Use[] {
    return [...this.#skills.values()];
  }

  /** The operations of the memory so far. */
  get memory(): Use[] {
    return [...this.#memory.values()];
  }
}

function note(uses: Map<string, Use>, name: string, ms: number | undefined, isFailed: boolean): void {
  const { calls = 0, failed = 0, ms: before = 0 } = uses.get(name) ?? {};
  uses.set(name, {
    name,
    calls: calls + 1,
    failed: failed + (isFailed ? 1 : 0),
    ms: ms === undefined ? undefined : before + ms,
  });
}

interface Scope {
  readonly request: RequestContext | undefined;
  readonly parent: Span | string | undefined;
}

const scopes = new AsyncLocalStorage<Scope | undefined>();
let tracer: Tracer | undefined;

/** How far the two clocks may differ, in milliseconds, before the one is set by the other. */
const MAX_DRIFT_MS = 20;
let origin = performance.timeOrigin;

/** Milliseconds since the epoch, in fractions: steps of a trace are shorter than what Date.now() tells apart. */
export function wallClock(): number {
  const now = performance.now();
  if (Math.abs(Date.now() - (origin + now)) > MAX_DRIFT_MS) origin = Date.now() - now;
  return origin + now;
}

/** Who keeps the traces of this process from now on; undefined: nobody. */
export function setTracer(next: Tracer | undefined): void {
  tracer = next;
}

/** The request that this code runs for, if it runs for one. */
export function currentRequest(): RequestContext | undefined {
  return scopes.getStore()?.request;
}

/** The step of a trace that this code is part of. */
export function currentSpan(): Span | undefined {
  const parent = scopes.getStore()?.parent;
  return typeof parent === 'string' ? undefined : parent;
}

/** The W3C traceparent for another program: https://www.w3.org/TR/trace-context/#traceparent-header */
export function traceparentOf({ traceId, spanId, isSampled }: Span): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** Runs something as part of another program's trace, which its `traceparent` names. */
export function continueTrace<T>(traceparent: string | string[] | undefined, run: () => T): T {
  if (!tracer || typeof traceparent !== 'string') return run();
  return scopes.run({ request: currentRequest(), parent: traceparent }, run);
}

/** Begins a request: a trace of its own, or a part of the one that this code belongs to. */
export function beginRequest(name: string, options: SpanOptions): { request: RequestContext; span: Span | undefined } {
  return { request: new RequestContext(), span: startTrace(name, options) };
}

/** Begins a step of the trace that this code belongs to, or a trace of its own when it belongs to none. */
export function startTrace(name: string, options: SpanOptions): Span | undefined {
  return tracer?.start(name, options, scopes.getStore()?.parent);
}

/** Begins a step of the trace that this code belongs to; undefined when it belongs to none. */
export function startSpan(name: string, options: SpanOptions = {}): Span | undefined {
  const parent = scopes.getStore()?.parent;
  return tracer && parent !== undefined ? tracer.start(name, options, parent) : undefined;
}

/** Notes a step that another process took. */
export function noteSpan(name: string, parent: Span, options: SpanOptions & { endedAt: number }): void {
  tracer?.start(name, options, parent);
}

/** Runs something for a request and as part of a step. */
export function runIn<T>(request: RequestContext | undefined, span: Span | undefined, run: () => T): T {
  return scopes.run({ request, parent: span ?? scopes.getStore()?.parent }, run);
}

/** The pieces of an iteration, every step of which runs for a request and as part of a step. */
export async function* iterateIn<T>(
  request: RequestContext | undefined,
  span: Span | undefined,
  begin: () => AsyncIterable<T>,
): AsyncGenerator<T, void, undefined> {
  const iterator = runIn(request, span, () => begin()[Symbol.asyncIterator]());
  let isOver = false;
  try {
    while (true) {
      isOver = true;
      const next = await runIn(request, span, () => iterator.next());
      isOver = next.done === true;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    // Left early: one that ended or failed by itself needs no end.
    if (!isOver) await runIn(request, span, async () => iterator.return?.());
  }
}

/** Runs something as a step of the trace that this code belongs to. */
export async function traced<T>(
  name: string,
  options: SpanOptions,
  run: (span: Span | undefined) => T | Promise<T>,
): Promise<T> {
  const span = startSpan(name, options);
  if (!span) return await run(undefined);
  try {
    const result = await runIn(currentRequest(), span, () => run(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}

/** Runs something that outlives the request that caused it: timers, connections. */
export function outsideRequests<T>(run: () => T): T {
  return scopes.run(undefined, run);
}
