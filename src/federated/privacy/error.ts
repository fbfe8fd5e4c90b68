/** A question about privacy that makes no sense, or has no answer. */
export class PrivacyError extends Error {
  override readonly name = 'PrivacyError';
}
