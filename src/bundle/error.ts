/** A skill whose source does not build. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}
