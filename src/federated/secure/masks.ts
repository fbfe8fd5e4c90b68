/** What masks are made of. Clients and coordinator have to derive the same. */
import { contextHash, encoded, hashOf, type RoundContext } from './context.ts';
import { derive, maskOf } from './primitives.ts';

/** The mask that a client takes off only by the shares of others. */
export function selfMask(context: RoundContext, secret: Uint8Array): BigUint64Array {
  return maskOf(derive(secret, contextHash(context), encoded('own mask')), context.dimension);
}

/** The mask that one of two adds and the other subtracts. */
export function pairMask(context: RoundContext, shared: Uint8Array, a: string, b: string): BigUint64Array {
  const [first, second] = a < b ? [a, b] : [b, a];
  return maskOf(derive(shared, contextHash(context), encoded('mask of two', first, second)), context.dimension);
}

/** Says which share it was, and nothing about it: shares are random numbers of 256 bits. */
export function shareHash(
  context: RoundContext,
  kind: 'self' | 'key',
  from: string,
  to: string,
  share: Uint8Array,
): Buffer {
  return hashOf('share', contextHash(context), kind, from, to, share);
}
