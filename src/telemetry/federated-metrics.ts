import { Gauge, type Registry } from 'prom-client';
import type { Spending } from '../federated/index.ts';

/** What federated rounds have told about one client, at most. Absent where there were none. */
export class FederatedMetrics {
  readonly #epsilon: Gauge<'delta' | 'adjacency' | 'unit' | 'mode'>;
  readonly #budget: Gauge<'delta'>;
  readonly #rounds: Gauge;
  readonly #spending: () => Spending | undefined;

  /** @param spending as the ledger says; undefined where there is none */
  constructor(registry: Registry, spending: () => Spending | undefined) {
    const registers = [registry];
    this.#spending = spending;
    this.#epsilon = new Gauge({
      name: 'sarai_fl_epsilon',
      help: 'Differential privacy of all federated rounds together: an upper bound of epsilon; +Inf when a release was not accounted for.',
      labelNames: ['delta', 'adjacency', 'unit', 'mode'],
      registers,
    });
    this.#budget = new Gauge({
      name: 'sarai_fl_epsilon_budget',
      help: 'Epsilon above which no round is released.',
      labelNames: ['delta'],
      registers,
    });
    this.#rounds = new Gauge({ name: 'sarai_fl_rounds', help: 'Federated rounds that were released.', registers });
  }

  /** Reads the ledger when it changed. */
  refresh(): void {
    const spending = this.#spending();
    for (const gauge of [this.#epsilon, this.#budget]) gauge.reset();
    this.#rounds.remove();
    if (!spending) return;
    const { epsilon, budget, adjacency, unit, mode, rounds } = spending;
    const delta = spending.delta === 0 ? 'unknown' : spending.delta.toExponential();
    this.#epsilon.set({ delta, adjacency, unit, mode }, epsilon);
    this.#budget.set({ delta }, budget);
    this.#rounds.set(rounds);
  }
}
