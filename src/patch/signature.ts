/** Detached Ed25519 signatures of diffs (RFC 8032). What is signed is the file, byte for byte, so that other tools can check it, too. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';

/** A key or a signature that cannot be used. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** A new pair in PEM: PKCS #8 and SPKI. */
export function generateKeys(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** @returns the signature, base64. @throws SignatureError when the key is none */
export function signDiff(diff: Uint8Array, privateKey: string): string {
  return sign(null, diff, readKey(createPrivateKey, privateKey, 'private')).toString('base64');
}

/**
 * Whether one of the keys signed the diff.
 *
 * @param publicKeys in PEM, or the base64 in the middle of it
 * @throws SignatureError when a key is none
 */
export function isSignedBy(diff: Uint8Array, signature: string, publicKeys: readonly string[]): boolean {
  const bytes = Buffer.from(signature.trim(), 'base64');
  return publicKeys.some((key) => verify(null, diff, readKey(createPublicKey, toPem(key), 'public'), bytes));
}

function toPem(key: string): string {
  return key.includes('-----BEGIN') ? key : `-----BEGIN PUBLIC KEY-----\n${key.trim()}\n-----END PUBLIC KEY-----`;
}

function readKey(read: (pem: string) => KeyObject, pem: string, kind: 'public' | 'private'): KeyObject {
  let key: KeyObject;
  try {
    key = read(pem);
  } catch (error) {
    throw new SignatureError(`this is no ${kind} key in PEM: ${(error as Error).message}`, { cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new SignatureError(
      `this ${kind} key is of type ${key.asymmetricKeyType}, and must be an Ed25519 one: make one with "phoenix patch keygen"`,
    );
  }
  return key;
}
