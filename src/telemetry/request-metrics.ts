import { Counter, Gauge, type Registry } from 'prom-client';
import { LATENCY_BOUNDS } from '../skill/index.ts';
import { type Attributes, beginRequest, iterateIn } from '../tracing/index.ts';
import { LatencyHistogram } from './histogram.ts';

/** One request: what is known of it at its beginning, and at its end. */
export interface ObservedRequest<T> {
  /** Stands in its trace. */
  attributes: Attributes;
  /** The same, of a piece of the answer. */
  attributesOf(piece: T): Attributes | undefined;
  /** The client is gone: how the request ends is no error of ours. */
  signal?: AbortSignal | undefined;
}

/** Counts the chat requests. Each is counted when it has ended, so that what is divided by their number fits to it. */
export class RequestMetrics {
  readonly #total: Counter;
  readonly #withSkill: Counter;
  readonly #errors: Counter;
  readonly #inFlight: Gauge;
  readonly #duration: LatencyHistogram<never>;

  constructor(registry: Registry, exemplars: boolean) {
    const registers = [registry];
    this.#total = new Counter({
      name: 'sarai_requests_total',
      help: 'Chat requests that have ended.',
      registers,
    });
    this.#withSkill = new Counter({
      name: 'sarai_requests_with_skill_total',
      help: 'Of these, those for which a skill answered at least one call.',
      registers,
    });
    this.#errors = new Counter({
      name: 'sarai_request_errors_total',
      help: 'Of these, those that failed; a client that left is no failure.',
      registers,
    });
    this.#inFlight = new Gauge({
      name: 'sarai_requests_in_flight',
      help: 'Chat requests that are being answered.',
      registers,
    });
    this.#duration = new LatencyHistogram(
      registry,
      {
        name: 'sarai_request_duration_seconds',
        help: 'Time from a chat request to the end of its answer.',
        labelNames: [],
        buckets: LATENCY_BOUNDS,
      },
      exemplars,
    );
  }

  /**
   * Observes one request: what it does is counted for it, and becomes part of its trace.
   *
   * @param run begins to answer; it and every step of the iteration run as part of the request
   */
  observe<T>({ attributes, attributesOf, signal }: ObservedRequest<T>, run: () => AsyncIterable<T>): AsyncGenerator<T> {
    const begun = performance.now();
    const { request, span } = beginRequest('invoke_agent phoenix', { kind: 'server', attributes });
    const end = (error?: unknown) => {
      this.#inFlight.dec();
      this.#total.inc();
      if (request.usedSkill) this.#withSkill.inc();
      const isError = error !== undefined && !signal?.aborted;
      if (isError) this.#errors.inc();
      const trace = span?.isSampled ? span.traceId : undefined;
      this.#duration.observe({}, (performance.now() - begun) / 1000, trace);
      span?.set({ 'sarai.request.used_skill': request.usedSkill });
      span?.end(isError ? error : undefined);
    };
    const inFlight = this.#inFlight;
    const steps = async function* (): AsyncGenerator<T> {
      inFlight.inc();
      let failure: unknown;
      try {
        for await (const piece of iterateIn(request, span, run)) {
          const more = attributesOf(piece);
          if (more) span?.set(more);
          yield piece;
        }
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        end(failure);
      }
    };
    return steps();
  }
}
