/** Who says what in a round: the certificates of the federation sign for the keys of one round. */
import { createPrivateKey, createPublicKey, sign, verify, X509Certificate } from 'node:crypto';
import type { federation } from '../../contract/index.ts';
import { contextHash, encoded, hashOf, type RoundContext } from './context.ts';
import { SecureAggregationError } from './error.ts';
import { KEY_BYTES } from './primitives.ts';

export interface ClientIdentity {
  /** The name in the certificate. */
  client: string;
  /** DER. */
  certificate: Buffer;
  sign(message: Uint8Array): Buffer;
}

/** Of certificate and key, PEM. */
export function identityOf(certificate: string, key: string): ClientIdentity {
  const parsed = new X509Certificate(certificate);
  const privateKey = createPrivateKey(key);
  return {
    client: nameIn(parsed),
    certificate: parsed.raw,
    sign: (message) => sign('sha256', message, privateKey),
  };
}

export function keysMessage(context: RoundContext, { client, sealKey, maskKey }: federation.ClientKeys): Buffer {
  return encoded('keys', contextHash(context), client, sealKey, maskKey);
}

/** What clients confirm before they reveal anything: the same keys, the same updates. */
export function confirmationMessage(
  context: RoundContext,
  roster: readonly federation.ClientKeys[],
  included: readonly string[],
): Buffer {
  const keys = [...roster].sort(byClient).map((each) => hashOf('roster', each.client, each.sealKey, each.maskKey));
  return encoded('confirmation', contextHash(context), Buffer.concat(keys), JSON.stringify([...included].sort()));
}

/**
 * Checks the keys of a client.
 *
 * @param authority certificate of the federation, PEM
 * @throws SecureAggregationError
 */
export function checkKeys(context: RoundContext, keys: federation.ClientKeys, authority: string): void {
  const { client, sealKey, maskKey, certificate, signature } = keys;
  if (sealKey.length !== KEY_BYTES || maskKey.length !== KEY_BYTES || sealKey.equals(maskKey))
    throw new SecureAggregationError(`the keys of ${client} are none`);
  let owner: X509Certificate;
  try {
    owner = new X509Certificate(certificate);
  } catch {
    throw new SecureAggregationError(`${client} has no certificate`);
  }
  if (!owner.verify(createPublicKey(authority)) || nameIn(owner) !== client)
    throw new SecureAggregationError(`the certificate of ${client} is not of this federation, or of somebody else`);
  if (!verify('sha256', keysMessage(context, keys), owner.publicKey, signature))
    throw new SecureAggregationError(`the keys of ${client} are not signed for this round`);
}

/** @throws SecureAggregationError */
export function checkConfirmation(
  message: Buffer,
  { client, signature }: federation.Confirmation,
  roster: readonly federation.ClientKeys[],
): void {
  const keys = roster.find((each) => each.client === client);
  if (!keys || !verify('sha256', message, new X509Certificate(keys.certificate).publicKey, signature))
    throw new SecureAggregationError(`${client} has not confirmed the same round`);
}

export function byClient(a: { client: string }, b: { client: string }): number {
  return a.client < b.client ? -1 : 1;
}

function nameIn({ subject }: X509Certificate): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? '';
}
