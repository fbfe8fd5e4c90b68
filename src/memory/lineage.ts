import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

const BETWEEN = '/';
/** A file knows so many settled histories at most, and a path has so many ids, the latest. */
const LONGEST = 100;

/**
 * Which history the changes of a memory file belong to. A file that loses its last changes, with a damaged log or because an old backup
 * was put back, would give their revisions to other changes, and a copy that has seen the lost ones would take the others for known.
 * So every time the file is opened a new history begins, at the revision that it has then.
 *
 * A copy notes its path: the ids of the histories that it followed one after the other, the last one now. So a file that lost that one
 * may still know one before it, and where it ended.
 */
export class Lineage {
  /** Of the history that goes on now. */
  readonly #id = randomUUID();
  readonly #database: DatabaseSync;

  /** @param first id of the history of a file that has no record of any @param revision of its last change */
  constructor(database: DatabaseSync, first: string, revision: number) {
    this.#database = database;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(`CREATE TABLE IF NOT EXISTS memory_lineage (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
        since INTEGER NOT NULL, settled INTEGER NOT NULL DEFAULT 0)`);
      // Earlier ones deleted what was settled.
      const column = database.prepare("SELECT 1 FROM pragma_table_info('memory_lineage') WHERE name = 'settled'").get();
      if (column === undefined)
        database.exec('ALTER TABLE memory_lineage ADD COLUMN settled INTEGER NOT NULL DEFAULT 0');
      const insert = database.prepare(
        'INSERT INTO memory_lineage (id, since) SELECT ?1, ?2 WHERE ?3 OR NOT EXISTS (SELECT 1 FROM memory_lineage)',
      );
      insert.run(first, 0, 0);
      const position = Number(insert.run(this.#id, revision, 1).lastInsertRowid);
      database.prepare('DELETE FROM memory_lineage WHERE settled AND position <= ?').run(position - LONGEST);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  /** The path of a copy that goes on with this history. @param followed its path until now; nothing for a new one */
  pathAfter(followed = ''): string {
    const rows = this.#database.prepare('SELECT id FROM memory_lineage ORDER BY position').all();
    const ids = new Set([...followed.split(BETWEEN).filter(Boolean), ...rows.map(({ id }) => String(id))]);
    return [...ids].slice(-LONGEST).join(BETWEEN);
  }

  /** Whether a copy with this path and revision has seen nothing but what is in this file. */
  includes(path: string, revision: number): boolean {
    const [position] = this.#positionsOf(path.split(BETWEEN).slice(-1));
    return position !== undefined && revision <= this.#endOf(position);
  }

  /**
   * Revision of this file at the loss that parted a copy from it: what is later here was told after everything in that copy. Of a copy
   * of which nothing is known here, the loss is taken for the first one that no copy has noticed since.
   */
  endOf(path: string): number {
    const [position] = this.#positionsOf(path.split(BETWEEN));
    if (position !== undefined) return this.#endOf(position);
    const oldest = this.#database
      .prepare('SELECT min(position) AS position FROM memory_lineage WHERE NOT settled')
      .get();
    return this.#endOf(Number(oldest?.position));
  }

  /**
   * The copy follows this history. How it came from earlier ones stays known: should the copy go back to one of them, its path will have
   * those between, and so will know them in a file that goes back, too.
   */
  settle(): void {
    this.#database.prepare('UPDATE memory_lineage SET settled = 1 WHERE id <> ? AND NOT settled').run(this.#id);
  }

  /** Where histories are, the latest first. */
  #positionsOf(ids: readonly string[]): number[] {
    const select = this.#database.prepare(
      'SELECT position FROM memory_lineage WHERE id IN (SELECT value FROM json_each(?)) ORDER BY position DESC',
    );
    return select.all(JSON.stringify(ids)).map(({ position }) => Number(position));
  }

  #endOf(position: number): number {
    const next = this.#database
      .prepare('SELECT since FROM memory_lineage WHERE position > ? ORDER BY position LIMIT 1')
      .get(position);
    return next ? Number(next.since) : Number.POSITIVE_INFINITY;
  }
}
