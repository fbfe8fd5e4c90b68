/** Changes inputs at random. The same random numbers make the same changes. */

/** Numbers at which programs go wrong. */
const EDGES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
/** Text that is hard to take: no UTF-8, halves of characters, ends of lines, NUL, directions, what grows. */
const NASTY = [
  ...[
    '\0',
    '\r\n',
    '\u2028',
    '\ufeff',
    '\u202e',
    '\u200d',
    '\u0301',
    'İ',
    'ß',
    '😀',
    '9'.repeat(30),
    '-1',
    '1e999',
    'NaN',
  ],
  ...['__proto__', 'constructor', 'toString', '../', '/', '\\', "'", '"', '`', '${', '%00', '%s'],
].map((text) => Buffer.from(text));
const BROKEN = [[0xc3], [0xe2, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xff, 0xfe]].map((bytes) =>
  Buffer.from(bytes),
);

export class Mutator {
  readonly #random: () => number;
  readonly #dictionary: readonly Buffer[];
  readonly #maxLength: number;

  constructor(random: () => number, dictionary: readonly string[], maxLength: number) {
    this.#random = random;
    this.#dictionary = dictionary.map((word) => Buffer.from(word));
    this.#maxLength = maxLength;
  }

  /** A number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** An input with one to eight changes. @param others to take pieces from */
  mutate(input: Buffer, others: readonly Buffer[]): Buffer {
    let changed = input;
    for (let left = 1 + this.below(8) * this.below(2); left > 0; left--) changed = this.#change(changed, others);
    return changed.subarray(0, this.#maxLength);
  }

  #change(input: Buffer, others: readonly Buffer[]): Buffer {
    const from = this.below(input.length + 1);
    const to = Math.min(input.length, from + 1 + this.below(this.pick([1, 4, 16, 256])));
    const piece = input.subarray(from, to);
    switch (this.below(9)) {
      case 0: {
        const copy = Buffer.from(input);
        if (from < copy.length) copy[from] = (copy[from] ?? 0) ^ (1 << this.below(8));
        return copy;
      }
      case 1:
        return replaced(input, from, to, Buffer.alloc(0));
      case 2:
        return replaced(
          input,
          from,
          from,
          Buffer.from(Array.from({ length: 1 + this.below(8) }, () => this.below(256))),
        );
      case 3:
        return replaced(input, from, this.pick([from, to]), this.pick([...NASTY, ...BROKEN]));
      case 4:
        return replaced(input, from, from, piece);
      case 5: {
        const times = Math.min(2 ** this.below(14), Math.floor(this.#maxLength / Math.max(1, piece.length)));
        return replaced(input, from, to, Buffer.concat(Array.from({ length: times }, () => piece)));
      }
      case 6: {
        const other = this.pick(others);
        const start = this.below(other.length);
        return replaced(input, from, to, other.subarray(start, start + 1 + this.below(other.length)));
      }
      case 7: {
        const number = Buffer.alloc(8);
        number.writeUInt32LE(this.pick(EDGES));
        return replaced(input, from, to, number.subarray(0, this.pick([1, 2, 4, 8])));
      }
      default:
        if (this.#dictionary.length === 0) return input;
        return replaced(input, from, this.pick([from, to]), this.pick(this.#dictionary));
    }
  }
}

function replaced(input: Buffer, from: number, to: number, piece: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, from), piece, input.subarray(to)]);
}
