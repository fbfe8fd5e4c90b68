import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as setImmediateAsync } from 'node:timers/promises';
import { FactWriter } from './fact-writer.ts';
import { makeCursor, type Position } from './input.ts';
import { Lineage } from './lineage.ts';
import { asFileError, asWriteError, type LocalFile, openLocalFile } from './local-file.ts';
import { LONG, writeLong } from './long-write.ts';
import {
  combinationOf,
  type FactQuery,
  type FactRow,
  factQuery,
  type Mode,
  positionAfter,
  toTriple,
} from './queries.ts';
import { Terms } from './terms.ts';
import type { RecallQuery, Triple } from './types.ts';

const COUNT_FACTS = 'SELECT count(*) AS n FROM memory_fact INDEXED BY memory_live_all WHERE valid_to IS NULL';

/** A question with everything checked and filled in. */
export interface CheckedQuery {
  query: RecallQuery;
  mode: Mode;
  limit: number;
  position: Position | undefined;
}

export interface Page {
  triples: Triple[];
  cursor: string | undefined;
}

/** Makes a page of the rows of a query that asked for one row more than the page has. */
export function toPage({ query, mode, limit }: CheckedQuery, rows: FactRow[]): Page {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    triples: rows.slice(0, limit).map(toTriple),
    cursor: last && makeCursor(query, positionAfter(last, mode)),
  };
}

interface PendingWrite {
  run(writer: FactWriter): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** All facts, in a SQLite file of this machine. Writes that come at the same time share one transaction. */
export class LocalStore {
  readonly lineage: Lineage;
  /** Where a damaged file was put, when there was one. */
  readonly quarantined: string | undefined;
  /** Of the last committed change. */
  revision: number;
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #reader: DatabaseSync;
  readonly #readerTerms: Terms;
  readonly #writer: FactWriter;
  readonly #statements = new Map<string, { query: FactQuery; statement: StatementSync }>();
  #pending: PendingWrite[] = [];
  #isScheduled = false;
  /** Facts when they were last counted, in milliseconds of performance.now(). */
  #counted = { facts: 0, revision: -1, at: 0, took: 0 };
  /** A long transaction that is under way. */
  #long: Promise<void> | undefined;

  constructor(path: string, singleValued: readonly string[]) {
    const file: LocalFile = openLocalFile(path, randomUUID());
    this.#path = path;
    this.#database = file.writer;
    this.#reader = file.reader;
    this.quarantined = file.quarantined;
    const known = this.#database
      .prepare(
        `SELECT store_id, max(revision, coalesce((SELECT max(revision) FROM memory_fact), 0),
          coalesce((SELECT max(revision) FROM memory_deleted), 0)) AS revision FROM memory_replica`,
      )
      .get() as { store_id: string; revision: number };
    try {
      this.lineage = new Lineage(this.#database, known.store_id, known.revision);
    } catch (error) {
      this.#reader.close();
      this.#database.close();
      throw asFileError(path, error);
    }
    this.revision = known.revision;
    this.#readerTerms = new Terms(this.#reader);
    this.#writer = new FactWriter(this.#database, new Terms(this.#database), singleValued, known.revision);
  }

  /** Reads committed facts. */
  read(checked: CheckedQuery): Page {
    const { query, mode, limit, position } = checked;
    const terms: number[] = [];
    for (const text of [query.subject, query.verb, query.object]) {
      if (text === undefined) continue;
      const id = this.#readerTerms.find(text);
      if (id === undefined) return { triples: [], cursor: undefined };
      terms.push(id);
    }
    const { query: facts, statement } = this.#statement(combinationOf(query), mode, position !== undefined);
    const rows = statement.all(...facts.parameters(terms, query.asOf ?? 0, position, limit + 1));
    return toPage(checked, rows as unknown as FactRow[]);
  }

  /** Changes facts; resolves when the change is on the disk. */
  write<T>(change: (writer: FactWriter) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let result: T;
      this.#pending.push({
        run: (writer) => {
          result = change(writer);
        },
        resolve: () => resolve(result),
        reject,
      });
      if (this.#isScheduled) return;
      this.#isScheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  /**
   * Makes many changes in one transaction, all or nothing. Other work gets its turn between them; other writes wait for the
   * end, and readers see the facts as they were before.
   */
  async writeAll<T>(items: readonly T[], change: (writer: FactWriter, item: T) => void): Promise<void> {
    if (items.length <= LONG) {
      return await this.write((writer) => {
        for (const item of items) change(writer, item);
      });
    }
    while (this.#long) await this.#long;
    const work = this.#writeLong(items, change);
    this.#long = this.#afterLong(work);
    await work;
  }

  async #writeLong<T>(items: readonly T[], change: (writer: FactWriter, item: T) => void): Promise<void> {
    this.#flush();
    try {
      await writeLong(this.#database, this.#writer, items, change);
    } catch (error) {
      throw asWriteError(this.#path, error);
    }
    this.revision = this.#writer.revision;
  }

  /** Once the facts are on the disk nobody waits for their way from the write-ahead log into the file. */
  async #afterLong(work: Promise<void>): Promise<void> {
    try {
      await work;
      await setImmediateAsync();
      this.#database.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // Who asked for the work is told. A checkpoint that failed is made by a later transaction.
    } finally {
      this.#long = undefined;
      this.#flush();
    }
  }

  #rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#writer.reset(this.revision);
  }

  /** How many revisions the skill is known to have; notes about deletions up to there are no longer needed. */
  get confirmed(): number {
    return Number(this.#database.prepare('SELECT revision FROM memory_replica').get()?.revision);
  }

  async confirm(revision: number): Promise<void> {
    await this.write(() => {
      this.#database.prepare('UPDATE memory_replica SET revision = ?').run(revision);
      this.#database.prepare('DELETE FROM memory_deleted WHERE revision <= ?').run(revision);
    });
  }

  /** Whether there are notes about deletions that a replica at this revision no longer needs. */
  hasSettledNotes(revision: number): boolean {
    return (
      this.#database.prepare('SELECT 1 FROM memory_deleted WHERE revision <= ? LIMIT 1').get(revision) !== undefined
    );
  }

  /** For what copies the facts: reads with statements of its own. */
  get reader(): DatabaseSync {
    return this.#reader;
  }

  /** Every fact with its past, in the order of their making. */
  *records(): Generator<Triple> {
    const select = this.#reader.prepare(
      `SELECT id, subject, verb, object, confidence, source, first_seen, last_seen, count, valid_from, valid_to
        FROM memory_fact WHERE id > ? ORDER BY id LIMIT 1000`,
    );
    select.setReturnArrays(true);
    let last = 0;
    while (true) {
      const rows = select.all(last) as unknown as FactRow[];
      for (const row of rows) yield toTriple(row);
      const [id] = rows.at(-1) ?? [];
      if (id === undefined) return;
      last = id;
    }
  }

  /** Removes texts that no fact uses any more and gives free space back to the file system. */
  vacuum(): void {
    this.#database.exec(`DELETE FROM memory_term WHERE id NOT IN
      (SELECT s FROM memory_fact UNION SELECT v FROM memory_fact UNION SELECT o FROM memory_fact)`);
    this.#writer.reset(this.revision);
    this.#readerTerms.forget();
    this.#database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize');
  }

  stats(): { facts: number; history: number; terms: number; bytes: number } {
    const count = (sql: string) => Number(this.#reader.prepare(sql).get()?.n);
    return {
      facts: this.#countFacts(),
      history: count('SELECT count(*) AS n FROM memory_fact INDEXED BY memory_past_o WHERE valid_to IS NOT NULL'),
      terms: count('SELECT count(*) AS n FROM memory_term'),
      bytes: ['', '-wal'].reduce(
        (sum, suffix) => sum + (statSync(this.#path + suffix, { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    };
  }

  /** How many facts are true now. Counting takes long where there are millions: it gets one percent of the time. */
  recentFacts(): number {
    const { revision, at, took } = this.#counted;
    const started = performance.now();
    if (revision === this.revision || started < at + took * 100) return this.#counted.facts;
    const facts = this.#countFacts();
    const now = performance.now();
    this.#counted = { facts, revision: this.revision, at: now, took: now - started };
    return facts;
  }

  #countFacts(): number {
    return Number(this.#reader.prepare(COUNT_FACTS).get()?.n);
  }

  async close(): Promise<void> {
    await this.#long;
    this.#flush();
    this.#reader.close();
    try {
      this.#database.exec('PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // No room for that. Everything is in the write-ahead log, and the next start goes on from there.
    }
    this.#database.close();
  }

  #flush(): void {
    this.#isScheduled = false;
    if (this.#long) return;
    const writes = this.#pending;
    if (writes.length === 0) return;
    this.#pending = [];
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { run } of writes) run(this.#writer);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#rollBack();
      const told = asWriteError(this.#path, error);
      for (const { reject } of writes) reject(told);
      return;
    }
    this.revision = this.#writer.revision;
    for (const { resolve } of writes) resolve();
  }

  #statement(combination: string, mode: Mode, isFurtherPage: boolean): { query: FactQuery; statement: StatementSync } {
    const key = `${combination}/${mode}/${isFurtherPage}`;
    let known = this.#statements.get(key);
    if (!known) {
      const query = factQuery(combination, mode, 'id', isFurtherPage);
      const statement = this.#reader.prepare(query.sql);
      statement.setReturnArrays(true);
      known = { query, statement };
      this.#statements.set(key, known);
    }
    return known;
  }
}
