/** What is bound, and by how much: (epsilon, delta) of noisy sums of clipped updates. docs/privacy.md explains it. */
export { type AccountantOptions, type Cost, deltaOf, epsilonOf } from './accountant.ts';
export { noiseFor, roundsFor, type Target } from './calibrate.ts';
export { PrivacyError } from './error.ts';
export { gaussianDelta, gaussianEpsilon, gaussianNoise } from './gaussian.ts';
export { addNoise, addNoiseShare, addTo, CLIP_UNITS, clipped, fromLattice, MAX_NOISE, toLattice } from './lattice.ts';
export {
  BudgetError,
  type LedgerRelease,
  type Policy,
  PrivacyLedger,
  type PrivacyReport,
  readPrivacy,
  type Spending,
  spendingReader,
} from './ledger.ts';
export { LedgerError, type LedgerHead } from './ledger-file.ts';
export { ADJACENCIES, type Adjacency, MODES, type Mode, type Release } from './parameters.ts';
export { SecureRandom } from './random.ts';
export { rdpToDelta, rdpToEpsilon, sampledGaussianRdp } from './rdp.ts';
export { type Direction, type OneRelease, sampledGaussianDelta } from './sampled-gaussian.ts';
