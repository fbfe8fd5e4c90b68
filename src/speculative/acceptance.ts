/** How often proposed tokens turn out right, per token that was tested. */
export interface Acceptance {
  /** Tokens that were compared with the target's choice, weighted: recent ones count more. */
  readonly tested: number;
  /** Of those, the ones that were right, weighted likewise. */
  readonly accepted: number;
}

export const NO_ACCEPTANCE: Acceptance = { tested: 0, accepted: 0 };

/** An observation loses half its weight while 44 tokens are tested. */
const DECAY = 1 - 1 / 64;
/** Before anything is known: four tokens tested of which 90% were right, so that speculation gets its chance. */
const PRIOR = { tested: 4, accepted: 3.6 };

/**
 * How many of the proposed tokens of a round were tested. Those behind the first wrong one were not: they say nothing about the
 * draft (they are censored), and counting them as wrong would make the rate fall as more are proposed.
 */
export function testedTokens(proposed: number, accepted: number): number {
  return Math.min(accepted + 1, proposed);
}

export function observe(acceptance: Acceptance, proposed: number, accepted: number): Acceptance {
  let { tested, accepted: right } = acceptance;
  for (let n = 0; n < testedTokens(proposed, accepted); n++) {
    tested = tested * DECAY + 1;
    right = right * DECAY + (n < accepted ? 1 : 0);
  }
  return { tested, accepted: right };
}

/** After a pause, what was observed before it counts as so many tested tokens. */
const FADED = 8;

/** There was a pause: the rate stays, and what comes next counts more. */
export function faded({ tested, accepted }: Acceptance): Acceptance {
  const share = FADED / Math.max(tested, FADED);
  return { tested: tested * share, accepted: accepted * share };
}

/** The rate to plan with: what was observed, leaning to the optimistic side while that is little. */
export function expectedRate({ tested, accepted }: Acceptance): number {
  return (accepted + PRIOR.accepted) / (tested + PRIOR.tested);
}

/** The rate observed, undefined when nothing was tested. */
export function observedRate({ tested, accepted }: Acceptance): number | undefined {
  return tested > 0 ? accepted / tested : undefined;
}
