import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { fold } from './fold.ts';

/** Texts whose ids are kept at hand. */
const CACHE_SIZE = 500_000;
const LONGEST_CACHED = 256;

/** The ids of folded texts. */
export class Terms {
  readonly #find: StatementSync;
  readonly #insert: StatementSync;
  readonly #ids = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#find = database.prepare('SELECT id FROM memory_term WHERE key = ?');
    this.#insert = database.prepare('INSERT INTO memory_term (key) VALUES (?) ON CONFLICT DO NOTHING');
  }

  /** The id of a text's key, given to it now if it has none. */
  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const { changes, lastInsertRowid } = this.#insert.run(fold(text));
    return changes === 0 ? Number(this.find(text)) : this.#remember(text, Number(lastInsertRowid));
  }

  /** The id of a text's key, or undefined when no fact ever had it. */
  find(text: string): number | undefined {
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    const row = this.#find.get(fold(text)) as { id: number } | undefined;
    return row && this.#remember(text, row.id);
  }

  /** What was given since may not have been committed, or is gone. */
  forget(): void {
    this.#ids.clear();
  }

  #remember(text: string, id: number): number {
    if (text.length > LONGEST_CACHED) return id;
    if (this.#ids.size >= CACHE_SIZE) this.#ids.clear();
    this.#ids.set(text, id);
    return id;
  }
}
