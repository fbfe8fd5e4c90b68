import { DatabaseSync } from 'node:sqlite';
import type { RemoteSql, RemoteStatement, SqlParameter } from '../../src/memory/index.ts';

/** What the sql skill does for the memory, in this process; it can be cut off. */
export class Replica implements RemoteSql {
  isAvailable = true;
  /** So many transactions arrive before it is cut off. */
  left = Number.POSITIVE_INFINITY;
  #database = new DatabaseSync(':memory:');
  #listener = () => {};
  readonly #done: (readonly RemoteStatement[])[] = [];

  async transaction(statements: readonly RemoteStatement[]): Promise<void> {
    if (this.left-- <= 0) this.cut();
    this.#check();
    this.#database.exec('BEGIN');
    try {
      this.#run(statements);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
    this.#done.push(statements);
  }

  /** Its data are again what they were so many transactions ago; with more than there were, it has none. */
  lose(transactions: number): void {
    this.cut();
    this.#done.length = Math.max(0, this.#done.length - transactions);
    this.#database.close();
    this.#database = new DatabaseSync(':memory:');
    for (const statements of this.#done) this.#run(statements);
  }

  #run(statements: readonly RemoteStatement[]): void {
    for (const { sql, rows = [[]] } of statements) {
      const statement = this.#database.prepare(sql);
      for (const row of rows) statement.run(...row);
    }
  }

  async query(sql: string, parameters: readonly SqlParameter[]): Promise<unknown[][]> {
    this.#check();
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all(...parameters) as unknown as unknown[][];
  }

  async vacuum(): Promise<void> {}

  onChange(listener: () => void): void {
    this.#listener = listener;
  }

  cut(): void {
    this.isAvailable = false;
    this.#listener();
  }

  connect(): void {
    this.isAvailable = true;
    this.left = Number.POSITIVE_INFINITY;
    this.#listener();
  }

  #check(): void {
    if (!this.isAvailable) throw new Error('the cable is cut');
  }
}
