import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { DurableFormat } from './format.ts';

/** Statements that make version 2 of version 1, those that make version 3 of version 2, and so on. */
export type SqliteSteps = readonly (readonly string[])[];

/** How a database says which version it has. */
interface VersionIn {
  /** A query of one number. */
  read: string;
  /** The statement that says a version. */
  write(version: number): string;
}

/** `PRAGMA user_version`. */
const USER_VERSION: VersionIn = {
  read: 'PRAGMA user_version',
  write: (version) => `PRAGMA user_version = ${version}`,
};

/** A SQLite database. Its migration is one transaction. */
export function sqliteFormat(file: string, steps: SqliteSteps = [], versionIn = USER_VERSION): DurableFormat {
  const version = steps.length + 1;
  return {
    file,
    version,
    versionOf: (path) => {
      try {
        // Without a log beside it nobody writes: it can be read without leaving one.
        const url = pathToFileURL(path);
        if (!['-wal', '-journal'].some((suffix) => existsSync(path + suffix))) url.searchParams.set('immutable', '1');
        using database = new DatabaseSync(url, { readOnly: true, timeout: 5000 });
        const [found] = Object.values(database.prepare(versionIn.read).get() ?? {});
        // 0: one that nothing was written to yet.
        return Number(found) || undefined;
      } catch {
        // Damaged, or without our tables: who opens it says so, or makes them.
        return undefined;
      }
    },
    backUp: (from, to) => {
      using database = new DatabaseSync(from, { timeout: 5000 });
      database.prepare('VACUUM INTO ?').run(to);
      using copy = new DatabaseSync(to);
      // What was copied from a damaged file may be damaged in the same way.
      for (const each of [database, copy]) {
        const found = each.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
        if (found !== 'ok') throw new Error(`the database is damaged: ${found}`);
      }
      copy.exec('PRAGMA synchronous = EXTRA; BEGIN IMMEDIATE; COMMIT');
    },
    migrate: (path, from) => {
      using database = new DatabaseSync(path, { timeout: 5000 });
      database.exec('PRAGMA synchronous = FULL');
      database.exec(['BEGIN IMMEDIATE', ...statementsFrom(steps, from, versionIn), 'COMMIT'].join(';\n'));
    },
  };
}

/** Everything that brings a database from a version up to date. */
export function statementsFrom(steps: SqliteSteps, from: number, { write }: Pick<VersionIn, 'write'>): string[] {
  return [...steps.slice(from - 1).flat(), write(steps.length + 1)];
}
