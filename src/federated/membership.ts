/** Who belongs to a federation: invitations, each of which holds once, and clients. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';

const schema = z.strictObject({
  format: z.literal(1),
  invitations: z.array(z.strictObject({ secretHash: z.string(), expires: z.string() })),
  clients: z.array(z.strictObject({ id: z.string(), fingerprint: z.string(), enrolledAt: z.string() })),
});
type Members = z.output<typeof schema>;

/** The members of a federation, in a file. Several processes of one machine may read it; the newest change counts. */
export class Membership {
  readonly #path: string;

  constructor(folder: string) {
    this.#path = join(folder, 'members.json');
  }

  /** Makes an invitation. Only its hash is kept. @returns the secret */
  invite(validMs: number, now = Date.now()): string {
    const secret = randomBytes(32).toString('base64url');
    const members = this.#read();
    const isValid = ({ expires }: { expires: string }) => Date.parse(expires) > now;
    const invitations = members.invitations.filter(isValid);
    invitations.push({ secretHash: hashOf(secret), expires: new Date(now + validMs).toISOString() });
    this.#write({ ...members, invitations });
    return secret;
  }

  /** Whether somebody may enrol with this secret now. */
  isInvited(secret: string, now = Date.now()): boolean {
    return this.#find(this.#read(), secret, now) !== undefined;
  }

  /** Enrols a client; its invitation is used up. @throws FederationError when there is no such invitation */
  enrol(secret: string, client: { id: string; fingerprint: string }, now = Date.now()): void {
    const members = this.#read();
    const invitation = this.#find(members, secret, now);
    if (!invitation) throw new FederationError('the invitation is unknown, used or expired: ask for another one');
    this.#write({
      ...members,
      invitations: members.invitations.filter((each) => each !== invitation),
      clients: [...members.clients, { ...client, enrolledAt: new Date(now).toISOString() }],
    });
  }

  /** Takes a client out: its certificate is worth nothing from now on. */
  remove(id: string): boolean {
    const members = this.#read();
    const clients = members.clients.filter((client) => client.id !== id);
    if (clients.length === members.clients.length) return false;
    this.#write({ ...members, clients });
    return true;
  }

  get clients(): readonly { id: string; enrolledAt: string }[] {
    return this.#read().clients;
  }

  /** The client of a certificate; undefined when it is none, or no longer. */
  clientOf(fingerprint: string): string | undefined {
    return this.#read().clients.find((client) => client.fingerprint === fingerprint)?.id;
  }

  #find(members: Members, secret: string, now: number) {
    const hash = Buffer.from(hashOf(secret));
    return members.invitations.find(
      ({ secretHash, expires }) => timingSafeEqual(Buffer.from(secretHash), hash) && Date.parse(expires) > now,
    );
  }

  #read(): Members {
    if (!existsSync(this.#path)) return { format: 1, invitations: [], clients: [] };
    try {
      return schema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (error) {
      throw new FederationError(`${this.#path} cannot be read: ${(error as Error).message}`);
    }
  }

  #write(members: Members): void {
    replaceDurably(this.#path, `${JSON.stringify(members, undefined, 2)}\n`);
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
