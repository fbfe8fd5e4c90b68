import type { FederatedModel } from '../../src/federated/index.ts';

export const MEAN_SPEC = { id: 'mean', dimension: 4 };

/** A model that is easy to judge: it learns the mean of what is private here; its loss is the distance to that. */
export class MeanModel implements FederatedModel {
  readonly spec = MEAN_SPEC;
  installed: Float64Array | undefined;
  readonly #own: number[];

  constructor(own: number[]) {
    this.#own = own;
  }

  async train(parameters: Float64Array): Promise<Float64Array> {
    return parameters.map((value, n) => value + ((this.#own[n] ?? 0) - value) / 2);
  }

  async evaluate(parameters: Float64Array): Promise<number> {
    return Math.hypot(...parameters.map((value, n) => value - (this.#own[n] ?? 0)));
  }

  async install(parameters: Float64Array | undefined): Promise<void> {
    this.installed = parameters;
  }
}
