import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type DurableFormat, type SqliteSteps, StateVersionError, sqliteFormat } from '../state-format/index.ts';
import type { Example } from './types.ts';

/** Where feedback comes from: a user said it, a skill refused the request, or the user asked the same again. */
export type Signal = 'user' | 'failed' | 'repeated';

/** What is known about a request that was routed. */
export interface FeedbackRecord {
  id: number;
  /** Milliseconds since 1970. */
  at: number;
  signal: Signal;
  text: string;
  /** Skills that were right. */
  skills: string[];
  /** Skills that were wrong; null: all others. */
  wrong: string[] | null;
  /** How much it counts in training. */
  weight: number;
}

export type NewFeedback = Omit<FeedbackRecord, 'id' | 'at'>;

/** What leads from each version of the table to the next. */
const STEPS: SqliteSteps = [];

export const feedbackFormat = (file: string): DurableFormat => sqliteFormat(file, STEPS);

/** Of a longer request the beginning is kept. */
const MAX_TEXT = 2000;

const names = z.string().transform((text) => z.array(z.string()).parse(JSON.parse(text)));
const row = z.object({
  id: z.number(),
  at: z.number(),
  signal: z.enum(['user', 'failed', 'repeated']),
  text: z.string(),
  skills: names,
  wrong: names.nullable(),
  weight: z.number(),
});

/**
 * What users said about requests, in one SQLite file that never leaves this machine. A newer word about a request replaces the older one of
 * the same kind; beyond the limit the oldest go. What is deleted is overwritten in the file.
 */
export class FeedbackStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #limit: number;

  /** @param limit most records that are kept @throws StateVersionError */
  constructor(path: string, limit: number) {
    mkdirSync(dirname(path), { recursive: true });
    const { version, versionOf } = feedbackFormat(path);
    const found = existsSync(path) ? versionOf(path) : undefined;
    if (found !== undefined && found !== version)
      throw new StateVersionError(
        `${path} has format ${found}, this Phoenix knows ${version}: use the Phoenix that wrote it`,
      );
    this.#limit = limit;
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA secure_delete = ON;
      PRAGMA user_version = ${version};
      CREATE TABLE IF NOT EXISTS feedback (
        id INTEGER PRIMARY KEY, at INTEGER NOT NULL, signal TEXT NOT NULL, text TEXT NOT NULL, skills TEXT NOT NULL, wrong TEXT,
        weight REAL NOT NULL, UNIQUE (signal, text)
      ) STRICT;
    `);
  }

  add({ signal, text, skills, wrong, weight }: NewFeedback, at = Date.now()): number {
    const values = [signal, text.slice(0, MAX_TEXT), JSON.stringify(skills), wrong && JSON.stringify(wrong), weight];
    const { lastInsertRowid } = this.#database
      .prepare('INSERT OR REPLACE INTO feedback (at, signal, text, skills, wrong, weight) VALUES (?, ?, ?, ?, ?, ?)')
      .run(at, ...values);
    this.#database
      .prepare('DELETE FROM feedback WHERE id NOT IN (SELECT id FROM feedback ORDER BY at DESC, id DESC LIMIT ?)')
      .run(this.#limit);
    return Number(lastInsertRowid);
  }

  /** The newest first. */
  list(limit = this.#limit): FeedbackRecord[] {
    const rows = this.#database.prepare('SELECT * FROM feedback ORDER BY at DESC, id DESC LIMIT ?').all(limit);
    return rows.map((each) => row.parse(each));
  }

  get size(): number {
    return Number(this.#database.prepare('SELECT count(*) AS size FROM feedback').get()?.size);
  }

  /** What can be trained with, the oldest first. */
  examples(): Example[] {
    return this.list()
      .toReversed()
      .map(({ text, skills, wrong, weight }) => ({ text, skills, weight, ...(wrong && { wrong }) }));
  }

  /** Deletes one record, or all. @returns how many there were */
  clear(id?: number): number {
    const statement = id === undefined ? 'DELETE FROM feedback' : 'DELETE FROM feedback WHERE id = ?';
    return Number(this.#database.prepare(statement).run(...(id === undefined ? [] : [id])).changes);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
