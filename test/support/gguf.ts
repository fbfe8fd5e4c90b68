/**
 * Variants of a small GGUF model for tests and benchmarks: other quantizations of the same weights, and twins that cost more but
 * say the same. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
import { readFileSync, writeFileSync } from 'node:fs';

export type TensorType = 'f32' | 'f16' | 'q4_0' | 'q8_0';

export interface VariantOptions {
  /** How the matrices are stored. */
  type: TensorType;
  /** Layers to add whose output is zero: the same tokens at the cost of a larger model. */
  extraLayers?: number;
  /** Width of the feed-forward networks; what is more than before writes nothing. A multiple of 32. */
  width?: number;
  /** A template for conversations (Jinja), so that the model counts as one that can talk. */
  chatTemplate?: string;
}

interface Tensor {
  name: string;
  /** Fastest first. */
  shape: number[];
  values: Float32Array;
}

const TYPE_CODES: Record<TensorType, number> = { f32: 0, f16: 1, q4_0: 2, q8_0: 8 };
const FILE_TYPES: Record<TensorType, number> = { f32: 0, f16: 1, q4_0: 2, q8_0: 7 };
const BLOCK = 32;
const UINT32 = 4;
const STRING = 8;
const ARRAY = 9;
/** Bytes of the values of each type in metadata. */
const SIZES: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

/** @throws Error when the file is no GGUF file of a Llama model that this understands */
export function writeVariant(
  source: string,
  destination: string,
  { type, extraLayers = 0, width, chatTemplate }: VariantOptions,
) {
  const { metadata, tensors } = read(source);
  const layers = metadata.get('llama.block_count')?.readUInt32LE(4);
  if (layers === undefined) throw new Error(`${source} is no Llama model`);
  const own = width === undefined ? tensors : tensors.map((tensor) => widened(tensor, width));
  const last = `blk.${layers - 1}.`;
  const idle = own.filter(({ name }) => name.startsWith(last)).map(silenced);
  const added = Array.from({ length: extraLayers }, (_, n) =>
    idle.map((tensor) => ({ ...tensor, name: tensor.name.replace(last, `blk.${layers + n}.`) })),
  );
  metadata.set('llama.block_count', uint32(layers + extraLayers));
  metadata.set('general.file_type', uint32(FILE_TYPES[type]));
  if (width !== undefined) metadata.set('llama.feed_forward_length', uint32(width));
  if (chatTemplate !== undefined) metadata.set('tokenizer.chat_template', string(chatTemplate));
  writeFileSync(destination, encode(metadata, [...own, ...added.flat()], type));
}

/** A layer adds nothing when the matrices that write to the residual stream are zero. */
function silenced(tensor: Tensor): Tensor {
  const writes = /\.(attn_output|ffn_down)\./.test(tensor.name);
  return writes ? { ...tensor, values: new Float32Array(tensor.values.length) } : tensor;
}

/** More units in a feed-forward network, which compute something and write nothing. */
function widened({ name, shape, values }: Tensor, width: number): Tensor {
  const [columns = 0, rows = 0] = shape;
  if (/\.ffn_(gate|up)\./.test(name)) {
    const wide = Float32Array.from({ length: columns * width }, (_, n) => values[n % values.length] ?? 0);
    return { name, shape: [columns, width], values: wide };
  }
  if (!/\.ffn_down\./.test(name)) return { name, shape, values };
  const wide = new Float32Array(width * rows);
  for (let row = 0; row < rows; row++) wide.set(values.subarray(row * columns, (row + 1) * columns), row * width);
  return { name, shape: [width, rows], values: wide };
}

function read(path: string): { metadata: Map<string, Buffer>; tensors: Tensor[] } {
  const file = readFileSync(path);
  if (file.toString('latin1', 0, 4) !== 'GGUF' || file.readUInt32LE(4) !== 3)
    throw new Error(`${path} is no GGUF 3 file`);
  let at = 24;
  const size = () => {
    at += 8;
    return Number(file.readBigUInt64LE(at - 8));
  };
  const text = () => {
    const length = size();
    at += length;
    return file.toString('utf8', at - length, at);
  };
  const skipValue = (kind: number) => {
    if (kind === STRING) text();
    else at += SIZES[kind] ?? Number.NaN;
  };
  const metadata = new Map<string, Buffer>();
  for (let left = Number(file.readBigUInt64LE(16)); left > 0; left--) {
    const key = text();
    const start = at;
    const kind = file.readUInt32LE(at);
    at += 4;
    if (kind === ARRAY) {
      const items = file.readUInt32LE(at);
      at += 4;
      for (let count = size(); count > 0; count--) skipValue(items);
    } else skipValue(kind);
    metadata.set(key, file.subarray(start, at));
  }
  const infos = Array.from({ length: Number(file.readBigUInt64LE(8)) }, () => {
    const name = text();
    const axes = file.readUInt32LE(at);
    at += 4;
    const shape = Array.from({ length: axes }, size);
    at += 4;
    return { name, shape, type: file.readUInt32LE(at - 4), offset: size() };
  });
  const data = at + ((BLOCK - (at % BLOCK)) % BLOCK);
  const tensors = infos.map(({ name, shape, type, offset }) => {
    const length = shape.reduce((product, axis) => product * axis, 1);
    return { name, shape, values: decodeValues(file.subarray(data + offset), type, length) };
  });
  return { metadata, tensors };
}

function decodeValues(bytes: Buffer, type: number, length: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const valueAt = {
    [TYPE_CODES.f32]: (n: number) => view.getFloat32(n * 4, true),
    [TYPE_CODES.f16]: (n: number) => view.getFloat16(n * 2, true),
    [TYPE_CODES.q8_0]: (n: number) => {
      const block = Math.floor(n / BLOCK) * (BLOCK + 2);
      return view.getFloat16(block, true) * view.getInt8(block + 2 + (n % BLOCK));
    },
  }[type];
  if (valueAt === undefined) throw new Error(`tensors of type ${type} cannot be read`);
  return Float32Array.from({ length }, (_, n) => valueAt(n));
}

function encodeValues(values: Float32Array, type: TensorType): Buffer {
  if (type === 'f32') return Buffer.from(values.buffer);
  if (type === 'f16') return Buffer.from(new Float16Array(values).buffer);
  const bytes = Buffer.alloc((values.length / BLOCK) * (type === 'q8_0' ? BLOCK + 2 : BLOCK / 2 + 2));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let at = 0;
  for (let from = 0; from < values.length; from += BLOCK) {
    const block = values.subarray(from, from + BLOCK);
    const extreme = block.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    const scale = type === 'q8_0' ? Math.abs(extreme) / 127 : extreme / -8;
    const quantized = block.map((value) => (scale === 0 ? 0 : value / scale));
    view.setFloat16(at, scale, true);
    at += 2;
    if (type === 'q8_0') {
      for (const value of quantized) view.setInt8(at++, Math.round(value));
    } else {
      // Two values in a byte: one of the first half of the block below, one of the second half above.
      const nibble = (n: number) => Math.min(15, Math.floor((quantized[n] ?? 0) + 8.5));
      for (let n = 0; n < BLOCK / 2; n++) view.setUint8(at++, nibble(n) | (nibble(n + BLOCK / 2) << 4));
    }
  }
  return bytes;
}

function encode(metadata: Map<string, Buffer>, tensors: Tensor[], type: TensorType): Buffer {
  const head = Buffer.alloc(24);
  head.write('GGUF');
  head.writeUInt32LE(3, 4);
  head.writeBigUInt64LE(BigInt(tensors.length), 8);
  head.writeBigUInt64LE(BigInt(metadata.size), 16);
  const parts = [head, ...Array.from(metadata, ([key, value]) => [text(key), value]).flat()];
  const data: Buffer[] = [];
  let offset = 0;
  // The added layers are the same.
  const encoded = new Map<Float32Array, Buffer>();
  for (const { name, shape, values } of tensors) {
    // Vectors and rows that are no whole number of blocks stay as they are.
    const stored = shape.length === 1 || (shape[0] ?? 0) % BLOCK !== 0 ? 'f32' : type;
    const bytes = encoded.get(values) ?? padded(encodeValues(values, stored));
    encoded.set(values, bytes);
    const info = Buffer.alloc(4 + shape.length * 8 + 12);
    info.writeUInt32LE(shape.length);
    for (const [axis, size] of shape.entries()) info.writeBigUInt64LE(BigInt(size), 4 + axis * 8);
    info.writeUInt32LE(TYPE_CODES[stored], 4 + shape.length * 8);
    info.writeBigUInt64LE(BigInt(offset), 8 + shape.length * 8);
    parts.push(text(name), info);
    data.push(bytes);
    offset += bytes.length;
  }
  return Buffer.concat([padded(Buffer.concat(parts)), ...data]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([length, bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(UINT32);
  bytes.writeUInt32LE(value, 4);
  return bytes;
}

function string(value: string): Buffer {
  const kind = Buffer.alloc(4);
  kind.writeUInt32LE(STRING);
  return Buffer.concat([kind, text(value)]);
}
