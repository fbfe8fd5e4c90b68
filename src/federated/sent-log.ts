/** What left an installation as a client of a federation: a list that its owner can read. No more than that these bytes were sent. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { appendDurably, replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';

/** How many are kept; when there are twice as many, the older half goes. */
const KEPT = 1000;

const sentSchema = z.strictObject({
  format: z.literal(1),
  /** When, ISO 8601. */
  at: z.iso.datetime(),
  round: z.int().positive(),
  /** What it was: an update that the coordinator can read, or one of which only the sum of all tells something. */
  what: z.enum(['update', 'masked']),
  /** How many numbers it holds. */
  numbers: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
});
export type SentUpdate = Omit<z.output<typeof sentSchema>, 'format'>;

/** Writes down what is about to be sent: what may have left stands there, even if the machine stops now. */
export function noteSent(folder: string, update: Omit<SentUpdate, 'at'>): void {
  const line = JSON.stringify({ format: 1, at: new Date().toISOString(), ...update });
  const path = pathOf(folder);
  const lines = linesOf(path);
  if (lines.length < 2 * KEPT) appendDurably(path, `${line}\n`);
  else replaceDurably(path, `${[...lines.slice(-KEPT), line].join('\n')}\n`);
}

/**
 * @param limit how many at most
 * @returns the newest first
 * @throws FederationError when the list was damaged
 */
export function readSent(folder: string, limit = KEPT): SentUpdate[] {
  const path = pathOf(folder);
  return linesOf(path)
    .slice(-limit)
    .reverse()
    .map((line) => {
      try {
        const { format: _, ...update } = sentSchema.parse(JSON.parse(line));
        return update;
      } catch (error) {
        throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
      }
    });
}

/** Whole lines: a machine that stopped may have left the beginning of one. */
function linesOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

function pathOf(folder: string): string {
  return join(folder, 'sent.jsonl');
}
