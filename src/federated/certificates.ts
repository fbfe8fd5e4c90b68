/** Who is who in a federation: the coordinator is its certificate authority, and gives a certificate to each client. */
import { createHash } from 'node:crypto';
import { ALGORITHM, createKeys, exportKey, type Identity, validity, x509 } from '../x509.ts';
import { FederationError } from './error.ts';

/** The name in the certificate of the coordinator, whatever its address is. */
export const COORDINATOR_TLS_NAME = 'phoenix-coordinator';

/** As Node and browsers each type it. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The certificate authority of a federation. */
export async function createAuthority(): Promise<Identity> {
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } = await x509();
  const keys = await createKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Phoenix federation',
    ...validity(),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys) };
}

/** The identity of the coordinator itself. */
export async function createServerIdentity(authority: Identity): Promise<Identity> {
  const { ExtendedKeyUsageExtension, ExtendedKeyUsage, SubjectAlternativeNameExtension } = await x509();
  const keys = await createKeys();
  const certificate = await signed(authority, keys.publicKey, COORDINATOR_TLS_NAME, [
    new SubjectAlternativeNameExtension([{ type: 'dns', value: COORDINATOR_TLS_NAME }]),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  ]);
  return { certificate: certificate.toString('pem'), key: await exportKey(keys) };
}

/** A key for a client, and what asks for a certificate for it (PKCS#10, DER). */
export async function createRequest(): Promise<{ key: string; request: Uint8Array }> {
  const { Pkcs10CertificateRequestGenerator } = await x509();
  const keys = await createKeys();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=client',
    keys,
    signingAlgorithm: ALGORITHM,
  });
  return { key: await exportKey(keys), request: new Uint8Array(request.rawData) };
}

/**
 * Gives a client its certificate. Nothing of the request but its key is used.
 *
 * @returns the certificate (DER)
 * @throws FederationError when the request is none, or not signed with its own key
 */
export async function certify(authority: Identity, request: Uint8Array, clientId: string): Promise<Uint8Array> {
  const { ExtendedKeyUsageExtension, ExtendedKeyUsage, Pkcs10CertificateRequest } = await x509();
  let publicKey: Key;
  try {
    const parsed = new Pkcs10CertificateRequest(Uint8Array.from(request));
    if (!(await parsed.verify())) throw new Error('it is not signed with its own key');
    publicKey = await parsed.publicKey.export(ALGORITHM, ['verify']);
  } catch (error) {
    throw new FederationError(`this is no certificate request: ${(error as Error).message}`);
  }
  const certificate = await signed(authority, publicKey, clientId, [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
  ]);
  return new Uint8Array(certificate.rawData);
}

/** SHA-256 of a certificate (DER), as it identifies a client. */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex');
}

export async function toPem(certificate: Uint8Array): Promise<string> {
  const { PemConverter } = await x509();
  return PemConverter.encode(Uint8Array.from(certificate).buffer, 'CERTIFICATE');
}

async function signed(
  authority: Identity,
  publicKey: Key,
  name: string,
  extensions: import('@peculiar/x509').Extension[],
): Promise<import('@peculiar/x509').X509Certificate> {
  const { PemConverter, X509Certificate, X509CertificateGenerator } = await x509();
  const [der] = PemConverter.decode(authority.key);
  if (!der) throw new FederationError('the key of the federation cannot be read');
  return await X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: new X509Certificate(authority.certificate).subject,
    ...validity(),
    publicKey,
    signingKey: await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']),
    signingAlgorithm: ALGORITHM,
    extensions,
  });
}
