/** Export and import: JSON Lines, version 1. The first line says what follows; every other line is one fact with its past. */
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { checkText, MemoryInputError } from './input.ts';
import type { LocalStore } from './local-store.ts';
import type { Triple } from './types.ts';

const FORMAT = 'phoenix-memory';
const VERSION = 1;

const time = z.int();
const recordSchema = z.strictObject({
  subject: z.string(),
  verb: z.string(),
  object: z.string(),
  confidence: z.number().min(0).max(1),
  source: z.enum(['user_input', 'rag', 'skill']),
  firstSeen: time,
  lastSeen: time,
  count: z.int().min(1),
  validFrom: time,
  validTo: time.nullable(),
});
const headSchema = z.object({ format: z.literal(FORMAT), version: z.literal(VERSION) });

/** Lines between two turns of the event loop: requests are answered while somebody exports. */
const TURN = 100;

/** The lines of an export, without line ends. */
export async function* exportLines(store: LocalStore): AsyncGenerator<string> {
  yield JSON.stringify({ format: FORMAT, version: VERSION });
  let lines = 0;
  for (const record of store.records()) {
    if (++lines % TURN === 0) await setImmediate();
    yield JSON.stringify(record);
  }
}

/**
 * Takes over an export; the same one twice changes nothing. Every line is checked before the first fact is stored.
 *
 * @returns how many facts it had
 * @throws MemoryInputError that names the line
 */
export async function importLines(store: LocalStore, lines: AsyncIterable<string>): Promise<number> {
  const records: Triple[] = [];
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const value = parse(line, number);
    if (number === 1) checkHead(value);
    else records.push(toRecord(value, number));
  }
  if (number === 0) throw new MemoryInputError('line 1', 'there is nothing to import');
  await store.writeAll(records, (writer, record) => writer.merge(record));
  return records.length;
}

function parse(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new MemoryInputError(`line ${number}`, `is no JSON: ${(error as Error).message}`);
  }
}

function checkHead(value: unknown): void {
  if (headSchema.safeParse(value).success) return;
  throw new MemoryInputError(
    'line 1',
    `must be {"format":"${FORMAT}","version":${VERSION}}: is this an export of the memory?`,
  );
}

function toRecord(value: unknown, number: number): Triple {
  const result = recordSchema.safeParse(value);
  if (!result.success) {
    throw new MemoryInputError(`line ${number}`, z.prettifyError(result.error).replaceAll('\n', ' '));
  }
  for (const part of ['subject', 'verb', 'object'] as const) checkText(`line ${number}: ${part}`, result.data[part]);
  return result.data;
}
