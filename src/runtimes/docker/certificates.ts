import type { TcpListener } from '../../skill/index.ts';
import { ALGORITHM, createKeys, exportKey, type Identity, validity, x509 } from '../../x509.ts';
import type { ClientTls } from '../runtime.ts';

/** The name in the certificate of every skill. */
export const SKILL_TLS_NAME = 'skill';

/** Keys and certificates of one launch: each side trusts the other's certificate and no other. */
export async function launchCertificates(): Promise<{ server: Omit<TcpListener, 'port'>; client: ClientTls }> {
  const [server, client] = await Promise.all([selfSigned(SKILL_TLS_NAME), selfSigned('assistant')]);
  return {
    server: { ...server, clientCertificate: client.certificate },
    client: { ...client, serverCertificate: server.certificate },
  };
}

async function selfSigned(name: string): Promise<Identity> {
  const { BasicConstraintsExtension, SubjectAlternativeNameExtension, X509CertificateGenerator } = await x509();
  const keys = await createKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    ...validity(),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys) };
}
