import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Spending } from '../federated/index.ts';
import type { EntityMemory } from '../memory/index.ts';
import type { ModelPool } from '../pool/index.ts';
import { VERSION } from '../version.ts';
import { FederatedMetrics } from './federated-metrics.ts';
import { MetricsHistory } from './history.ts';
import { MemoryMetrics } from './memory-metrics.ts';
import { PoolMetrics } from './pool-metrics.ts';
import { RequestMetrics } from './request-metrics.ts';
import { skillExposition } from './skill-exposition.ts';

/** Gauges whose names say that they are counters. The same numbers come without that ending, by type. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export interface MetricsOptions {
  pool: ModelPool;
  memory: EntityMemory;
  /** What federated rounds have spent of privacy; undefined where there are none. */
  spending?: () => Spending | undefined;
  /** Histograms carry an example of a trace for each bucket. Such metrics are exposed as OpenMetrics. */
  exemplars: boolean;
}

/** A text that Prometheus reads. */
export interface Exposition {
  contentType: string;
  text: string;
}

/** What the assistant measures of itself, its requests, its memory and its skills. docs/metrics.md explains each metric. */
export class Metrics {
  readonly registry = new Registry();
  /** Whether histograms carry an example of a trace for each bucket. */
  readonly exemplars: boolean;
  readonly requests: RequestMetrics;
  /** The last minutes, once it was started. */
  readonly history = new MetricsHistory(this.registry, () => this.#refresh());
  readonly #pool: ModelPool;
  readonly #skills: PoolMetrics;
  readonly #memory: MemoryMetrics;
  readonly #federated: FederatedMetrics;

  constructor({ pool, memory, spending = () => undefined, exemplars }: MetricsOptions) {
    if (exemplars) this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    this.exemplars = exemplars;
    this.#pool = pool;
    this.requests = new RequestMetrics(this.registry, exemplars);
    this.#skills = new PoolMetrics(this.registry, pool, exemplars);
    this.#memory = new MemoryMetrics(this.registry, memory, exemplars);
    this.#federated = new FederatedMetrics(this.registry, spending);
    new Gauge({
      name: 'sarai_build_info',
      help: 'Always 1: what runs here.',
      labelNames: ['version', 'node', 'runtime'],
      registers: [this.registry],
    }).set({ version: VERSION, node: process.version, runtime: pool.runtime.name }, 1);
    new Gauge({
      name: 'sarai_memory_usage_bytes',
      help: 'Memory that the assistant itself uses: its resident set.',
      registers: [this.registry],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    });
    collectDefaultMetrics({ register: this.registry });
    for (const name of MISNAMED) this.registry.removeSingleMetric(name);
  }

  /** Everything, as it is now. Reading it launches no skill and keeps none running. */
  async exposition(): Promise<Exposition> {
    await this.#refresh();
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }

  async #refresh(): Promise<void> {
    this.#memory.refresh();
    this.#federated.refresh();
    await this.#skills.refresh();
  }

  /** Every skill that can be asked for its own metrics. */
  skillNames(): string[] {
    return this.#pool.names;
  }

  /**
   * What a running skill has counted itself. Asking launches no skill and keeps none running.
   *
   * @throws Error when it does not serve
   */
  async skillExposition(name: string): Promise<Exposition> {
    const text = skillExposition(await this.#pool.client(name).metrics());
    return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, text };
  }
}
