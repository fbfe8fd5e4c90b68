/**
 * The primitives of secure aggregation, all of them OpenSSL's (through node:crypto) but for the sharing of secrets, which is an audited
 * library: key agreement is X25519 with HKDF-SHA256, sealing AES-256-GCM, masks are the key stream of AES-256-CTR, signatures ECDSA.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { combine, split } from 'shamir-secret-sharing';
import { decodeUpdate } from '../protocol.ts';
import { SecureAggregationError } from './error.ts';

/** Of secrets and keys. */
export const KEY_BYTES = 32;
/** A share of a secret carries its number. */
export const SHARE_BYTES = KEY_BYTES + 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Two shares, sealed. */
export const BOX_BYTES = NONCE_BYTES + 2 * SHARE_BYTES + TAG_BYTES;
export const HASH_BYTES = 32;
/** What stands before a key of X25519 in DER (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');
const PUBLIC_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');

/** A pair of keys of X25519; all of it follows from the secret. */
export interface KeyPair {
  secret: Buffer;
  privateKey: KeyObject;
  publicKey: Buffer;
}

export function newSecret(): Buffer {
  return randomBytes(KEY_BYTES);
}

export function keyPair(secret: Buffer = newSecret()): KeyPair {
  const privateKey = createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, secret]), format: 'der', type: 'pkcs8' });
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { secret, privateKey, publicKey: der.subarray(PUBLIC_PREFIX.length) };
}

/** The secret that two have in common. @throws SecureAggregationError for a key that gives none */
export function agree(own: KeyPair, publicKey: Uint8Array): Buffer {
  try {
    const other = createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, publicKey]), format: 'der', type: 'spki' });
    return diffieHellman({ privateKey: own.privateKey, publicKey: other });
  } catch (error) {
    throw new SecureAggregationError(`a public key is none: ${(error as Error).message}`);
  }
}

/** A key for one use. @param use names it */
export function derive(secret: Uint8Array, context: Uint8Array, use: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, context, use, KEY_BYTES));
}

export function seal(key: Uint8Array, content: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  return Buffer.concat([nonce, cipher.update(content), cipher.final(), cipher.getAuthTag()]);
}

/** @returns undefined when it was not sealed with this key */
export function unseal(key: Uint8Array, box: Uint8Array): Buffer | undefined {
  if (box.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const end = box.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(box.subarray(end));
  try {
    return Buffer.concat([decipher.update(box.subarray(NONCE_BYTES, end)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** As many numbers below 2^64 as are wanted, which look random to everybody without the key. A key is for one mask. */
export function maskOf(key: Uint8Array, length: number): BigUint64Array {
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length * 8));
  return new BigUint64Array(decodeUpdate(stream).buffer);
}

/** Adds modulo 2^64, as the elements of such an array always do. */
export function addMask(sum: BigUint64Array, mask: BigUint64Array): void {
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] ?? 0n) + (mask[n] ?? 0n);
}

export function subtractMask(sum: BigUint64Array, mask: BigUint64Array): void {
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] ?? 0n) - (mask[n] ?? 0n);
}

/** Shares of a secret, `threshold` of which give it back, and fewer tell nothing (Shamir 1979). */
export async function shareSecret(secret: Uint8Array, shares: number, threshold: number): Promise<Buffer[]> {
  return (await split(Uint8Array.from(secret), shares, threshold)).map((share) => Buffer.from(share));
}

export async function joinShares(shares: readonly Uint8Array[]): Promise<Buffer> {
  return Buffer.from(await combine(shares.map((share) => Uint8Array.from(share))));
}
