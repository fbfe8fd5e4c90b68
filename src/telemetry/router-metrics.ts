import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Decision } from '../router/index.ts';

const DECISION_BUCKETS = [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 0.025, 0.1, 0.5];
const SCORE_BUCKETS = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.95, 1];
/** Stands for a skill where none was chosen. */
const NONE = 'none';

/** The metrics of the router. */
export class RouterMetrics {
  readonly #decisions: Counter<'skill_name'>;
  readonly #seconds: Histogram;
  readonly #score: Histogram<'skill_name'>;
  readonly #uses: Counter<'skill_name' | 'outcome'>;
  readonly #feedback: Counter<'signal'>;
  readonly #trainings: Counter<'result'>;

  /** @param records how many records of feedback there are */
  constructor(registry: Registry, records: () => number) {
    const registers = [registry];
    this.#decisions = new Counter({
      name: 'sarai_router_decisions_total',
      help: 'Requests that were routed, by each skill that was chosen; "none" where none was.',
      labelNames: ['skill_name'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'sarai_router_decision_seconds',
      help: 'Time of a decision.',
      buckets: DECISION_BUCKETS,
      registers,
    });
    this.#score = new Histogram({
      name: 'sarai_router_score',
      help: 'Scores of requests, 0 to 1, by skill, chosen or not.',
      labelNames: ['skill_name'],
      buckets: SCORE_BUCKETS,
      registers,
    });
    this.#uses = new Counter({
      name: 'sarai_router_uses_total',
      help: 'What came of the skills that were chosen.',
      labelNames: ['skill_name', 'outcome'],
      registers,
    });
    this.#feedback = new Counter({
      name: 'sarai_router_feedback_total',
      help: 'Feedback that was kept, by where it came from.',
      labelNames: ['signal'],
      registers,
    });
    this.#trainings = new Counter({
      name: 'sarai_router_trainings_total',
      help: 'Trainings, by whether what was learned is used or was rejected.',
      labelNames: ['result'],
      registers,
    });
    new Gauge({
      name: 'sarai_router_feedback_records',
      help: 'Records of feedback that are kept.',
      registers,
      collect() {
        this.set(records());
      },
    });
  }

  decided({ scores, chosen }: Decision, seconds: number): void {
    this.#seconds.observe(seconds);
    for (const { skill, score } of scores) this.#score.observe({ skill_name: skill }, score);
    for (const { skill } of chosen) this.#decisions.inc({ skill_name: skill });
    if (chosen.length === 0) this.#decisions.inc({ skill_name: NONE });
  }

  used(uses: readonly { skill: string; status: string }[]): void {
    for (const { skill, status } of uses) this.#uses.inc({ skill_name: skill, outcome: status });
  }

  kept(signal: string): void {
    this.#feedback.inc({ signal });
  }

  trained(isUsed: boolean): void {
    this.#trainings.inc({ result: isUsed ? 'used' : 'rejected' });
  }
}
