import type { RouterWeights, SparseVector } from './types.ts';

/** Most skills that weights are kept for. */
export const MAX_SKILLS = 1024;

/** Weights that do not fit together, or are no numbers. */
export class RouterWeightsError extends Error {
  override readonly name = 'RouterWeightsError';
}

/** Weights that know nothing yet. */
export function emptyWeights(features: string, dimension: number, skills: readonly string[]): RouterWeights {
  return checkedWeights({ features, dimension, skills, values: new Float32Array(dimension * skills.length) });
}

/** @throws RouterWeightsError */
export function checkedWeights(weights: RouterWeights): RouterWeights {
  const { dimension, skills, values } = weights;
  const fail = (what: string): never => {
    throw new RouterWeightsError(`router weights: ${what}`);
  };
  if (!Number.isInteger(dimension) || dimension < 1) fail(`the dimension is ${dimension}`);
  if (skills.length > MAX_SKILLS) fail(`${skills.length} skills are more than ${MAX_SKILLS}`);
  if (new Set(skills).size !== skills.length) fail('a skill stands there twice');
  if (values.length !== dimension * skills.length)
    fail(`${values.length} numbers are not ${dimension} for each of ${skills.length} skills`);
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) fail(`number ${wrong} is ${values[wrong]}`);
  return weights;
}

/** The weights of some skills, in that order; of a skill that they do not know, zeros. */
export function selectSkills(weights: RouterWeights, skills: readonly string[]): RouterWeights {
  const { features, dimension } = weights;
  const selected = emptyWeights(features, dimension, skills);
  for (const [n, skill] of skills.entries()) {
    const row = rowOf(weights, skill);
    if (row) selected.values.set(row, n * dimension);
  }
  return selected;
}

/** The weights of one skill; undefined when there are none. */
export function rowOf({ dimension, skills, values }: RouterWeights, skill: string): Float32Array | undefined {
  const at = skills.indexOf(skill);
  return at < 0 ? undefined : values.subarray(at * dimension, (at + 1) * dimension);
}

/** The raw score of the skill whose weights begin at `from`. */
export function dot(values: Float32Array, from: number, vector: SparseVector): number {
  let sum = 0;
  for (let n = 0; n < vector.indices.length; n++)
    sum += (values[from + (vector.indices[n] ?? 0)] ?? 0) * (vector.values[n] ?? 0);
  return sum;
}

/** Length of a vector, the bias left aside. */
export function lengthOf({ values }: SparseVector): number {
  let squares = 0;
  for (let n = 1; n < values.length; n++) squares += (values[n] ?? 0) ** 2;
  return Math.sqrt(squares);
}

/** How similar a vector is to others, 0 to 1: their cosine, the bias left aside. */
export function similarityTo(vector: SparseVector, dimension: number): (other: SparseVector) => number {
  const dense = new Float32Array(dimension);
  const length = lengthOf(vector) || 1;
  for (let n = 1; n < vector.indices.length; n++) dense[vector.indices[n] ?? 0] = (vector.values[n] ?? 0) / length;
  return (other) => dot(dense, 0, other) / (lengthOf(other) || 1);
}

export const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
