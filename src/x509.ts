/** Keys and certificates of connections that Phoenix makes for itself: P-256, made with @peculiar/x509. */

export const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks may differ, that of an engine's virtual machine too, in milliseconds. */
const CLOCK_TOLERANCE_MS = 24 * 3_600_000;
/** No launch and no federation lasts longer, in milliseconds. */
const VALIDITY_MS = 10 * 365 * 24 * 3_600_000;

/** A certificate with its key, PEM. */
export interface Identity {
  certificate: string;
  key: string;
}

/** The library, loaded only where certificates are needed. */
export async function x509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}

export function createKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

/** From a day ago on, for ten years. */
export function validity(): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(Date.now() - CLOCK_TOLERANCE_MS),
    notAfter: new Date(Date.now() + VALIDITY_MS),
  };
}

/** A private key as PKCS#8, PEM. */
export async function exportKey({ privateKey }: Awaited<ReturnType<typeof createKeys>>): Promise<string> {
  const { PemConverter } = await x509();
  return PemConverter.encode(await crypto.subtle.exportKey('pkcs8', privateKey), 'PRIVATE KEY');
}
