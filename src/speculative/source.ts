import { type Acceptance, expectedRate, NO_ACCEPTANCE, observe, observedRate, testedTokens } from './acceptance.ts';
import { type Gate, type GateEvent, type GateLimits, nextGate, openGate, type Plan, plan } from './policy.ts';
import type { SourceKind, SpeculationStats } from './stats.ts';

/** Least weight of a new measurement of the waiting time. */
const WAIT_WEIGHT = 0.1;

/** What is known about one who proposes tokens for one kind of task: how often right, how slow, whether worth asking. */
export class Source {
  readonly #stats: SpeculationStats;
  readonly #counts: ReturnType<SpeculationStats['source']>;
  readonly #limits: GateLimits;
  #acceptance: Acceptance = NO_ACCEPTANCE;
  #gate: Gate;
  #waitMsPerToken = 0;
  #waits = 0;

  constructor(name: string, kind: SourceKind, task: string, stats: SpeculationStats, limits: GateLimits) {
    this.#stats = stats;
    this.#counts = stats.source(name, kind, task);
    this.#limits = limits;
    this.#gate = openGate(limits);
  }

  get isOpen(): boolean {
    return this.#gate.t === 'open';
  }

  /** How far to speculate with it, given what evaluating 1, 2, ... tokens costs in milliseconds. */
  plan(verifyMs: readonly number[], most: number): Plan {
    return plan(expectedRate(this.#acceptance), { verifyMs, waitMsPerToken: this.#waitMsPerToken }, most);
  }

  /** It was asked and gave so many tokens after `waitMs`. */
  asked(got: number, waitMs: number): void {
    this.#counts.waitMs += waitMs;
    if (got > 0) {
      this.#waits++;
      this.#waitMsPerToken += Math.max(WAIT_WEIGHT, 1 / this.#waits) * (waitMs / got - this.#waitMsPerToken);
      return;
    }
    this.#counts.empty++;
    this.#next({ t: 'empty' });
  }

  /** Its tokens were compared with the target's. */
  tested(proposed: number, accepted: number, verifyMs: readonly number[]): void {
    this.#acceptance = observe(this.#acceptance, proposed, accepted);
    this.#counts.rounds++;
    this.#counts.drafted += proposed;
    this.#counts.accepted += accepted;
    this.#counts.tested += testedTokens(proposed, accepted);
    const most = verifyMs.length - 1;
    const { gain } = this.plan(verifyMs, most);
    const { gain: bestGain } = plan(1, { verifyMs, waitMsPerToken: this.#waitMsPerToken }, most);
    const acceptance = observedRate(this.#acceptance) ?? 1;
    this.#next({ t: 'tested', count: testedTokens(proposed, accepted), acceptance, gain, bestGain });
  }

  generated(count: number): void {
    this.#next({ t: 'generated', count });
  }

  #next(event: GateEvent): void {
    const before = this.#gate;
    this.#gate = nextGate(before, event, this.#limits);
    if (before.t === 'open' && this.#gate.t === 'closed') this.#stats.fallback(this.#gate.reason);
    if (before.t === 'closed' && this.#gate.t === 'open') {
      // What it was like before says little now.
      this.#acceptance = NO_ACCEPTANCE;
      this.#waitMsPerToken = 0;
      this.#waits = 0;
    }
  }
}
