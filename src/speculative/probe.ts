/** What was measured of a target on this machine. */
export interface SpeculationProfile {
  /** Every batch of up to this many tokens gives the same bits as tokens evaluated one by one. */
  exactWidth: number;
  /** Milliseconds to evaluate 1, 2, ... tokens in one batch. */
  verifyMs: readonly number[];
}
