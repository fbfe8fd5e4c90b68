/** A step of secure aggregation that is not taken: what was said does not fit, or is too little. */
export class SecureAggregationError extends Error {
  override readonly name = 'SecureAggregationError';
}
