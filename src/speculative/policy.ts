/** When and how far to speculate: pure functions, so that their tests are tables. */

/**
 * Tokens that a round gives on average when `count` are proposed and each is right with probability `rate`: the accepted ones and
 * one from the target (Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023, eq. 1).
 */
export function expectedTokens(rate: number, count: number): number {
  return rate >= 1 ? count + 1 : (1 - rate ** (count + 1)) / (1 - rate);
}

export interface Costs {
  /** Milliseconds to evaluate 1, 2, ... tokens in one batch. */
  verifyMs: readonly number[];
  /** Milliseconds that the target waits for a proposed token. */
  waitMsPerToken: number;
}

export interface Plan {
  /** Tokens to propose. */
  count: number;
  /** Tokens per time, relative to plain decoding. */
  gain: number;
  /** Waiting longer than this for the proposal would make the round slower than plain decoding, in milliseconds. */
  budgetMs: number;
}

/** The number of proposed tokens that gives the most tokens per time, from 1 to `most`. */
export function plan(rate: number, costs: Costs, most: number): Plan {
  const plainMs = costs.verifyMs[0] ?? 0;
  let best: Plan = { count: 0, gain: 0, budgetMs: 0 };
  for (let count = 1; count <= Math.min(most, costs.verifyMs.length - 1); count++) {
    const verifyMs = costs.verifyMs[count] ?? Number.POSITIVE_INFINITY;
    const worthMs = expectedTokens(rate, count) * plainMs;
    const gain = worthMs / (verifyMs + count * costs.waitMsPerToken);
    if (gain > best.gain) best = { count, gain, budgetMs: Math.max(0, worthMs - verifyMs) };
  }
  return best;
}

export interface GateLimits {
  /** Below this acceptance per tested token, no speculation. */
  minAcceptance: number;
  /** Below this predicted gain, no speculation. */
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
  hopelessAfter: 4,
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
  /** A round tested so many proposed tokens. As of now: acceptance, predicted gain, and the gain if all were right. */
  | { t: 'tested'; count: number; acceptance: number; gain: number; bestGain: number }
  /** It was asked and proposed nothing in time. */
  | { t: 'empty' }
  /** So many tokens were generated. */
  | { t: 'generated'; count: number };

export function openGate(limits: GateLimits): Gate {
  return { t: 'open', rounds: 0, tested: 0, empty: 0, retryAfter: limits.retryAfter };
}

export function nextGate(gate: Gate, event: GateEvent, limits: GateLimits): Gate {
  if (gate.t === 'closed') {
    if (event.t !== 'generated') return gate;
    const left = gate.left - event.count;
    return left > 0 ? { ...gate, left } : { ...openGate(limits), retryAfter: gate.retryAfter };
  }
  if (event.t === 'generated') return gate;
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
