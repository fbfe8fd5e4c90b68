import { randomNumbers } from '../random.ts';
import type { SparseVector } from '../router/index.ts';

/** Rounds of the iteration; the subspace that texts vary in is found after a few. */
const ITERATIONS = 4;
/** Directions in which texts vary less are left out. */
const SMALLEST_DEVIATION = 1e-6;

/**
 * The few directions in which public texts vary most, by subspace iteration (Golub, Van Loan, "Matrix Computations", section 8.2.4), each
 * centred and scaled so that texts vary as much in one as in another: none of them takes all of what an update may be long. Noise grows with the root of the number of parameters, so what is learned together has few. The texts are
 * public, so that the directions tell of nobody. The same texts give the same numbers, to the bit, on every machine.
 */
export class Subspace {
  readonly rank: number;
  /** Row by feature: `basis[feature * rank + direction]`. The columns are orthonormal. */
  readonly #basis: Float64Array;
  readonly #means: Float64Array;
  readonly #scales: Float64Array;

  constructor(texts: readonly SparseVector[], dimension: number, rank: number) {
    this.rank = rank;
    const random = randomNumbers(1);
    let basis = Float64Array.from({ length: dimension * rank }, () => random() - 0.5);
    orthonormalize(basis, rank);
    for (let n = 0; n < ITERATIONS; n++) {
      const next = new Float64Array(dimension * rank);
      for (const text of texts) addOuter(next, text, project(basis, rank, text));
      orthonormalize(next, rank);
      basis = next;
    }
    this.#basis = basis;
    const projected = texts.map((text) => project(basis, rank, text));
    const mean = (of: (text: Float64Array) => number) =>
      projected.reduce((sum, text) => sum + of(text), 0) / Math.max(1, texts.length);
    this.#means = Float64Array.from({ length: rank }, (_, n) => mean((text) => text[n] ?? 0));
    this.#scales = Float64Array.from({ length: rank }, (_, n) => {
      const deviation = Math.sqrt(mean((text) => ((text[n] ?? 0) - (this.#means[n] ?? 0)) ** 2));
      return deviation > SMALLEST_DEVIATION ? 1 / (deviation * Math.sqrt(rank)) : 0;
    });
  }

  /** What a text is in these directions. */
  project(text: SparseVector): Float64Array {
    const projected = project(this.#basis, this.rank, text);
    return projected.map((value, n) => (value - (this.#means[n] ?? 0)) * (this.#scales[n] ?? 0));
  }

  /** Weights of all features that give every text what `vector` gives to its projection. */
  expand(vector: ArrayLike<number>): Float64Array {
    const { rank } = this;
    const scaled = this.#scales.map((scale, n) => scale * (vector[n] ?? 0));
    const weights = Float64Array.from({ length: this.#basis.length / rank }, (_, feature) => {
      let sum = 0;
      for (let n = 0; n < rank; n++) sum += (this.#basis[feature * rank + n] ?? 0) * (scaled[n] ?? 0);
      return sum;
    });
    // Feature 0 is 1 in every text: the bias.
    const offset = scaled.reduce((sum, value, n) => sum + value * (this.#means[n] ?? 0), 0);
    weights[0] = (weights[0] ?? 0) - offset;
    return weights;
  }
}

function project(basis: Float64Array, rank: number, { indices, values }: SparseVector): Float64Array {
  const projected = new Float64Array(rank);
  for (let i = 0; i < indices.length; i++) {
    const [row, value] = [(indices[i] ?? 0) * rank, values[i] ?? 0];
    for (let n = 0; n < rank; n++) projected[n] = (projected[n] ?? 0) + value * (basis[row + n] ?? 0);
  }
  return projected;
}

function addOuter(sum: Float64Array, { indices, values }: SparseVector, vector: Float64Array): void {
  const rank = vector.length;
  for (let i = 0; i < indices.length; i++) {
    const [row, value] = [(indices[i] ?? 0) * rank, values[i] ?? 0];
    for (let n = 0; n < rank; n++) sum[row + n] = (sum[row + n] ?? 0) + value * (vector[n] ?? 0);
  }
}

/** Modified Gram-Schmidt, of the columns. */
function orthonormalize(basis: Float64Array, rank: number): void {
  const rows = basis.length / rank;
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += (basis[row * rank + a] ?? 0) * (basis[row * rank + b] ?? 0);
    return sum;
  };
  for (let column = 0; column < rank; column++) {
    for (let other = 0; other < column; other++) {
      const share = dot(column, other);
      for (let row = 0; row < rows; row++)
        basis[row * rank + column] = (basis[row * rank + column] ?? 0) - share * (basis[row * rank + other] ?? 0);
    }
    const length = Math.sqrt(dot(column, column));
    // Fewer directions than were asked for: the rest stays empty.
    const scale = length > 1e-9 ? 1 / length : 0;
    for (let row = 0; row < rows; row++) basis[row * rank + column] = (basis[row * rank + column] ?? 0) * scale;
  }
}
