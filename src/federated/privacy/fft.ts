/** Complex numbers, their real and imaginary parts apart. */
export interface Complex {
  re: Float64Array;
  im: Float64Array;
}

/**
 * The discrete Fourier transform in place, sum of z_j e^(-2 pi i j k / N): decimation in time, radix 2 (Cooley, Tukey 1965). Roots of
 * unity come from sine and cosine each, so that the error stays within `fftError`.
 */
export class Fft {
  readonly size: number;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;

  /** @param size a power of two */
  constructor(size: number) {
    this.size = size;
    this.#cos = new Float64Array(size / 2);
    this.#sin = new Float64Array(size / 2);
    for (let n = 0; n < size / 2; n++) {
      this.#cos[n] = Math.cos((2 * Math.PI * n) / size);
      this.#sin[n] = Math.sin((2 * Math.PI * n) / size);
    }
  }

  forward({ re, im }: Complex): void {
    const { size } = this;
    const [cos, sin] = [this.#cos, this.#sin];
    reverseBits(re);
    reverseBits(im);
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half);
      for (let start = 0; start < size; start += 2 * half) {
        for (let n = 0, root = 0; n < half; n++, root += stride) {
          const a = start + n;
          const b = a + half;
          const c = cos[root] as number;
          const s = sin[root] as number;
          const x = re[b] as number;
          const y = im[b] as number;
          const u = x * c + y * s;
          const v = y * c - x * s;
          re[b] = (re[a] as number) - u;
          im[b] = (im[a] as number) - v;
          re[a] = (re[a] as number) + u;
          im[a] = (im[a] as number) + v;
        }
      }
    }
  }

  /** The inverse, without the division by N: what is real on both sides is computed by exchanging real and imaginary parts. */
  inverse({ re, im }: Complex): void {
    this.forward({ re: im, im: re });
  }
}

/**
 * Largest relative error of a transform in the Euclidean norm (Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition,
 * theorem 24.2), with roots of unity within two units in the last place.
 */
export function fftError(size: number): number {
  return 8 * 2 ** -53 * Math.log2(size) * 1.01;
}

function reverseBits(values: Float64Array): void {
  const size = values.length;
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j |= bit;
    if (i < j) {
      const value = values[i] as number;
      values[i] = values[j] as number;
      values[j] = value;
    }
  }
}
