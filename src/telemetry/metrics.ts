import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ModelPool } from '../pool/index.ts';
import { LATENCY_BOUNDS } from '../skill/index.ts';

const LAUNCH_BUCKETS = [0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30];
const ISOLATION_RANK = { process: 1, sandbox: 2, container: 3 } as const;

/** The metrics that the assistant exposes. Names of the skills' own metrics are those of existing dashboards. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    name: 'sarai_requests_total',
    help: 'Requests that the assistant answered.',
    registers: [this.registry],
  });
  readonly #skillRequests = new Counter({
    name: 'skill_requests_total',
    help: 'Calls to skills.',
    labelNames: ['skill_name'],
    registers: [this.registry],
  });
  readonly #skillErrors = new Counter({
    name: 'skill_errors_total',
    help: 'Calls to skills that failed, by gRPC status.',
    labelNames: ['skill_name', 'code'],
    registers: [this.registry],
  });
  readonly #skillLatency = new Histogram({
    name: 'skill_latency_seconds',
    help: 'Time from a call to its answer, launch included.',
    labelNames: ['skill_name'],
    buckets: [...LATENCY_BOUNDS],
    registers: [this.registry],
  });
  readonly #launchDuration = new Histogram({
    name: 'skill_launch_duration_seconds',
    help: 'Time from the decision to launch a skill until it served.',
    labelNames: ['skill_name', 'kind'],
    buckets: LAUNCH_BUCKETS,
    registers: [this.registry],
  });
  readonly #stops = new Counter({
    name: 'skill_stops_total',
    help: 'Ends of skills, by reason.',
    labelNames: ['skill_name', 'reason'],
    registers: [this.registry],
  });
  readonly #isolation = new Gauge({
    name: 'skill_isolation_level',
    help: 'How a running skill is isolated: 1 process, 2 sandbox, 3 container.',
    labelNames: ['skill_name'],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Counts what happens in a pool. */
  observe(pool: ModelPool): void {
    pool.on('call', ({ skill, seconds, code }) => {
      this.#skillRequests.inc({ skill_name: skill });
      if (seconds !== undefined) this.#skillLatency.observe({ skill_name: skill }, seconds);
      if (code !== 'OK') this.#skillErrors.inc({ skill_name: skill, code });
    });
    pool.on('event', (event) => {
      if (event.t === 'ready') {
        this.#launchDuration.observe({ skill_name: event.skill, kind: event.kind }, event.durationMs / 1000);
        this.#isolation.set({ skill_name: event.skill }, ISOLATION_RANK[event.isolation]);
      }
      if (event.t === 'stopped') {
        this.#stops.inc({ skill_name: event.skill, reason: event.reason.split(':')[0] ?? event.reason });
        this.#isolation.remove({ skill_name: event.skill });
      }
    });
    const spares = new Gauge({
      name: 'skill_spares',
      help: 'Paused instances that were never used.',
      labelNames: ['skill_name'],
      registers: [this.registry],
    });
    const memory = new Gauge({
      name: 'container_memory_usage_bytes',
      help: 'Memory that a skill uses.',
      labelNames: ['name'],
      registers: [this.registry],
      collect: async () => {
        memory.reset();
        for (const { name, memoryBytes, spares: count } of await pool.status()) {
          spares.set({ skill_name: name }, count);
          if (memoryBytes !== undefined) memory.set({ name: `saraiskill.${name}` }, memoryBytes);
        }
      },
    });
  }
}
