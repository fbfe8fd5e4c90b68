/** What is learned together. */
export interface FederatedModel {
  /** What the parameters mean. Both sides have to mean the same. */
  readonly spec: ModelSpec;
  /**
   * Trains on what is private here, from the parameters on.
   *
   * @returns the parameters after it; undefined when there is nothing to learn from
   */
  train(parameters: Float64Array): Promise<Float64Array | undefined>;
  /** How badly the parameters do here; lower is better. */
  evaluate(parameters: Float64Array): Promise<number>;
  /** Uses the parameters from now on; undefined: those that it came with. */
  install(parameters: Float64Array | undefined): Promise<void>;
}

export interface ModelSpec {
  /** Names the kind of model, its inputs and everything that all sides have to have in common. */
  id: string;
  /** Number of parameters; all begin at 0. */
  dimension: number;
}
