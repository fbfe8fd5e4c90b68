/** A deployment that could not be made, or that could not be made as it was asked for. */
export class DeployError extends Error {
  override readonly name = 'DeployError';
}
