import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';

/**
 * Which history the changes of a memory file belong to. A file that loses its last changes, with a damaged log or because an old backup
 * was put back, would give their revisions to other changes, and a copy that has seen the lost ones would take the others for known.
 * So every time the file is opened a new history begins, at the revision that it has then.
 */
export class Lineage {
  /** Of the history that goes on now. */
  readonly id = randomUUID();
  readonly #database: DatabaseSync;

  /** @param first id of the history of a file that has no record of any @param revision of its last change */
  constructor(database: DatabaseSync, first: string, revision: number) {
    this.#database = database;
    database.exec('BEGIN IMMEDIATE');
    try {
      database.exec(`CREATE TABLE IF NOT EXISTS memory_lineage
        (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, since INTEGER NOT NULL)`);
      const insert = database.prepare(
        'INSERT INTO memory_lineage (id, since) SELECT ?1, ?2 WHERE ?3 OR NOT EXISTS (SELECT 1 FROM memory_lineage)',
      );
      insert.run(first, 0, 0);
      insert.run(this.id, revision, 1);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Revision of this file when the history ended that a copy last followed: what is later was told after everything in that copy. */
  get since(): number {
    const row = this.#database.prepare('SELECT since FROM memory_lineage ORDER BY position LIMIT 1 OFFSET 1').get();
    return row ? Number(row.since) : Number.POSITIVE_INFINITY;
  }

  /** Whether a copy that followed a history up to a revision has seen nothing but what is in this file. */
  includes(id: string, revision: number): boolean {
    const followed = this.#database.prepare('SELECT position FROM memory_lineage WHERE id = ?').get(id);
    if (!followed) return false;
    const next = this.#database
      .prepare('SELECT since FROM memory_lineage WHERE position > ? ORDER BY position LIMIT 1')
      .get(Number(followed.position));
    return next === undefined || revision <= Number(next.since);
  }

  /** The copy follows this history: how it came from earlier ones is no longer of interest. */
  settle(): void {
    this.#database.prepare('DELETE FROM memory_lineage WHERE id <> ?').run(this.id);
  }
}
