import { HashedFeatures } from './features.ts';
import type { Featurizer, SparseVector, Visit } from './types.ts';

/** Of a longer text the beginning is embedded. */
const MAX_TEXT = 500;
/** How the vector of a model reads in an explanation. */
const MEANING = '(meaning)';
/** Vectors that are kept: the examples are trained with again after each feedback. */
const KEPT = 20_000;

/** Makes texts vectors of a fixed length. */
export interface Embedder {
  /** Names the model: weights belong to one. */
  readonly name: string;
  readonly size: number;
  embed(text: string): Promise<readonly number[]>;
}

/** The hashed features, and beside them the vector that a language model has for the text. */
export class EmbeddingFeatures implements Featurizer {
  readonly id: string;
  readonly dimension: number;
  readonly #hashed = new HashedFeatures();
  readonly #embedder: Embedder;
  readonly #kept = new Map<string, readonly number[]>();

  constructor(embedder: Embedder) {
    this.#embedder = embedder;
    this.id = `${this.#hashed.id}+${embedder.name}/${embedder.size}`;
    this.dimension = this.#hashed.dimension + embedder.size;
  }

  async featurize(text: string): Promise<SparseVector> {
    const hashed = this.#hashed.featurize(text);
    // An empty text has no meaning, either.
    if (hashed.indices.length <= 1) return hashed;
    const dense = await this.#vectorOf(text);
    const { length } = hashed.indices;
    const indices = new Uint16Array(length + dense.length);
    const values = new Float32Array(length + dense.length);
    indices.set(hashed.indices);
    values.set(hashed.values);
    for (const [n, value] of dense.entries()) {
      indices[length + n] = this.#hashed.dimension + n;
      values[length + n] = value;
    }
    return { indices, values };
  }

  async describe(text: string, visit: Visit): Promise<void> {
    this.#hashed.describe(text, visit);
    const { indices, values } = await this.featurize(text);
    for (const [n, index] of indices.entries())
      if (index >= this.#hashed.dimension) visit(index, values[n] ?? 0, MEANING);
  }

  /** The vector of a text, of length 1. */
  async #vectorOf(text: string): Promise<readonly number[]> {
    const part = text.slice(0, MAX_TEXT);
    const kept = this.#kept.get(part);
    if (kept) return kept;
    const raw = await this.#embedder.embed(part);
    const norm = Math.hypot(...raw) || 1;
    const vector = raw.map((value) => value / norm);
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(part, vector);
    return vector;
  }
}
