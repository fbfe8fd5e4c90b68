/** The secrets of a coordinator, and how clients come to know whom to trust. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Identity } from '../x509.ts';
import { createAuthority, createServerIdentity } from './certificates.ts';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import { encodeInvitation } from './invitation.ts';
import { Membership } from './membership.ts';
import { createSigningKeys } from './signed-model.ts';

export interface Secrets {
  authority: Identity;
  server: Identity;
  keys: { privateKey: string; publicKey: string };
}

/** What invitations tell: where to go, and what to expect. */
export interface Address {
  host: string;
  port: number;
  enrolmentPort: number;
  /** With secure aggregation. */
  secure?: true;
}

export function writeAddress(folder: string, address: Address): void {
  replaceDurably(addressPath(folder), `${JSON.stringify(address)}\n`);
}

/** Makes an invitation to the federation of a folder. @throws FederationError when it never ran */
export async function invite(folder: string, validMs: number): Promise<string> {
  const path = addressPath(folder);
  if (!existsSync(path))
    throw new FederationError('nothing was served from here yet: run "phoenix federate serve" first');
  const { host, port, enrolmentPort, secure } = JSON.parse(readFileSync(path, 'utf8')) as Address;
  const { authority, keys } = await readSecrets(folder);
  const secret = new Membership(folder).invite(validMs);
  return encodeInvitation({
    host,
    port,
    enrolmentPort,
    authority: authority.certificate,
    modelKey: keys.publicKey,
    secret,
    ...(secure && { secure }),
  });
}

/** Keys of the federation; made when there are none. */
export async function readSecrets(folder: string): Promise<Secrets> {
  const path = join(folder, 'keys.json');
  if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Secrets;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const authority = await createAuthority();
  const secrets: Secrets = { authority, server: await createServerIdentity(authority), keys: createSigningKeys() };
  replaceDurably(path, `${JSON.stringify(secrets)}\n`);
  return secrets;
}

function addressPath(folder: string): string {
  return join(folder, 'address.json');
}
