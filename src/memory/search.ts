import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { fold } from './fold.ts';
import { type FactRow, toTriple } from './queries.ts';
import type { Triple } from './types.ts';

/** Texts that are looked at between two turns of the event loop. */
const SLICE = 50_000;
/** Texts that may match: who finds more has not said enough. */
const MOST_TERMS = 1000;

/**
 * Facts that are true now and in which subject, verb or object contains a text; best first. Every text is looked at, in turns.
 *
 * @param limit at most so many facts
 */
export async function searchFacts(database: DatabaseSync, text: string, limit: number): Promise<Triple[]> {
  const ids = await matchingTerms(database, fold(text));
  const statement = database.prepare(
    `WITH hit (id) AS (SELECT value FROM json_each(?1))
     SELECT id, subject, verb, object, confidence, source, first_seen, last_seen, count, valid_from, valid_to
     FROM memory_fact WHERE id IN (
       SELECT id FROM memory_fact INDEXED BY memory_live_s WHERE valid_to IS NULL AND s IN hit
       UNION SELECT id FROM memory_fact INDEXED BY memory_live_v WHERE valid_to IS NULL AND v IN hit
       UNION SELECT id FROM memory_fact INDEXED BY memory_live_o WHERE valid_to IS NULL AND o IN hit)
     ORDER BY confidence DESC, last_seen DESC, id DESC LIMIT ?2`,
  );
  statement.setReturnArrays(true);
  return (statement.all(JSON.stringify(ids), limit) as unknown as FactRow[]).map(toTriple);
}

async function matchingTerms(database: DatabaseSync, key: string): Promise<number[]> {
  const last = Number(database.prepare('SELECT max(id) AS id FROM memory_term').get()?.id ?? 0);
  const select = database.prepare(
    'SELECT id FROM memory_term WHERE id > ? AND id <= ? AND instr(key, ?) > 0 ORDER BY id LIMIT ?',
  );
  const ids: number[] = [];
  for (let from = 0; from < last && ids.length < MOST_TERMS; from += SLICE) {
    if (from > 0) await setImmediate();
    for (const { id } of select.all(from, from + SLICE, key, MOST_TERMS - ids.length)) ids.push(Number(id));
  }
  return ids;
}
