import type { Position } from './input.ts';
import { INDEX_OF } from './schema.ts';
import type { FactSource, Pattern, RecallQuery, Triple } from './types.ts';

/** What a query returns of each fact, in this order. */
const COLUMNS = 'id, subject, verb, object, confidence, source, first_seen, last_seen, count, valid_from, valid_to';

/** A row of these columns. */
export type FactRow = [
  number,
  string,
  string,
  string,
  number,
  FactSource,
  number,
  number,
  number,
  number,
  number | null,
];

export function toTriple([, subject, verb, object, confidence, source, ...rest]: FactRow): Triple {
  const [firstSeen, lastSeen, count, validFrom, validTo] = rest;
  return { subject, verb, object, confidence, source, firstSeen, lastSeen, count, validFrom, validTo };
}

/** Which facts are read: those that are true now, those that were true at a moment, or all of them in order of time. */
export type Mode = 'now' | 'as_of' | 'history';

/** How the ids of the folded texts get into the statement: known already, or looked up by the statement itself. */
export type TermLookup = 'id' | 'key';

const TERM: Record<TermLookup, string> = { id: '?', key: '(SELECT id FROM memory_term WHERE key = ?)' };
const ORDER: Record<Mode, readonly [string, string]> = {
  now: ['confidence', 'last_seen'],
  as_of: ['confidence', 'last_seen'],
  history: ['valid_from', 'last_seen'],
};

/** Which of subject, verb and object a pattern names: `sv`, for example, or nothing. */
export function combinationOf({ subject, verb, object }: Pattern): string {
  return `${subject === undefined ? '' : 's'}${verb === undefined ? '' : 'v'}${object === undefined ? '' : 'o'}`;
}

export function modeOf({ asOf }: RecallQuery): Mode {
  return asOf === undefined ? 'now' : 'as_of';
}

/** A statement and how its parameters are made. */
export interface FactQuery {
  sql: string;
  parameters(
    terms: readonly (number | string)[],
    asOf: number,
    position: Position | undefined,
    limit: number,
  ): (number | string)[];
}

/** The query for a combination of subject, verb and object. Every part of its text is a constant of this file. */
export function factQuery(combination: string, mode: Mode, lookup: TermLookup, isFurtherPage: boolean): FactQuery {
  const [first, second] = ORDER[mode];
  const terms = [...combination].map((column) => `${column} = ${TERM[lookup]}`);
  const page = isFurtherPage ? [`(${first}, ${second}, id) < (?, ?, ?)`] : [];
  const order = `ORDER BY ${first} DESC, ${second} DESC, id DESC LIMIT ?`;
  if (mode === 'now') {
    return {
      sql: `SELECT ${COLUMNS} FROM memory_fact INDEXED BY ${INDEX_OF[combination]}
        WHERE ${['valid_to IS NULL', ...terms, ...page].join(' AND ')} ${order}`,
      parameters: (values, _asOf, position, limit) => [...values, ...(position ?? []), limit],
    };
  }
  // Two branches, because an index covers either what is true now or what was.
  const moment = mode === 'as_of' ? ['valid_from <= ?'] : [];
  const branch = (...validity: string[]) =>
    `SELECT ${COLUMNS} FROM memory_fact WHERE ${[...validity, ...terms, ...moment].join(' AND ')}`;
  const past = mode === 'as_of' ? 'valid_to IS NOT NULL AND valid_to > ?' : 'valid_to IS NOT NULL';
  return {
    sql: `SELECT * FROM (${branch('valid_to IS NULL')} UNION ALL ${branch(past)})
      ${page.length > 0 ? `WHERE ${page}` : ''} ${order}`,
    parameters: (values, asOf, position, limit) => {
      const at = mode === 'as_of' ? [asOf] : [];
      return [...values, ...at, ...at, ...values, ...at, ...(position ?? []), limit];
    },
  };
}

/** Where the page after this row begins. */
export function positionAfter(row: FactRow, mode: Mode): Position {
  return [mode === 'history' ? row[9] : row[4], row[7], row[0]];
}
