import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { RemoteStatement, SqlParameter } from './remote-sql.ts';
import { indexStatements, SCHEMA_VERSION, TABLES } from './schema.ts';

/** Stands for every fact in the notes about deletions; no fact has this id. */
export const EVERYTHING = 0;

/** Facts, and characters of them, in one transaction: while one is made and taken over, other calls of both sides wait. */
const MAX_FACTS = 2000;
const MAX_LENGTH = 4 * 1024 ** 2;

const FACT_COLUMNS = [
  ...['id', 's', 'v', 'o', 'subject', 'verb', 'object', 'confidence', 'source', 'first_seen', 'last_seen', 'count'],
  ...['valid_from', 'valid_to', 'revision'],
];
const REVISION = FACT_COLUMNS.indexOf('revision');
const UPSERT = `INSERT INTO memory_fact (${FACT_COLUMNS.join(', ')}) VALUES (${FACT_COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET ${FACT_COLUMNS.slice(1)
    .map((column) => `${column} = excluded.${column}`)
    .join(', ')}`;

/** A text that was removed and came back has another id than the replica may still know. */
const LEARN_TERM = `INSERT OR REPLACE INTO memory_term (id, key) SELECT ?1, ?2
  WHERE NOT EXISTS (SELECT 1 FROM memory_term WHERE id = ?1 AND key = ?2)`;

const CLEAR: readonly RemoteStatement[] = [{ sql: 'DELETE FROM memory_fact' }, { sql: 'DELETE FROM memory_term' }];

/** Prepares a replica without indexes; what it has it keeps. */
export function createReplica(storeId: string): RemoteStatement[] {
  return [
    ...TABLES.map((sql) => ({ sql })),
    { sql: 'INSERT OR IGNORE INTO memory_replica VALUES (1, ?, ?, 0)', rows: [[SCHEMA_VERSION, storeId]] },
  ];
}

/** Build the indexes that a replica has not yet. Nobody can recall from it before. */
export function createIndexes(): RemoteStatement[] {
  return [...indexStatements('').values()].map((sql) => ({ sql }));
}

/** Take the indexes of a replica away, to fill it faster. */
export function dropIndexes(): RemoteStatement[] {
  return [...indexStatements('').keys()].map((name) => ({ sql: `DROP INDEX IF EXISTS ${name}` }));
}

/** A replica that has followed one history goes on with the next; one that has changed meanwhile does not. */
export function followHistory(from: string, to: string, revision: number): RemoteStatement[] {
  return [
    { sql: 'UPDATE memory_replica SET store_id = ? WHERE store_id = ? AND revision = ?', rows: [[to, from, revision]] },
  ];
}

/** Empties a replica, for it to be written anew. */
export function clearReplica(storeId: string): RemoteStatement[] {
  return [...CLEAR, { sql: 'UPDATE memory_replica SET store_id = ?, revision = 0', rows: [[storeId]] }];
}

/** Reads what changed, as statements that make a replica know it too. */
export class Changes {
  readonly #database: DatabaseSync;
  readonly #facts: StatementSync;
  readonly #deleted: StatementSync;
  readonly #terms: StatementSync;

  constructor(database: DatabaseSync) {
    const prepare = (sql: string) => {
      const statement = database.prepare(sql);
      statement.setReturnArrays(true);
      return statement;
    };
    this.#database = database;
    this.#facts = prepare(`SELECT ${FACT_COLUMNS.join(', ')} FROM memory_fact WHERE revision > ? ORDER BY revision`);
    this.#deleted = prepare('SELECT id FROM memory_deleted WHERE revision > ? AND revision <= ?');
    this.#terms = prepare('SELECT id, key FROM memory_term WHERE id IN (SELECT value FROM json_each(?))');
  }

  /**
   * The first changes after a revision, as many as fit into one transaction.
   *
   * A replica that is not exactly at `after` refuses them: NULL is no revision.
   */
  since(after: number, latest: number): { statements: RemoteStatement[]; revision: number } {
    this.#database.exec('BEGIN');
    try {
      const facts: SqlParameter[][] = [];
      let length = 0;
      let revision = latest;
      for (const fact of this.#facts.iterate(after) as unknown as Iterable<SqlParameter[]>) {
        facts.push(fact);
        for (const part of fact) length += typeof part === 'string' ? part.length : 8;
        if (facts.length < MAX_FACTS && length < MAX_LENGTH) continue;
        revision = Number(fact[REVISION]);
        break;
      }
      const deleted = this.#deleted.all(after, revision) as unknown as SqlParameter[][];
      const ids = new Set(facts.flatMap(([, s, v, o]) => [s, v, o]));
      const terms = this.#terms.all(JSON.stringify([...ids])) as unknown as SqlParameter[][];
      const statements: RemoteStatement[] = [
        {
          sql: 'UPDATE memory_replica SET revision = CASE WHEN revision = ? THEN ? ELSE NULL END',
          rows: [[after, revision]],
        },
        // What is left was told after everything was forgotten, so it is in this or a later transaction.
        ...(deleted.some(([id]) => id === EVERYTHING) ? CLEAR : []),
        { sql: LEARN_TERM, rows: terms },
        { sql: 'DELETE FROM memory_fact WHERE id = ?', rows: deleted },
        { sql: UPSERT, rows: facts },
      ];
      return { statements: statements.filter(({ rows }) => rows?.length !== 0), revision };
    } finally {
      this.#database.exec('COMMIT');
    }
  }
}
