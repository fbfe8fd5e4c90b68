/** Sums of updates of which nobody sees a single one. docs/privacy.md says what that hides, and from whom. */
export { MAX_CLIENTS, MIN_CLIENTS, type RoundContext, thresholdOf } from './context.ts';
export { SecureAggregationError } from './error.ts';
export { type ClientIdentity, identityOf } from './identity.ts';
export { Participant } from './participant.ts';
export { LAST_STAGE, SecureRound, type SecureState, STAGE, secureStateSchema } from './round.ts';
export { checkUnmasking, isPlausibleSum, missingShares, type Received, unmaskedSum } from './unmask.ts';
