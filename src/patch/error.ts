/** A tree that cannot be tried on. */
export class PatchError extends Error {
  override readonly name = 'PatchError';
}
