/** Something in a federation that its operator has to do something about. */
export class FederationError extends Error {
  override readonly name = 'FederationError';
}
