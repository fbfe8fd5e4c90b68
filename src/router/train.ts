import { randomNumbers } from '../random.ts';
import { HashedFeatures } from './features.ts';
import type { Example, RouterWeights, SparseVector } from './types.ts';
import { checkedWeights, dot, RouterWeightsError, sigmoid } from './weights.ts';

export interface TrainOptions {
  /** How often each example is seen. Default 10. */
  epochs?: number;
  /** Of AdaGrad. Default 0.5. */
  learningRate?: number;
  /** Pull towards the weights that training began with, for each epoch. Default 0.000003. */
  l2?: number;
  /** Order of the examples. Default 1. */
  seed?: number;
  /** Skills whose weights are trained; the others stay as they are. Default: all. */
  skills?: readonly string[];
}

/** An example with its features, and for each skill 1 (it is for it), 0 (it is not) or -1 (nobody knows). */
export interface Labelled {
  vector: SparseVector;
  labels: Int8Array;
  weight: number;
}

/** Of a rare skill the requests count more, up to so many times. */
const MAX_BALANCE = 8;
/** An error this small teaches nothing. */
const NEGLIGIBLE = 0.01;
/** Keeps the first steps of AdaGrad finite. */
const EPSILON = 1e-4;

/**
 * Trains on examples, from the given weights on: logistic regression for each skill by AdaGrad (Duchi, Hazan, Singer, JMLR 12, 2011).
 * The same input gives the same weights, to the bit, on every machine.
 *
 * @throws RouterWeightsError when the weights are not of the hashed features, or are no numbers
 */
export function trainLocal(
  weights: RouterWeights,
  examples: readonly Example[],
  options: TrainOptions = {},
): RouterWeights {
  const features = hashedFeaturesOf(weights);
  return trainVectors(
    weights,
    examples.map((example) => label(example, features.featurize(example.text), weights.skills)),
    options,
  );
}

/** The featurizer of weights. @throws RouterWeightsError when they belong to another kind */
export function hashedFeaturesOf({ features, dimension }: RouterWeights): HashedFeatures {
  const hashed = new HashedFeatures(dimension);
  if (hashed.id !== features)
    throw new RouterWeightsError(`router weights: they are for the features "${features}", not for "${hashed.id}"`);
  return hashed;
}

export function label({ skills, wrong, weight = 1 }: Example, vector: SparseVector, all: readonly string[]): Labelled {
  const labels = Int8Array.from(all, (skill) => {
    if (skills.includes(skill)) return 1;
    return wrong === undefined || wrong.includes(skill) ? 0 : -1;
  });
  return { vector, labels, weight };
}

/** `trainLocal` on features. */
export function trainVectors(
  weights: RouterWeights,
  examples: readonly Labelled[],
  options: TrainOptions = {},
): RouterWeights {
  const steps = trainSteps(weights, examples, options);
  while (true) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same, with a chance after each epoch to do something else. */
export function* trainSteps(
  weights: RouterWeights,
  examples: readonly Labelled[],
  { epochs = 10, learningRate = 0.5, l2 = 3e-6, seed = 1, skills = weights.skills }: TrainOptions = {},
): Generator<void, RouterWeights> {
  const { dimension } = checkedWeights(weights);
  const values = Float32Array.from(weights.values);
  const trained = weights.skills.flatMap((skill, n) => (skills.includes(skill) ? [n] : []));
  const balances = trained.map((n) => balanceOf(examples, n));
  const squares = new Float32Array(values.length);
  const order = Uint32Array.from(examples, (_, n) => n);
  const random = randomNumbers(seed);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    for (const at of order) {
      const example = examples[at];
      if (!example) continue;
      const { vector, labels, weight } = example;
      for (const [n, skill] of trained.entries()) {
        const wanted = labels[skill] ?? -1;
        if (wanted < 0) continue;
        const from = skill * dimension;
        const error = sigmoid(dot(values, from, vector)) - wanted;
        if (Math.abs(error) < NEGLIGIBLE) continue;
        step(values, squares, from, vector, error * weight * (wanted === 1 ? (balances[n] ?? 1) : 1), learningRate);
      }
    }
    const pull = l2 * examples.length;
    if (pull > 0) for (const skill of trained) decay(values, weights.values, skill * dimension, dimension, pull);
    yield;
  }
  return checkedWeights({ ...weights, values });
}

function step(
  values: Float32Array,
  squares: Float32Array,
  from: number,
  { indices, values: x }: SparseVector,
  error: number,
  learningRate: number,
): void {
  for (let i = 0; i < indices.length; i++) {
    const at = from + (indices[i] ?? 0);
    const gradient = error * (x[i] ?? 0);
    const square = (squares[at] ?? 0) + gradient * gradient;
    squares[at] = square;
    values[at] = (values[at] ?? 0) - (learningRate * gradient) / Math.sqrt(square + EPSILON);
  }
}

function decay(values: Float32Array, towards: Float32Array, from: number, length: number, share: number): void {
  const pull = Math.min(1, share / (1 + share));
  for (let at = from; at < from + length; at++) {
    const value = values[at] ?? 0;
    values[at] = value + pull * ((towards[at] ?? 0) - value);
  }
}

/** How much a request for a skill counts, relative to one that is not for it. */
function balanceOf(examples: readonly Labelled[], skill: number): number {
  let [yes, no] = [0, 0];
  for (const { labels, weight } of examples) {
    if (labels[skill] === 1) yes += weight;
    if (labels[skill] === 0) no += weight;
  }
  return yes === 0 ? 1 : Math.min(MAX_BALANCE, Math.max(1, Math.sqrt(no / yes)));
}

/** Fisher and Yates. */
export function shuffle(items: { [index: number]: number; readonly length: number }, random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const item = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = item;
  }
}
