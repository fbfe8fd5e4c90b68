/** A model that cannot be found, read, pulled or loaded; the message says what to do. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
}
