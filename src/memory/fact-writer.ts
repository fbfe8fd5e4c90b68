import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { EVERYTHING } from './changes.ts';
import { fold } from './fold.ts';
import type { CheckedFact } from './input.ts';
import { combinationOf } from './queries.ts';
import { SINGLE_VALUED_VERBS } from './single-valued.ts';
import type { Terms } from './terms.ts';
import { type Interval, nextMoment, place } from './timeline.ts';
import type { FactSource, Pattern, Triple } from './types.ts';

const INTO = `INSERT INTO memory_fact (s, v, o, subject, verb, object, confidence, source, first_seen, last_seen, count,
  valid_from, valid_to, revision)`;
const INSERT = `${INTO} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** What is new was seen once, at one moment, and is true since then. */
const INSERT_NEW = `${INTO} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, 1, ?9, NULL, ?10)`;

/**
 * Independent observations add up: the probability that all of them are wrong is the product of the single ones (noisy-or;
 * Pearl, Probabilistic Reasoning in Intelligent Systems, 1988, section 4.3.2).
 */
const reinforce = (confidence: string, at: string, validFrom: string, source: string, revision: string) =>
  `confidence = 1 - (1 - confidence) * (1 - ${confidence}), count = count + 1, first_seen = min(first_seen, ${at}),
  last_seen = max(last_seen, ${at}), valid_from = min(valid_from, ${validFrom}),
  source = CASE WHEN ${source} = 'user_input' THEN 'user_input' ELSE source END, revision = ${revision}`;

/** An interval as it stands in the file. A merge may have put its beginning behind the moment at which it was first told. */
interface KnownInterval extends Interval {
  firstSeen: number;
  revision: number;
}

/** Changes facts. Every method runs inside a transaction that the store has begun. */
export class FactWriter {
  /** Of the last change, committed or not. */
  revision: number;
  readonly #database: DatabaseSync;
  readonly #terms: Terms;
  readonly #singleValued: ReadonlySet<string>;
  readonly #isSingle = new Map<number, boolean>();
  readonly #insert: StatementSync;
  readonly #upsert: StatementSync;
  readonly #reinforce: StatementSync;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #intervals: StatementSync;
  readonly #delete: StatementSync;
  readonly #bury: StatementSync;
  /** The latest end of a fact's validity: what is observed after it meets no history. */
  #lastEnd: number;

  constructor(database: DatabaseSync, terms: Terms, singleValued: readonly string[], revision: number) {
    this.#database = database;
    this.#terms = terms;
    this.#singleValued = new Set([...SINGLE_VALUED_VERBS, ...singleValued].map(fold));
    this.revision = revision;
    this.#insert = database.prepare(INSERT);
    this.#upsert = database.prepare(
      `${INSERT_NEW} ON CONFLICT (s, o, v) WHERE valid_to IS NULL DO UPDATE SET ${reinforce(
        'excluded.confidence',
        'excluded.last_seen',
        'excluded.valid_from',
        'excluded.source',
        'excluded.revision',
      )}`,
    );
    this.#reinforce = database.prepare(
      `UPDATE memory_fact SET ${reinforce('?1', '?2', '?3', '?4', '?5')} WHERE id = ?6`,
    );
    this.#begin = database.prepare(
      'UPDATE memory_fact SET valid_from = ?1, last_seen = max(last_seen, ?1), revision = ?2 WHERE id = ?3',
    );
    this.#end = database.prepare('UPDATE memory_fact SET valid_to = max(valid_from, ?), revision = ? WHERE id = ?');
    this.#intervals = database.prepare(
      `SELECT id, o, valid_from AS validFrom, valid_to AS validTo, first_seen AS firstSeen, last_seen AS lastSeen, revision
        FROM memory_fact WHERE valid_to IS NULL AND s = ?1 AND v = ?2
       UNION ALL SELECT id, o, valid_from, valid_to, first_seen, last_seen, revision FROM memory_fact
        WHERE valid_to IS NOT NULL AND s = ?1 AND v = ?2`,
    );
    this.#delete = database.prepare('DELETE FROM memory_fact WHERE id = ?');
    this.#bury = database.prepare('INSERT INTO memory_deleted (revision, id) VALUES (?, ?)');
    const last = database.prepare('SELECT max(valid_to) AS at FROM memory_fact WHERE valid_to IS NOT NULL').get();
    this.#lastEnd = Number(last?.at ?? Number.NEGATIVE_INFINITY);
  }

  /** Takes note of an observation: a new fact, or one more for a known one. */
  store(fact: CheckedFact): void {
    const { subject, verb, object, confidence, source } = fact;
    const s = this.#terms.idOf(subject);
    const v = this.#terms.idOf(verb);
    const o = this.#terms.idOf(object);
    const isSingle = this.#isSingleValued(v, verb);
    const revision = ++this.revision;
    if (!isSingle && fact.at >= this.#lastEnd) {
      this.#upsert.run(s, v, o, subject, verb, object, confidence, source, fact.at, revision);
      return;
    }
    const all = this.#intervalsOf(s, v);
    const others = isSingle ? all : all.filter((interval) => interval.o === o);
    const at = fact.isNow ? nextMoment(others, fact.at) : fact.at;
    const placement = place(others, o, at);
    if (placement.t === 'reinforce') {
      this.#reinforce.run(confidence, at, placement.validFrom, source, revision, placement.id);
      return;
    }
    if (placement.close !== undefined) this.#endValidity(placement.close, at);
    const { validFrom, validTo } = placement;
    this.#insert.run(
      s,
      v,
      o,
      subject,
      verb,
      object,
      confidence,
      source,
      at,
      at,
      1,
      validFrom,
      validTo,
      ++this.revision,
    );
    if (validTo !== null) this.#lastEnd = Math.max(this.#lastEnd, validTo);
  }

  /**
   * Takes over a fact with its past, from an export or a replica. The same one twice changes nothing.
   *
   * @param since for a replica: what is known here of a later revision was told after the record, whatever the clock said
   */
  merge(record: Triple, since?: number): void {
    const { subject, verb, object, confidence, source, firstSeen, lastSeen, count, validFrom } = record;
    let { validTo } = record;
    const [s, v, o] = [this.#terms.idOf(subject), this.#terms.idOf(verb), this.#terms.idOf(object)];
    const intervals = this.#intervalsOf(s, v);
    const ofObject = intervals.filter((interval) => interval.o === o);
    const same =
      ofObject.find((interval) => interval.validFrom === validFrom) ??
      (since === undefined ? undefined : ofObject.find((interval) => interval.firstSeen === firstSeen)) ??
      (validTo === null ? ofObject.find((interval) => interval.validTo === null) : undefined);
    if (same) {
      const isToldAgain = since !== undefined && same.validTo === null && same.revision > since;
      this.#combine(same, isToldAgain ? { ...record, validTo: null } : record);
      return;
    }
    const rival = this.#isSingleValued(v, verb) ? intervals.find((interval) => interval.validTo === null) : undefined;
    if (rival && validTo === null) {
      if (validFrom < rival.validFrom) validTo = rival.validFrom;
      else if (since !== undefined && rival.revision > since) {
        validTo = lastSeen + 1;
        this.#begin.run(validTo, ++this.revision, rival.id);
      } else this.#endValidity(rival.id, validFrom);
    }
    const revision = ++this.revision;
    this.#insert.run(
      ...[s, v, o, subject, verb, object, confidence, source, firstSeen, lastSeen, count, validFrom, validTo, revision],
    );
    if (validTo !== null) this.#lastEnd = Math.max(this.#lastEnd, validTo);
  }

  /** Ends the validity of what matches and is true now. @returns how many */
  retract(pattern: Pattern, at: number): number {
    const ids = this.#idsOf(pattern, ['valid_to IS NULL']);
    for (const id of ids) this.#endValidity(id, at);
    return ids.length;
  }

  /** Replaces what matches and is true now. @returns how many; 0: nothing was changed */
  correct(pattern: Pattern, fact: CheckedFact, wasWrong: boolean): number {
    const ids = this.#idsOf(pattern, ['valid_to IS NULL']);
    if (ids.length === 0) return 0;
    if (wasWrong) this.#deleteAll(ids);
    else for (const id of ids) this.#endValidity(id, fact.at);
    this.store(fact);
    return ids.length;
  }

  /** Deletes what matches, history included. @returns how many */
  forget(pattern: Pattern): number {
    const ids = this.#idsOf(pattern, ['valid_to IS NULL', 'valid_to IS NOT NULL']);
    this.#deleteAll(ids);
    return ids.length;
  }

  /** Deletes what was last seen before a moment. @returns how many */
  rotate(before: number): number {
    const select = this.#database.prepare('SELECT id FROM memory_fact WHERE last_seen < ?');
    const ids = (select.all(before) as { id: number }[]).map(({ id }) => id);
    this.#deleteAll(ids);
    return ids.length;
  }

  /** Deletes everything. */
  clear(): void {
    this.#database.exec('DELETE FROM memory_fact; DELETE FROM memory_term; DELETE FROM memory_deleted');
    this.#bury.run(++this.revision, EVERYTHING);
    this.reset(this.revision);
  }

  /** Back to a revision: what was learned about ids in a transaction that was rolled back does not hold. */
  reset(revision: number): void {
    this.revision = revision;
    this.#terms.forget();
    this.#isSingle.clear();
  }

  #isSingleValued(v: number, verb: string): boolean {
    let isSingle = this.#isSingle.get(v);
    if (isSingle === undefined) {
      isSingle = this.#singleValued.has(fold(verb));
      this.#isSingle.set(v, isSingle);
    }
    return isSingle;
  }

  #intervalsOf(s: number, v: number): KnownInterval[] {
    return this.#intervals.all(s, v) as unknown as KnownInterval[];
  }

  #combine(same: KnownInterval, record: Triple): void {
    // Of the same telling the later beginning counts: a merge has put it behind what was told before.
    const choose = same.firstSeen === record.firstSeen ? Math.max : Math.min;
    const validFrom = choose(same.validFrom, record.validFrom);
    const ends = [same.validTo, record.validTo].filter((end) => end !== null);
    const validTo = ends.length > 0 ? Math.max(validFrom, Math.min(...ends)) : null;
    const statement = `UPDATE memory_fact SET confidence = max(confidence, ?), count = max(count, ?),
      first_seen = min(first_seen, ?), last_seen = max(last_seen, ?), valid_from = ?, valid_to = ?,
      source = CASE WHEN ? = 'user_input' THEN 'user_input' ELSE source END, revision = ? WHERE id = ?`;
    const { confidence, count, firstSeen, lastSeen, source } = record;
    this.#database
      .prepare(statement)
      .run(
        confidence,
        count,
        firstSeen,
        lastSeen,
        validFrom,
        validTo,
        source satisfies FactSource,
        ++this.revision,
        same.id,
      );
    if (validTo !== null) this.#lastEnd = Math.max(this.#lastEnd, validTo);
  }

  #endValidity(id: number, at: number): void {
    this.#end.run(at, ++this.revision, id);
    this.#lastEnd = Math.max(this.#lastEnd, at);
  }

  #deleteAll(ids: readonly number[]): void {
    for (const id of ids) {
      this.#delete.run(id);
      this.#bury.run(++this.revision, id);
    }
  }

  #idsOf(pattern: Pattern, validities: readonly string[]): number[] {
    const terms: number[] = [];
    for (const text of [pattern.subject, pattern.verb, pattern.object]) {
      if (text === undefined) continue;
      const id = this.#terms.find(text);
      if (id === undefined) return [];
      terms.push(id);
    }
    const conditions = [...combinationOf(pattern)].map((column) => `${column} = ?`);
    return validities.flatMap((validity) => {
      const where = [validity, ...conditions].join(' AND ');
      const rows = this.#database.prepare(`SELECT id FROM memory_fact WHERE ${where}`).all(...terms);
      return (rows as { id: number }[]).map(({ id }) => id);
    });
  }
}
