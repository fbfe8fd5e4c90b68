import { Counter, Gauge, type Registry } from 'prom-client';
import type { EntityMemory } from '../memory/index.ts';
import { LATENCY_BOUNDS } from '../skill/index.ts';
import { LatencyHistogram } from './histogram.ts';

/** What the entity memory holds and does. */
export class MemoryMetrics {
  readonly #memory: EntityMemory;
  readonly #triples: Gauge;
  readonly #fallback: Gauge;
  readonly #journal: Gauge;
  readonly #replicated: Counter;

  constructor(registry: Registry, memory: EntityMemory, exemplars: boolean) {
    const registers = [registry];
    this.#memory = memory;
    this.#triples = new Gauge({ name: 'sarai_memory_triples', help: 'Facts that are true now.', registers });
    this.#fallback = new Gauge({
      name: 'sarai_memory_fallback',
      help: '1 while the local copy does what the sql skill should do.',
      registers,
    });
    this.#journal = new Gauge({
      name: 'sarai_memory_journal_depth',
      help: 'Changes that the sql skill has not seen yet.',
      registers,
    });
    this.#replicated = new Counter({
      name: 'sarai_memory_replicated_changes_total',
      help: 'Changes that the sql skill took over.',
      registers,
    });
    const operations = new Counter({
      name: 'sarai_memory_operations_total',
      help: 'Operations of the memory that succeeded, by who did them.',
      labelNames: ['operation', 'from'],
      registers,
    });
    const errors = new Counter({
      name: 'sarai_memory_operation_errors_total',
      help: 'Operations of the memory that failed; what callers got wrong is left out.',
      labelNames: ['operation'],
      registers,
    });
    const seconds = new LatencyHistogram(
      registry,
      {
        name: 'sarai_memory_operation_seconds',
        help: 'Time of an operation of the memory.',
        labelNames: ['operation'],
        buckets: LATENCY_BOUNDS,
      },
      exemplars,
    );
    for (const operation of ['store', 'recall']) {
      seconds.zero({ operation });
      errors.inc({ operation }, 0);
      for (const from of ['skill', 'local']) operations.inc({ operation, from }, 0);
    }
    memory.on('failure', ({ operation }) => errors.inc({ operation }));
    memory.on('operation', ({ operation, from, seconds: spent, traceId }) => {
      operations.inc({ operation, from });
      seconds.observe({ operation }, spent, traceId);
    });
  }

  /** Reads what is not told of by events. */
  refresh(): void {
    const { facts, pending, replicated, fallback } = this.#memory.gauges();
    this.#triples.set(facts);
    this.#journal.set(pending);
    this.#replicated.reset();
    this.#replicated.inc(replicated);
    this.#fallback.set(fallback ? 1 : 0);
  }
}
