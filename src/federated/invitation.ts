import { z } from 'zod';
import { FederationError } from './error.ts';

const PREFIX = 'phoenix-federation-1.';

const schema = z.strictObject({
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  enrolmentPort: z.int().min(1).max(65_535),
  /** Certificate of the federation, PEM: the client trusts this one alone. */
  authority: z.string(),
  /** Key that models are signed with, PEM. */
  modelKey: z.string(),
  /** Holds once. */
  secret: z.string(),
  /** Secure aggregation: the client never sends an update in clear. */
  secure: z.literal(true).optional(),
});

/** Everything that a client needs to enrol. It is secret. */
export type Invitation = z.output<typeof schema>;

export function encodeInvitation(invitation: Invitation): string {
  return PREFIX + Buffer.from(JSON.stringify(invitation)).toString('base64url');
}

/** @throws FederationError */
export function decodeInvitation(text: string): Invitation {
  try {
    if (!text.startsWith(PREFIX)) throw new Error('it has another beginning');
    return schema.parse(JSON.parse(Buffer.from(text.slice(PREFIX.length), 'base64url').toString('utf8')));
  } catch {
    throw new FederationError('this is no invitation: "phoenix federate invite" of the coordinator makes one');
  }
}
