import type { TcpListener } from '../../skill/index.ts';
import type { ClientTls } from '../runtime.ts';

/** The name in the certificate of every skill. */
export const SKILL_TLS_NAME = 'skill';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of an engine's virtual machine may be behind ours, in milliseconds. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;
/** A launch does not last longer, in milliseconds. */
const VALIDITY_MS = 10 * 365 * 24 * 3_600_000;

/** Keys and certificates of one launch: each side trusts the other's certificate and no other. */
export async function launchCertificates(): Promise<{ server: Omit<TcpListener, 'port'>; client: ClientTls }> {
  const [server, client] = await Promise.all([selfSigned(SKILL_TLS_NAME), selfSigned('assistant')]);
  return {
    server: { ...server, clientCertificate: client.certificate },
    client: { ...client, serverCertificate: server.certificate },
  };
}

async function selfSigned(name: string): Promise<{ certificate: string; key: string }> {
  // Loaded here because only launches over a port need it.
  await import('reflect-metadata');
  const { BasicConstraintsExtension, PemConverter, SubjectAlternativeNameExtension, X509CertificateGenerator } =
    await import('@peculiar/x509');
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - CLOCK_TOLERANCE_MS),
    notAfter: new Date(Date.now() + VALIDITY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificate: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
}
