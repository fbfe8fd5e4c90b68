/** Trying patches in isolation, and their signatures. */
export type { PatchRequest, PatchResult } from './protocol.ts';
export { generateKeys, isSignedBy, SignatureError, signDiff } from './signature.ts';
export { type TriedPatch, type TryOptions, tryPatch } from './try-patch.ts';
