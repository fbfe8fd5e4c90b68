/**
 * Sampling with shared randomness: which token is chosen depends on the distribution, the seed, the position and nothing else, so
 * a draft that knows the seed makes the same choice wherever its distribution is close to the target's, and the text is the same
 * with any draft or none (Daliri, Musco, Suresh, "Coupling without Communication and Drafter-Invariant Speculative Decoding",
 * arXiv 2408.07978).
 */

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const upper = (middle % 65536) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(upper / 65536)) >>> 0;
}

/**
 * Philox4x32-10, a counter-based generator: the same counter and key always give the same words, with no state in between (Salmon,
 * Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3; it passes TestU01's BigCrush).
 * @param words the counter, four words; becomes the output
 */
export function philox4x32(words: Uint32Array, keyLow: number, keyHigh: number): void {
  let c0 = words[0] ?? 0;
  let c1 = words[1] ?? 0;
  let c2 = words[2] ?? 0;
  let c3 = words[3] ?? 0;
  let k0 = keyLow;
  let k1 = keyHigh;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

const words = new Uint32Array(4);

/**
 * A number that is uniform in the open interval (0, 1), with 53 bits, for a token at a position.
 * @param seed a safe integer
 * @param position how many tokens, of prompt and output, stand before the token
 */
export function uniform(seed: number, position: number, token: number): number {
  words[0] = token;
  words[1] = position;
  words[2] = 0;
  words[3] = 0;
  philox4x32(words, seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0);
  const low = words[0] ?? 0;
  const high = words[1] ?? 0;
  // 52 bits and a half: neither 0 nor 1 can come out, and every value is exact.
  return ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;
}

/**
 * The token that maximizes log p + g with g = -ln(-ln u), Gumbel noise from `uniform`: token t comes out with probability p(t) over
 * seeds (the Gumbel-max trick; Maddison, Tarlow, Minka, "A* Sampling", NIPS 2014, section 2). p need not be normalized. Among equals
 * the lowest token id wins, so that the order of the map does not matter.
 * @throws RangeError when no token has a probability above 0
 */
export function gumbelChoice(
  probabilities: Iterable<readonly [number, number]>,
  seed: number,
  position: number,
): number {
  let chosen = -1;
  let best = Number.NEGATIVE_INFINITY;
  for (const [token, probability] of probabilities) {
    if (!(probability > 0)) continue;
    const score = Math.log(probability) - Math.log(-Math.log(uniform(seed, position, token)));
    if (score > best || (score === best && token < chosen)) {
      best = score;
      chosen = token;
    }
  }
  if (chosen < 0) throw new RangeError(`no token has a probability above 0 at position ${position}`);
  return chosen;
}
