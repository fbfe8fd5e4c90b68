import { Histogram, type Registry } from 'prom-client';

export interface LatencyOptions<Label extends string> {
  name: string;
  help: string;
  labelNames: Label[];
  /** Upper bounds in seconds. */
  buckets: readonly number[];
}

/** A histogram of seconds whose buckets carry, where that is asked for, the trace of the last measurement that fell into them. */
export class LatencyHistogram<Label extends string> {
  readonly #plain: Histogram<Label>;
  readonly #exemplars: boolean;

  constructor(registry: Registry, { buckets, ...options }: LatencyOptions<Label>, exemplars: boolean) {
    this.#exemplars = exemplars;
    this.#plain = new Histogram<Label>({
      ...options,
      buckets: [...buckets],
      registers: [registry],
      ...(exemplars && { enableExemplars: true }),
    });
  }

  /** Makes the series appear before the first measurement: from then on its rate is known. */
  zero(labels: Record<Label, string>): void {
    this.#plain.zero(labels);
  }

  observe(labels: Record<Label, string>, seconds: number, traceId?: string): void {
    if (!this.#exemplars) return this.#plain.observe(labels, seconds);
    // The types of prom-client know no labels of an exemplar but those of its metric.
    const exemplarLabels = (traceId === undefined ? {} : { trace_id: traceId }) as Record<Label, string>;
    this.#plain.observe({ labels, value: seconds, exemplarLabels });
  }
}
