/** Whether an installation takes part in its federation: a switch that several processes of one machine may read. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceDurably } from './durable.ts';
import { isEnrolled } from './enrolment.ts';
import { FederationError } from './error.ts';

/**
 * Pauses a client, or lets it go on. While it is paused it asks for nothing, and nothing of it is sent, a round that is under way included;
 * it stays a member, and uses the model that it has.
 *
 * @param folder of the client
 * @throws FederationError where there is no federation
 */
export function setPaused(folder: string, isPaused: boolean): void {
  if (!isEnrolled(folder)) throw new FederationError('this installation belongs to no federation');
  if (isPaused) replaceDurably(pathOf(folder), `${JSON.stringify({ format: 1, since: new Date().toISOString() })}\n`);
  else rmSync(pathOf(folder), { force: true });
}

export function isPaused(folder: string): boolean {
  return existsSync(pathOf(folder));
}

function pathOf(folder: string): string {
  return join(folder, 'paused.json');
}
