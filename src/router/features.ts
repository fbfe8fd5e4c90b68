/**
 * Hashed features of a text (feature hashing with signs: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning",
 * ICML 2009, section 2): words, pairs of words, and n-grams of the letters of a word, which a typo changes only in part.
 */
import type { Featurizer, SparseVector, Visit } from './types.ts';

/** Features of each skill, the bias included. */
export const DIMENSION = 8192;
/** Of a longer text the beginning and the end are read: what is wanted is said there, what it is wanted for lies between. */
const HEAD = 320;
const TAIL = 192;
/** Letters of a word that are read. */
const MAX_WORD = 24;
/** A text with fewer features has a shorter vector: a single word says less, and less surely. */
const FULL = 80;
const [SHORTEST_GRAM, LONGEST_GRAM] = [3, 5];
/** Share of each kind of feature. */
const WORDS = 1;
const PAIRS = 0.3;
const GRAMS = 1;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const WORD_SEED = FNV_OFFSET ^ 1;
const PAIR_SEED = FNV_OFFSET ^ 2;
const GRAM_SEED = FNV_OFFSET ^ 3;
const EDGE = 0x5f;
const DIGIT = 0x30;
/** Signs that say what a text is: questions, code, statements, patches. */
const SIGNS = new Set([...'?;*=`+@/{}<>_:"()-'].map((sign) => sign.charCodeAt(0)));
/** Punctuation, symbols, and halves of surrogate pairs, most of which are emoji. */
const SIGN_RANGES = [
  [0x2000, 0x2bff],
  [0x3000, 0x3003],
  [0xd800, 0xdfff],
] as const;
const ASCII = /^[\0-\x7f]*$/;
const MARKS = /\p{M}+/gu;

/** A text as its features see it: beginning and end, without case, accents and differences in white space. */
export function foldText(text: string): string {
  const part = text.length > HEAD + TAIL ? `${text.slice(0, HEAD)} ${text.slice(-TAIL)}` : text;
  if (ASCII.test(part)) return part.toLowerCase();
  return part
    .normalize('NFKD')
    .replaceAll(MARKS, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(MARKS, '');
}

/** The features that need no model. A text takes some ten microseconds. */
export class HashedFeatures implements Featurizer {
  readonly id: string;
  readonly dimension: number;
  readonly #sums: Float64Array;
  readonly #seen: Uint16Array;
  #count = 0;

  /** @param dimension a power of two, at most 65,536 */
  constructor(dimension = DIMENSION) {
    if (!Number.isInteger(Math.log2(dimension)) || dimension < 2 || dimension > 65_536)
      throw new RangeError(`a dimension is a power of two from 2 to 65536, not ${dimension}`);
    this.id = `ngrams-1/${dimension}`;
    this.dimension = dimension;
    this.#sums = new Float64Array(dimension);
    this.#seen = new Uint16Array(dimension);
  }

  featurize(text: string): SparseVector {
    return this.#collect(text);
  }

  describe(text: string, visit: Visit): void {
    const grams: { hash: number; share: number; gram: string }[] = [];
    this.#collect(text, (hash, share, gram) => grams.push({ hash, share, gram }));
    for (const { hash, share, gram } of grams) visit(this.#indexOf(hash), (signOf(hash) * share) / this.#norm, gram);
  }

  /** What the last vector was divided by. */
  #norm = 1;

  #collect(text: string, tell?: (hash: number, share: number, gram: string) => void): SparseVector {
    const folded = foldText(text);
    const words = wordsOf(folded);
    this.#count = 0;
    let grams = 0;
    for (const { length, isSign } of words) if (!isSign) grams += gramsOf(length);
    const wordShare = WORDS / Math.sqrt(words.length);
    const pairShare = PAIRS / Math.sqrt(Math.max(1, words.length - 1));
    const gramShare = GRAMS / Math.sqrt(grams);
    let last: Word | undefined;
    for (const word of words) {
      this.#add(word.hash, wordShare);
      tell?.(word.hash, wordShare, textOf(folded, word));
      if (last) {
        const hash = pairOf(last.hash, word.hash);
        this.#add(hash, pairShare);
        tell?.(hash, pairShare, `${textOf(folded, last)} ${textOf(folded, word)}`);
      }
      if (!word.isSign) this.#addGrams(folded, word, gramShare, tell);
      last = word;
    }
    return this.#take();
  }

  #addGrams(
    text: string,
    { start, length }: Word,
    share: number,
    tell?: (hash: number, share: number, gram: string) => void,
  ): void {
    // The word stands between edges: at -1 and at its length.
    const codeAt = (at: number) => (at < 0 || at >= length ? EDGE : text.charCodeAt(start + at));
    for (let from = -1; from + SHORTEST_GRAM <= length + 1; from++) {
      let hash = GRAM_SEED;
      for (let at = from; at < from + LONGEST_GRAM && at <= length; at++) {
        hash = mix(hash, codeAt(at));
        if (at - from + 1 < SHORTEST_GRAM) continue;
        const final = finish(hash);
        this.#add(final, share);
        tell?.(
          final,
          share,
          Array.from({ length: at - from + 1 }, (_, n) => String.fromCharCode(codeAt(from + n))).join(''),
        );
      }
    }
  }

  #add(hash: number, share: number): void {
    const index = this.#indexOf(hash);
    if (this.#sums[index] === 0) this.#seen[this.#count++] = index;
    // What cancels out to exactly nothing would be seen twice: it never becomes exactly nothing.
    this.#sums[index] = (this.#sums[index] ?? 0) + signOf(hash) * share || Number.MIN_VALUE;
  }

  /** Never 0: that is the bias. */
  #indexOf(hash: number): number {
    return 1 + ((hash >>> 1) % (this.dimension - 1));
  }

  /** The vector, of length 1 or less beside the bias, and nothing left behind. */
  #take(): SparseVector {
    const indices = new Uint16Array(this.#count + 1);
    const values = new Float32Array(this.#count + 1);
    let squares = 0;
    for (let n = 0; n < this.#count; n++) squares += (this.#sums[this.#seen[n] ?? 0] ?? 0) ** 2;
    const norm = (Math.sqrt(squares) || 1) / Math.min(1, Math.sqrt(this.#count / FULL));
    values[0] = 1;
    for (let n = 0; n < this.#count; n++) {
      const index = this.#seen[n] ?? 0;
      indices[n + 1] = index;
      values[n + 1] = (this.#sums[index] ?? 0) / norm;
      this.#sums[index] = 0;
    }
    this.#norm = norm;
    return { indices, values };
  }
}

/** A word or a sign of a folded text. */
interface Word {
  hash: number;
  start: number;
  length: number;
  isSign: boolean;
}

function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  let start = -1;
  let hash = WORD_SEED;
  const end = (at: number) => {
    if (start < 0) return;
    words.push({ hash: finish(hash), start, length: Math.min(at - start, MAX_WORD), isSign: false });
    start = -1;
  };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isLetter(code)) {
      if (start < 0) {
        start = at;
        hash = WORD_SEED;
      }
      hash = mix(hash, code);
      continue;
    }
    end(at);
    if (isDigit(code)) {
      // A number is a number, whichever it is.
      if (!isDigit(text.charCodeAt(at - 1))) words.push(signAt(at, DIGIT));
    } else if (SIGNS.has(code)) words.push(signAt(at, code));
  }
  end(text.length);
  return words;
}

function signAt(start: number, code: number): Word {
  return { hash: finish(mix(WORD_SEED, code)), start, length: 1, isSign: true };
}

const isDigit = (code: number) => code >= 0x30 && code <= 0x39;

/** ASCII letters, and beyond ASCII everything but emoji and the punctuation and white space that is usual. */
function isLetter(code: number): boolean {
  if (code < 0x80) return code >= 0x61 && code <= 0x7a;
  if (code <= 0xbf || code === 0xfeff) return false;
  return !SIGN_RANGES.some(([first, last]) => code >= first && code <= last);
}

function textOf(text: string, { start, length, isSign }: Word): string {
  const word = text.slice(start, start + length);
  return isSign && isDigit(word.charCodeAt(0)) ? '0' : word;
}

function gramsOf(length: number): number {
  let count = 0;
  for (let size = SHORTEST_GRAM; size <= LONGEST_GRAM; size++) count += Math.max(0, length + 3 - size);
  return count;
}

const pairOf = (first: number, second: number) => finish(Math.imul(first ^ PAIR_SEED, FNV_PRIME) ^ second);
/** FNV-1a, on UTF-16 code units: http://www.isthe.com/chongo/tech/comp/fnv/ */
const mix = (hash: number, code: number) => Math.imul(hash ^ code, FNV_PRIME);
const signOf = (hash: number) => ((hash & 1) === 0 ? 1 : -1);

/** The finalizer of MurmurHash3: every bit depends on every other, as FNV's last do not. */
function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
