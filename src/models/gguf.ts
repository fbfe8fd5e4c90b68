/**
 * The header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md), read without native code: what is damaged
 * or no model must not get that far.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ModelError } from './error.ts';

/** A value of the metadata; long arrays that nobody asks for are left out. */
export type GgufValue = string | number | bigint | boolean | GgufValue[];

export interface GgufHeader {
  /** Of the format: 2 or 3. */
  version: number;
  metadata: ReadonlyMap<string, GgufValue>;
  tensors: { name: string; shape: number[]; type: number }[];
  /** Bytes of the whole file. */
  size: number;
}

const MAGIC = 'GGUF';
const READ_BYTES = 1024 ** 2;
const ALIGNMENT = 32;
const MOST_TENSORS = 1_000_000;
const MOST_AXES = 4;
const STRING = 8;
const ARRAY = 9;

/** Size in bytes and reader of the scalar types, by their number. */
const SCALARS: Record<number, [bytes: number, read: (bytes: Buffer) => GgufValue]> = {
  0: [1, (bytes) => bytes.readUInt8()],
  1: [1, (bytes) => bytes.readInt8()],
  2: [2, (bytes) => bytes.readUInt16LE()],
  3: [2, (bytes) => bytes.readInt16LE()],
  4: [4, (bytes) => bytes.readUInt32LE()],
  5: [4, (bytes) => bytes.readInt32LE()],
  6: [4, (bytes) => bytes.readFloatLE()],
  7: [1, (bytes) => bytes.readUInt8() !== 0],
  10: [8, (bytes) => bytes.readBigUInt64LE()],
  11: [8, (bytes) => bytes.readBigInt64LE()],
  12: [8, (bytes) => bytes.readDoubleLE()],
};

/** Name, values in a block and bytes of a block of the tensor types, by their number (ggml.h, ggml-common.h). */
const TENSOR_TYPES: Record<number, [name: string, values: number, bytes: number]> = {
  0: ['F32', 1, 4],
  1: ['F16', 1, 2],
  2: ['Q4_0', 32, 18],
  3: ['Q4_1', 32, 20],
  6: ['Q5_0', 32, 22],
  7: ['Q5_1', 32, 24],
  8: ['Q8_0', 32, 34],
  9: ['Q8_1', 32, 36],
  10: ['Q2_K', 256, 84],
  11: ['Q3_K', 256, 110],
  12: ['Q4_K', 256, 144],
  13: ['Q5_K', 256, 176],
  14: ['Q6_K', 256, 210],
  15: ['Q8_K', 256, 292],
  16: ['IQ2_XXS', 256, 66],
  17: ['IQ2_XS', 256, 74],
  18: ['IQ3_XXS', 256, 98],
  19: ['IQ1_S', 256, 50],
  20: ['IQ4_NL', 32, 18],
  21: ['IQ3_S', 256, 110],
  22: ['IQ2_S', 256, 82],
  23: ['IQ4_XS', 256, 136],
  24: ['I8', 1, 1],
  25: ['I16', 1, 2],
  26: ['I32', 1, 4],
  27: ['I64', 1, 8],
  28: ['F64', 1, 8],
  29: ['IQ1_M', 256, 56],
  30: ['BF16', 1, 2],
  34: ['TQ1_0', 256, 54],
  35: ['TQ2_0', 256, 66],
  39: ['MXFP4', 32, 17],
};

export function tensorTypeName(type: number): string {
  return TENSOR_TYPES[type]?.[0] ?? `type ${type}`;
}

/**
 * Reads the header and checks that the file holds all the tensors that it announces.
 *
 * @param wanted which arrays of the metadata to keep; the texts of a vocabulary take megabytes
 * @throws ModelError that says what is wrong with the file
 */
export function readGguf(path: string, wanted: (key: string) => boolean = () => false): GgufHeader {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ModelError(isMissing ? `there is no model file ${path}` : `${path}: ${(error as Error).message}`);
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw new ModelError(`${path} is no file`);
    return readHeader(new Cursor(file, path, stat.size), wanted);
  } finally {
    closeSync(file);
  }
}

function readHeader(cursor: Cursor, wanted: (key: string) => boolean): GgufHeader {
  const magic = cursor.size < MAGIC.length ? '' : cursor.take(MAGIC.length).toString('latin1');
  if (magic !== MAGIC) throw new ModelError(`${cursor.path} is no GGUF file: it does not begin with "${MAGIC}"`);
  const version = cursor.take(4).readUInt32LE();
  if (version !== 2 && version !== 3) {
    throw new ModelError(`${cursor.path} is GGUF version ${version}; versions 2 and 3 can be used: convert it anew`);
  }
  const tensorCount = cursor.count(MOST_TENSORS, 'tensors');
  const keyCount = cursor.count(MOST_TENSORS, 'metadata keys');
  const metadata = new Map<string, GgufValue>();
  for (let n = 0; n < keyCount; n++) {
    const key = cursor.text();
    const value = cursor.value(cursor.take(4).readUInt32LE(), wanted(key));
    if (value !== undefined) metadata.set(key, value);
  }
  let end = 0;
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = cursor.text();
    const axes = cursor.take(4).readUInt32LE();
    if (axes > MOST_AXES) cursor.fail(`tensor ${name} has ${axes} axes`);
    const shape = Array.from({ length: axes }, () => cursor.count(Number.MAX_SAFE_INTEGER, 'values'));
    const type = cursor.take(4).readUInt32LE();
    const offset = cursor.count(Number.MAX_SAFE_INTEGER, 'bytes');
    // A type that is newer than this list: its size is not known, its beginning is.
    const [, values, bytes] = TENSOR_TYPES[type] ?? ['', 1, 0];
    end = Math.max(end, offset + (product(shape) / values) * bytes);
    return { name, shape, type };
  });
  const alignment = Number(metadata.get('general.alignment') ?? ALIGNMENT);
  const needed = Math.ceil(cursor.at / alignment) * alignment + end;
  if (cursor.size < needed) cursor.truncated(needed);
  return { version, metadata, tensors, size: cursor.size };
}

/** How many values a tensor of this shape has. */
export function product(shape: readonly number[]): number {
  return shape.reduce((values, axis) => values * axis, 1);
}

/** Reads a file from its beginning, a piece at a time. */
class Cursor {
  readonly path: string;
  readonly size: number;
  at = 0;
  readonly #file: number;
  #piece = Buffer.alloc(0);
  #pieceAt = 0;

  constructor(file: number, path: string, size: number) {
    this.#file = file;
    this.path = path;
    this.size = size;
  }

  take(length: number): Buffer {
    if (length > this.size - this.at) this.truncated();
    const from = this.at - this.#pieceAt;
    this.at += length;
    if (from + length <= this.#piece.length) return this.#piece.subarray(from, from + length);
    this.#pieceAt = this.at - length;
    this.#piece = Buffer.alloc(Math.max(READ_BYTES, length));
    this.#piece = this.#piece.subarray(0, readSync(this.#file, this.#piece, { position: this.#pieceAt }));
    if (this.#piece.length < length) this.truncated();
    return this.#piece.subarray(0, length);
  }

  skip(length: number): void {
    if (length > this.size - this.at) this.truncated();
    this.at += length;
    const from = this.at - this.#pieceAt;
    if (from <= this.#piece.length) return;
    this.#piece = Buffer.alloc(0);
    this.#pieceAt = this.at;
  }

  /** A 64-bit number that must not be above a limit: lengths of a damaged file are anything. */
  count(most: number, what: string): number {
    const value = this.take(8).readBigUInt64LE();
    if (value > BigInt(most)) this.fail(`it announces ${value} ${what}`);
    return Number(value);
  }

  text(): string {
    return this.take(this.count(this.size, 'bytes of text')).toString('utf8');
  }

  value(type: number, keepArray: boolean): GgufValue | undefined {
    if (type === STRING) return this.text();
    if (type === ARRAY) return this.#array(keepArray);
    const [bytes, read] = SCALARS[type] ?? this.fail(`it holds a value of the unknown type ${type}`);
    return read(this.take(bytes));
  }

  #array(keep: boolean): GgufValue[] | undefined {
    const type = this.take(4).readUInt32LE();
    const length = this.count(this.size, 'values');
    const scalar = SCALARS[type];
    if (keep) return Array.from({ length }, () => this.value(type, true) ?? '');
    if (scalar) this.skip(scalar[0] * length);
    else if (type === STRING) for (let n = 0; n < length; n++) this.skip(this.count(this.size, 'bytes of text'));
    else for (let n = 0; n < length; n++) this.value(type, false);
    return undefined;
  }

  fail(why: string): never {
    throw new ModelError(`${this.path} is a damaged GGUF file: ${why}`);
  }

  truncated(needed?: number): never {
    const of = needed === undefined ? '' : ` of ${needed}`;
    throw new ModelError(`${this.path} is not complete: it ends after ${this.size}${of} bytes; pull or copy it again`);
  }
}
