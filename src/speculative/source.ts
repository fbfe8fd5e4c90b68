import {
  type Acceptance,
  expectedRate,
  faded,
  NO_ACCEPTANCE,
  observe,
  observedRate,
  testedTokens,
} from './acceptance.ts';
import type { EvaluationCosts } from './costs.ts';
import {
  BUDGET,
  booked,
  type Costs,
  earned,
  type Gate,
  type GateEvent,
  type GateLimits,
  type GateReason,
  nextGate,
  openGate,
  type Plan,
  plan,
  planFor,
} from './policy.ts';
import { RoundTimes } from './round-times.ts';
import type { SourceKind, SpeculationStats } from './stats.ts';

/** What was proposed last is proposed again where it seems no worse than this share of the best. */
const SAME_ABOVE = 0.98;
/** Every so many rounds one proposes another number of tokens than what seems best, the one tried least, to see how long that takes. */
const EXPLORE_EVERY = 12;
/** What is tried so must not seem worse than this share of the best. */
const EXPLORE_ABOVE = 0.85;

export interface Round {
  /** Tokens before it. */
  position: number;
  /** Most tokens that could have been proposed. */
  most: number;
  /** How long it took from beginning to end, and of that waiting for the proposal, in milliseconds. */
  roundMs: number;
  waitMs: number;
}

/** What is known about one who proposes tokens for one kind of task: how often right, how slow, whether worth asking. */
export class Source {
  readonly #stats: SpeculationStats;
  readonly #counts: ReturnType<SpeculationStats['source']>;
  readonly #limits: GateLimits;
  readonly #costs: EvaluationCosts;
  readonly #times = new RoundTimes();
  #acceptance: Acceptance = NO_ACCEPTANCE;
  #gate: Gate;
  #budget: number = BUDGET.initial;
  #rounds = 0;
  #count = 0;

  constructor(
    name: string,
    kind: SourceKind,
    task: string,
    costs: EvaluationCosts,
    stats: SpeculationStats,
    limits: GateLimits,
  ) {
    this.#stats = stats;
    this.#counts = stats.source(name, kind, task);
    this.#costs = costs;
    this.#limits = limits;
    this.#gate = openGate(limits);
  }

  get isOpen(): boolean {
    return this.#gate.t === 'open';
  }

  /**
   * Whether to ask it where such a gain is expected. One that was found not to pay may still do so behind fewer tokens, where verifying
   * costs less.
   */
  isWorthAsking(gain: number): boolean {
    const gate = this.#gate;
    if (gate.t === 'open') return true;
    return gate.reason === 'gain' && this.#budget > 0 && gain >= this.#limits.minGain;
  }

  /** How many tokens it should propose, 1 to `most`, behind `position` tokens. */
  plan(position: number, most: number): Plan {
    const costs = this.#costsAt(position, most);
    const rate = expectedRate(this.#acceptance);
    let best = plan(rate, costs, most);
    // Evaluations of the same width in a row take less.
    const same = planFor(this.#count, rate, costs);
    if (this.#count <= most && same.gain > SAME_ABOVE * best.gain) best = same;
    this.#count = best.count;
    return this.#rounds % EXPLORE_EVERY === EXPLORE_EVERY - 1 ? this.#leastKnown(best, rate, costs, most) : best;
  }

  #leastKnown(best: Plan, rate: number, costs: Costs, most: number): Plan {
    let found = best;
    for (let count = 1; count <= Math.min(most, costs.roundMs.length); count++) {
      const its = planFor(count, rate, costs);
      const isPossible = its.gain > EXPLORE_ABOVE * best.gain;
      if (isPossible && this.#times.rounds(count) < this.#times.rounds(found.count)) found = its;
    }
    return found;
  }

  /** It was asked and gave so many tokens after `waitMs`. That it gave none says something only when it was waited for. */
  asked(got: number, waitMs: number, isWaitedFor: boolean): void {
    this.#counts.waitMs += waitMs;
    if (got > 0) return;
    this.#counts.empty++;
    if (isWaitedFor) this.#next({ t: 'empty' });
  }

  /** A round with its tokens is over, which were compared with the target's. */
  tested(proposed: number, accepted: number, { position, most, roundMs, waitMs }: Round): void {
    this.#acceptance = observe(this.#acceptance, proposed, accepted);
    this.#times.observe(proposed, this.#costs.ms(proposed + 1, position), roundMs, waitMs);
    this.#rounds++;
    this.#counts.rounds++;
    this.#counts.drafted += proposed;
    this.#counts.accepted += accepted;
    this.#counts.tested += testedTokens(proposed, accepted);
    const acceptance = observedRate(this.#acceptance) ?? 1;
    this.#book(roundMs, accepted + 1, position, acceptance < this.#limits.minAcceptance ? 'acceptance' : 'gain');
    const costs = this.#costsAt(position, most);
    // What was gained by the clock counts more than what is expected: a busy machine can spoil a few rounds.
    const least = this.#budget > BUDGET.initial ? this.#limits.minGain : 0;
    const gain = Math.max(least, plan(expectedRate(this.#acceptance), costs, most).gain);
    const bestGain = Math.max(least, plan(1, costs, most).gain);
    this.#next({ t: 'tested', count: testedTokens(proposed, accepted), acceptance, gain, bestGain });
  }

  /** So much time went by because of it without a proposal, in which so many tokens came all the same, behind `position` others. */
  spent(ms: number, tokens: number, position: number, reason: GateReason = 'slow'): void {
    this.#book(ms, tokens, position, reason);
  }

  /** So many tokens were generated, with it or without. */
  generated(count: number): void {
    this.#budget = earned(this.#budget, count);
    this.#next({ t: 'generated', count, canAfford: this.#budget > 0 });
  }

  #book(ms: number, tokens: number, position: number, reason: GateReason): void {
    const plainMs = this.#costs.ms(1, position);
    if (!(plainMs > 0)) return;
    this.#budget = booked(this.#budget, ms / plainMs - tokens);
    if (this.#budget <= 0) this.#next({ t: 'overdrawn', reason });
  }

  #costsAt(position: number, most: number): Costs {
    const counts = Array.from({ length: Math.min(most, this.#costs.widest - 1) }, (_, n) => n + 1);
    const verifyMs = counts.map((count) => this.#costs.ms(count + 1, position));
    return {
      plainMs: this.#costs.ms(1, position),
      verifyMs,
      roundMs: verifyMs.map((ms, n) => this.#times.ms(n + 1, ms)),
    };
  }

  #next(event: GateEvent): void {
    const before = this.#gate;
    this.#gate = nextGate(before, event, this.#limits);
    if (before.t === 'open' && this.#gate.t === 'closed') this.#stats.fallback(this.#gate.reason);
    if (before.t === 'closed' && this.#gate.t === 'open') {
      // What it was like before says little now, but is where to begin.
      this.#acceptance = faded(this.#acceptance);
      this.#times.fade();
    }
  }
}
