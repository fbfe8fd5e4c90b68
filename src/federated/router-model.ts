/** The router as what is learned together: few parameters for each skill, on top of what every installation has. */
import { createHash } from 'node:crypto';
import {
  type Example,
  HashedFeatures,
  heldOutCorpus,
  type Labelled,
  label,
  type RoutedSkill,
  type RouterWeights,
  trainingCorpus,
  trainModel,
} from '../router/index.ts';
import type { FederatedModel, ModelSpec } from './model.ts';
import { Subspace } from './subspace.ts';

/** Directions of each skill. */
const RANK = 64;
const VERSION = 1;
const EPOCHS = 10;
const LEARNING_RATE = 40;
const SMALLEST = 1e-7;

/** What an installation has of its own. */
export interface RouterHome {
  /** What nobody else may see. */
  examples(): Promise<readonly Example[]>;
  /** Uses weights; undefined: those that were trained here. */
  use(weights: RouterWeights | undefined): Promise<void>;
}

/** Requests that everybody has. */
export interface PublicCorpora {
  training: readonly (Example & { group: string })[];
  heldOut: readonly Example[];
}

const COMES_ALONG = (): PublicCorpora => ({ training: trainingCorpus(), heldOut: heldOutCorpus() });

/** A request in the directions that are learned. */
interface Projected {
  inputs: Float64Array;
  /** What the public weights say of each skill. */
  offsets: Float64Array;
  labels: Int8Array;
  weight: number;
}

/**
 * Parameters `skill * RANK + direction` that are added to the weights that come from public requests alone. Weights of other origin, such
 * as feedback, are in none of what is sent.
 */
export class FederatedRouter implements FederatedModel {
  readonly spec: ModelSpec;
  readonly #base: RouterWeights;
  readonly #subspace: Subspace;
  readonly #features = new HashedFeatures();
  readonly #home: RouterHome;
  readonly #public: readonly Projected[];

  private constructor(base: RouterWeights, home: RouterHome, { training, heldOut }: PublicCorpora) {
    this.#base = base;
    this.#home = home;
    this.#subspace = new Subspace(
      training.map(({ text }) => this.#features.featurize(text)),
      this.#features.dimension,
      RANK,
    );
    this.#public = this.#projected(heldOut);
    this.spec = specOf(base, training);
  }

  /** @param skills those that come with Phoenix: others are known to one installation alone */
  static async open(
    skills: readonly RoutedSkill[],
    home: RouterHome,
    corpora: PublicCorpora = COMES_ALONG(),
  ): Promise<FederatedRouter> {
    return new FederatedRouter(await publicWeights(skills, corpora.training), home, corpora);
  }

  async train(parameters: Float64Array): Promise<Float64Array | undefined> {
    const examples = await this.#home.examples();
    return examples.length === 0 ? undefined : this.#descend(parameters, this.#projected(examples));
  }

  /** Mean logarithmic loss, of public requests that nothing was trained with and, where there are any, of what users said here. */
  async evaluate(parameters: Float64Array): Promise<number> {
    const own = this.#projected(await this.#home.examples());
    const parts = [this.#public, own].filter((each) => each.length > 0);
    return parts.reduce((sum, each) => sum + this.#loss(parameters, each), 0) / parts.length;
  }

  async install(parameters: Float64Array | undefined): Promise<void> {
    await this.#home.use(parameters && this.weightsOf(parameters));
  }

  /** The weights of a router with these parameters. */
  weightsOf(parameters: Float64Array): RouterWeights {
    const { dimension, skills } = this.#base;
    const values = Float32Array.from(this.#base.values);
    for (const n of skills.keys()) {
      const change = this.#subspace.expand(parameters.subarray(n * RANK, (n + 1) * RANK));
      for (const [feature, value] of change.entries())
        values[n * dimension + feature] = (values[n * dimension + feature] ?? 0) + value;
    }
    return { ...this.#base, values };
  }

  #projected(examples: readonly Example[]): Projected[] {
    const { skills, dimension, values } = this.#base;
    return examples.map((example) => {
      const vector = this.#features.featurize(example.text);
      const { labels, weight }: Labelled = label(example, vector, skills);
      const offsets = Float64Array.from(skills, (_, n) => {
        let sum = 0;
        for (let i = 0; i < vector.indices.length; i++)
          sum += (values[n * dimension + (vector.indices[i] ?? 0)] ?? 0) * (vector.values[i] ?? 0);
        return sum;
      });
      return { inputs: this.#subspace.project(vector), offsets, labels, weight };
    });
  }

  /** Gradient descent on the mean logarithmic loss. */
  #descend(from: Float64Array, examples: readonly Projected[]): Float64Array {
    const parameters = Float64Array.from(from);
    const total = examples.reduce((sum, { weight }) => sum + weight, 0) || 1;
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const gradient = new Float64Array(parameters.length);
      for (const { inputs, offsets, labels, weight } of examples) {
        for (const [skill, wanted] of labels.entries()) {
          if (wanted < 0) continue;
          const error = (probability(parameters, skill, inputs, offsets) - wanted) * (weight / total);
          for (const [n, input] of inputs.entries())
            gradient[skill * RANK + n] = (gradient[skill * RANK + n] ?? 0) + error * input;
        }
      }
      for (const [n, slope] of gradient.entries()) parameters[n] = (parameters[n] ?? 0) - LEARNING_RATE * slope;
    }
    return parameters;
  }

  #loss(parameters: Float64Array, examples: readonly Projected[]): number {
    let [sum, count] = [0, 0];
    for (const { inputs, offsets, labels } of examples) {
      for (const [skill, wanted] of labels.entries()) {
        if (wanted < 0) continue;
        const score = probability(parameters, skill, inputs, offsets);
        sum -= Math.log(Math.max(SMALLEST, wanted === 1 ? score : 1 - score));
        count++;
      }
    }
    return count === 0 ? 0 : sum / count;
  }
}

function probability(parameters: Float64Array, skill: number, inputs: Float64Array, offsets: Float64Array): number {
  let score = offsets[skill] ?? 0;
  for (let n = 0; n < RANK; n++) score += (parameters[skill * RANK + n] ?? 0) * (inputs[n] ?? 0);
  return 1 / (1 + Math.exp(-score));
}

/** What a coordinator has to know: it trains nothing itself. */
export async function routerSpec(skills: readonly RoutedSkill[]): Promise<ModelSpec> {
  const training = trainingCorpus();
  return specOf(await publicWeights(skills, training), training);
}

async function publicWeights(
  skills: readonly RoutedSkill[],
  corpus: PublicCorpora['training'],
): Promise<RouterWeights> {
  const routed = skills.filter(({ examples }) => examples.length > 0);
  const { weights } = await trainModel({ featurizer: new HashedFeatures(), skills: routed, corpus }, '');
  return weights;
}

/** All that has to be equal on both sides is in the name: skills, features, and the weights and texts that everybody has. */
function specOf({ features, skills, values }: RouterWeights, corpus: PublicCorpora['training']): ModelSpec {
  const hash = createHash('sha256')
    .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    .update(JSON.stringify(corpus.map(({ text }) => text)))
    .digest('hex');
  return {
    id: `router-${VERSION} ${features} ${skills.join(',')} ${hash.slice(0, 16)}`,
    dimension: skills.length * RANK,
  };
}
