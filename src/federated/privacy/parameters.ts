import { PrivacyError } from './error.ts';

/** What two neighbouring populations differ in: one client is there or not, or one is exchanged for another. */
export type Adjacency = 'add_remove' | 'replace_one';
export const ADJACENCIES: readonly Adjacency[] = ['add_remove', 'replace_one'];

/**
 * Who takes part in a round: everybody with the same probability and without anybody else knowing (poisson), everybody always (full), or
 * everybody always with noise that is shared between rounds (tree).
 */
export type Mode = 'poisson' | 'full' | 'tree';
export const MODES: readonly Mode[] = ['poisson', 'full', 'tree'];

/** Rounds with the same parameters. */
export interface Release {
  mode: Mode;
  /** Standard deviation of the noise on the sum, in clipping norms. */
  noise: number;
  /** Probability to take part in a round; for poisson. */
  rate?: number;
  rounds: number;
  /** In how many of the rounds one client takes part at most; for tree, 1 by default. */
  participations?: number;
}

/** @throws PrivacyError that says what is wrong */
export function checkedRelease({ mode, noise, rate, rounds, participations = 1 }: Release): Required<Release> {
  if (!MODES.includes(mode)) throw new PrivacyError(`mode: ${MODES.join(', ')}, not ${mode}`);
  if (!(noise >= 0)) throw new PrivacyError(`noise: a number from 0, in clipping norms, not ${noise}`);
  if (mode === 'poisson' && !(rate !== undefined && rate >= 0 && rate <= 1))
    throw new PrivacyError(`rate: a probability from 0 to 1, not ${rate}`);
  if (mode !== 'poisson' && rate !== undefined && rate !== 1)
    throw new PrivacyError(`rate: mode ${mode} means everybody in every round, so not ${rate}`);
  if (!(Number.isSafeInteger(rounds) && rounds >= 0))
    throw new PrivacyError(`rounds: a whole number from 0, not ${rounds}`);
  if (!(Number.isSafeInteger(participations) && participations >= 1))
    throw new PrivacyError(`participations: a whole number from 1, not ${participations}`);
  return { mode, noise, rate: rate ?? 1, rounds, participations: Math.min(participations, Math.max(1, rounds)) };
}

/** @throws PrivacyError */
export function checkedDelta(delta: number): number {
  if (!(delta >= 0 && delta <= 1)) throw new PrivacyError(`delta: a probability from 0 to 1, not ${delta}`);
  return delta;
}

/** @throws PrivacyError */
export function checkedEpsilon(epsilon: number): number {
  if (!(epsilon >= 0)) throw new PrivacyError(`epsilon: a number from 0, not ${epsilon}`);
  return epsilon;
}
