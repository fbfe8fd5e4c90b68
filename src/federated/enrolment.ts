/** What makes an installation a client of a federation: its certificate, and whom it trusts. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { z } from 'zod';
import { federation } from '../contract/index.ts';
import { createRequest, toPem } from './certificates.ts';
import { addressOf, callbackOptions, TLS_OPTIONS, unary } from './connection.ts';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import { decodeInvitation } from './invitation.ts';
import { PROTOCOL } from './protocol.ts';

const membershipSchema = z.strictObject({
  format: z.literal(1),
  host: z.string(),
  port: z.int(),
  authority: z.string(),
  modelKey: z.string(),
  certificate: z.string(),
  key: z.string(),
  /** Secure aggregation was promised: no update is sent in clear. */
  secure: z.literal(true).optional(),
});
export type Enrolled = z.output<typeof membershipSchema>;

/** Whether this installation belongs to a federation. */
export function isEnrolled(folder: string): boolean {
  return existsSync(join(folder, 'enrolment.json'));
}

/** Forgets the federation: certificate, models and state. */
export function removeEnrolment(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith('.json')) rmSync(join(folder, name));
}

/**
 * Enrols this installation. The key of its certificate is made here and stays here.
 *
 * @throws FederationError when the invitation holds no longer, or nobody answers
 */
export async function enrol(folder: string, invitation: string): Promise<void> {
  const { host, port, enrolmentPort, authority, modelKey, secret, secure } = decodeInvitation(invitation);
  const { key, request } = await createRequest();
  const client = new federation.EnrolmentClient(
    addressOf(host, enrolmentPort),
    credentials.createSsl(Buffer.from(authority)),
    TLS_OPTIONS,
  );
  try {
    const { certificate } = await unary<federation.EnrolResponse>((callback) =>
      client.enrol(
        { protocol: PROTOCOL, secret, certificateRequest: Buffer.from(request) },
        new Metadata(),
        callbackOptions(),
        callback,
      ),
    );
    const enrolled: Enrolled = {
      format: 1,
      host,
      port,
      authority,
      modelKey,
      key,
      certificate: await toPem(certificate),
      ...(secure && { secure }),
    };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceDurably(join(folder, 'enrolment.json'), `${JSON.stringify(enrolled)}\n`);
  } finally {
    client.close();
  }
}

export function readEnrolment(folder: string): Enrolled {
  const path = join(folder, 'enrolment.json');
  if (!existsSync(path))
    throw new FederationError('this installation belongs to no federation: join with an invitation');
  try {
    return membershipSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
