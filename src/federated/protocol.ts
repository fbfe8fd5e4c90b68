/** What client and coordinator agree on, beside proto/federation.proto. */
import type { ModelSpec } from './model.ts';

/** Version of what they say to each other. */
export const PROTOCOL = 1;

/** Whether parameters of one model make sense in the other. */
export function isSameSpec(a: ModelSpec, b: ModelSpec): boolean {
  return a.id === b.id && a.dimension === b.dimension;
}

/** As on the wire and in files: little-endian int64. */
export function encodeUpdate(update: BigInt64Array): Buffer {
  const bytes = Buffer.alloc(update.length * 8);
  for (const [n, value] of update.entries()) bytes.writeBigInt64LE(value, n * 8);
  return bytes;
}

export function decodeUpdate(bytes: Uint8Array): BigInt64Array {
  const numbers = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return BigInt64Array.from({ length: bytes.length / 8 }, (_, n) => numbers.readBigInt64LE(n * 8));
}
