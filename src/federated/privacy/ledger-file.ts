/** The file of a ledger: one line of JSON for each entry, and its head beside it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { z } from 'zod';
import { ADJACENCIES } from './parameters.ts';

/** The ledger is not what it was, or a round is not allowed. */
export class LedgerError extends Error {
  override readonly name = 'LedgerError';
}

export const policySchema = z.strictObject({
  type: z.literal('policy'),
  /** Most that may be spent, at this delta. */
  epsilon: z.number().positive(),
  delta: z.number().gt(0).lt(1),
  adjacency: z.enum(ADJACENCIES),
  /** What is protected: everything that one client ever sends. */
  unit: z.literal('client'),
});

export const releaseSchema = z.strictObject({
  type: z.literal('release'),
  round: z.int().positive(),
  /** Trees share noise between rounds: one round of them has no cost of its own. */
  mode: z.enum(['poisson', 'full', 'secure']),
  /** In clipping norms. */
  noise: z.number().positive(),
  rate: z.number().gt(0).max(1),
  /** Components of the sum that was released. */
  dimension: z.int().positive(),
  /** Of how many clients' noise the noise is the sum, at least; with secure aggregation. */
  shares: z.int().positive().optional(),
  /** The clipping norm and what the sum was divided by: they say nothing of privacy, but what was released. */
  clip: z.number().positive(),
  divisor: z.number().positive(),
  /** Of everything up to here; null for infinite. */
  epsilon: z.number().nonnegative().nullable(),
});

const unaccountedSchema = z.strictObject({ type: z.literal('unaccounted'), reason: z.string() });

const eventSchema = z.discriminatedUnion('type', [policySchema, releaseSchema, unaccountedSchema]);
const entrySchema = z.strictObject({
  format: z.literal(1),
  sequence: z.int().positive(),
  /** ISO 8601. */
  at: z.string(),
  previous: z.string(),
  event: eventSchema,
  hash: z.string(),
});
const headSchema = z.strictObject({ format: z.literal(1), sequence: z.int().positive(), hash: z.string() });

export type LedgerEvent = z.output<typeof eventSchema>;
export type Entry = z.output<typeof entrySchema>;

/** Where the ledger is: what refers to it can tell later that it was not shortened. */
export interface LedgerHead {
  sequence: number;
  hash: string;
}

/** What the first entry follows. */
export const START = '0'.repeat(64);

/**
 * The entries of a ledger, each checked.
 *
 * @param repair removes a line that was being written when the machine stopped
 * @throws LedgerError when it was edited, shortened or lost
 */
export function readLedger(path: string, { repair }: { repair: boolean }): Entry[] {
  const head = readHead(path);
  if (!existsSync(path)) {
    if (head)
      throw new LedgerError(
        `${path} is lost, and it had ${head.sequence} entries: put it back; nothing is released until then`,
      );
    return [];
  }
  const text = readFileSync(path, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  const entries: Entry[] = [];
  for (const [n, line] of lines.entries()) entries.push(readEntry(line, `${path}:${n + 1}`, entries.at(-1)));
  if (head && entries[head.sequence - 1]?.hash !== head.hash)
    throw new LedgerError(
      `${path} was shortened or replaced: entry ${head.sequence} is not the one that was written. Put back the file; nothing is released until then`,
    );
  const last = entries.length - (head?.sequence ?? 0);
  // One entry more than the head knows is a crash between the two; more are none of ours.
  if (last > 1)
    throw new LedgerError(
      `${path} has ${last} entries that were not written here: its head is at ${head?.sequence ?? 0}`,
    );
  // A line without its end was being written when the machine stopped: nothing was released after it.
  if (repair && whole.length < text.length) truncateSync(path, Buffer.byteLength(whole));
  return entries;
}

function readEntry(line: string, where: string, last: Entry | undefined): Entry {
  let entry: Entry;
  try {
    entry = JSON.parse(line) as Entry;
    // The hash is of what is written: it is kept as it is.
    entrySchema.parse(entry);
  } catch {
    throw new LedgerError(`${where}: this is no entry of a ledger of format 1: it was edited`);
  }
  const { hash, ...content } = entry;
  const follows = entry.sequence === (last?.sequence ?? 0) + 1 && entry.previous === (last?.hash ?? START);
  if (hash !== hashOf(content) || !follows)
    throw new LedgerError(
      `${where}: the entry was edited, or one before it: its hash does not fit. Put back the file; nothing is released until then`,
    );
  return entry;
}

function readHead(path: string): LedgerHead | undefined {
  const headPath = headPathOf(path);
  if (!existsSync(headPath)) return undefined;
  try {
    return headSchema.parse(JSON.parse(readFileSync(headPath, 'utf8')));
  } catch {
    throw new LedgerError(`${headPath} cannot be read: it was edited`);
  }
}

export function headPathOf(path: string): string {
  return path.replace(/\.jsonl$/, '.head.json');
}

export function hashOf(content: Omit<Entry, 'hash'>): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
