/** When and how far to speculate: pure functions, so that their tests are tables. */

/**
 * Tokens that a round gives on average when `count` are proposed and each is right with probability `rate`: the accepted ones and
 * one from the target (Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023, eq. 1).
 */
export function expectedTokens(rate: number, count: number): number {
  return rate >= 1 ? count + 1 : (1 - rate ** (count + 1)) / (1 - rate);
}

export interface Costs {
  /** Milliseconds to generate a token plainly. */
  plainMs: number;
  /** Milliseconds to evaluate a round with 1, 2, ... proposed tokens. */
  verifyMs: readonly number[];
  /** Milliseconds that such a round takes from beginning to end, waiting for the proposal included. */
  roundMs: readonly number[];
}

export interface Plan {
  /** Tokens to propose. */
  count: number;
  /** Tokens per time, relative to plain decoding. */
  gain: number;
  /** Waiting longer than this for the proposal would make the round slower than plain decoding, in milliseconds. */
  budgetMs: number;
}

/** What rounds with `count` proposed tokens come to. */
export function planFor(count: number, rate: number, { plainMs, verifyMs, roundMs }: Costs): Plan {
  const worthMs = expectedTokens(rate, count) * plainMs;
  const gain = worthMs / (roundMs[count - 1] ?? Number.POSITIVE_INFINITY);
  return { count, gain, budgetMs: Math.max(0, worthMs - (verifyMs[count - 1] ?? Number.POSITIVE_INFINITY)) };
}

/** The number of proposed tokens that gives the most tokens per time, from 1 to `most`. */
export function plan(rate: number, costs: Costs, most: number): Plan {
  let best: Plan = { count: 0, gain: 0, budgetMs: 0 };
  for (let count = 1; count <= Math.min(most, costs.roundMs.length); count++) {
    const its = planFor(count, rate, costs);
    if (its.gain > best.gain) best = its;
  }
  return best;
}

/**
 * What one source of proposals may lose, in tokens of plain decoding: a round that takes longer than plain decoding would have taken
 * for the same tokens is paid from it, and one that takes less pays in. Whatever a source does, it costs no more time than `share` of
 * plain decoding and the constant that it begins with.
 */
export const BUDGET = {
  /** Earned for each generated token. */
  share: 0.01,
  /** At the beginning; also the most that is saved without gaining anything. */
  initial: 16,
  /** The most that is saved by gaining, so that one that gets worse is soon noticed. */
  saved: 32,
  /** A round that lost more than this was the machine standing still. */
  worst: 64,
} as const;

/** The balance after so many tokens were generated. */
export function earned(balance: number, tokens: number): number {
  return Math.max(balance, Math.min(BUDGET.initial, balance + BUDGET.share * tokens));
}

/** The balance after something that lost so many tokens of plain decoding; negative when it gained. */
export function booked(balance: number, loss: number): number {
  return Math.min(BUDGET.saved, balance - Math.min(BUDGET.worst, loss));
}

export interface GateLimits {
  /** Below this acceptance per tested token, no speculation. */
  minAcceptance: number;
  /** Below this gain, no speculation. */
  minGain: number;
  /** Tested tokens after which to decide. */
  window: number;
  /** Rounds in a row without a proposal after which a source is too slow. */
  emptyRounds: number;
  /** Rounds after which a source that would not pay even if it were always right is given up. */
  hopelessAfter: number;
  /** Generated tokens after which to try again; doubles each time that it was in vain. */
  retryAfter: number;
  retryAtMost: number;
}

export const GATE_LIMITS: GateLimits = {
  minAcceptance: 0.6,
  minGain: 1.05,
  window: 32,
  emptyRounds: 8,
  hopelessAfter: 8,
  retryAfter: 256,
  retryAtMost: 16_384,
};

/** Why speculation with one source of proposals stopped. */
export type GateReason = 'acceptance' | 'gain' | 'slow';

/** Whether a source of proposals is used. */
export type Gate =
  | { t: 'open'; rounds: number; tested: number; empty: number; retryAfter: number }
  | { t: 'closed'; reason: GateReason; left: number; retryAfter: number };

export type GateEvent =
  /** A round tested so many proposed tokens. As of now: acceptance, gain, and the gain if all were right. */
  | { t: 'tested'; count: number; acceptance: number; gain: number; bestGain: number }
  /** It was asked and proposed nothing in time. */
  | { t: 'empty' }
  /** It lost all that it may lose. */
  | { t: 'overdrawn'; reason: GateReason }
  /** So many tokens were generated; whether there is anything that may be lost. */
  | { t: 'generated'; count: number; canAfford: boolean };

export function openGate(limits: GateLimits): Gate {
  return { t: 'open', rounds: 0, tested: 0, empty: 0, retryAfter: limits.retryAfter };
}

export function nextGate(gate: Gate, event: GateEvent, limits: GateLimits): Gate {
  if (gate.t === 'closed') {
    if (event.t !== 'generated') return gate;
    const left = Math.max(0, gate.left - event.count);
    return left > 0 || !event.canAfford ? { ...gate, left } : { ...openGate(limits), retryAfter: gate.retryAfter };
  }
  if (event.t === 'generated') return gate;
  if (event.t === 'overdrawn') return close(event.reason, gate.retryAfter, limits);
  if (event.t === 'empty') {
    const empty = gate.empty + 1;
    return empty >= limits.emptyRounds ? close('slow', gate.retryAfter, limits) : { ...gate, empty };
  }
  const tested = gate.tested + event.count;
  const rounds = gate.rounds + 1;
  if (rounds >= limits.hopelessAfter && event.bestGain < limits.minGain) return close('gain', gate.retryAfter, limits);
  if (tested < limits.window) return { ...gate, rounds, tested, empty: 0 };
  if (event.acceptance < limits.minAcceptance) return close('acceptance', gate.retryAfter, limits);
  if (event.gain < limits.minGain) return close('gain', gate.retryAfter, limits);
  return openGate(limits);
}

function close(reason: GateReason, retryAfter: number, limits: GateLimits): Gate {
  return { t: 'closed', reason, left: retryAfter, retryAfter: Math.min(retryAfter * 2, limits.retryAtMost) };
}
