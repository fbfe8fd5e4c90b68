import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SkillLog } from 'phoenix/skill';
import type { SqlConfig } from './config.ts';
import { isDamage } from './errors.ts';
import { Guard } from './guard.ts';
import { Statements } from './statements.ts';

const FILE = 'main.db';
const PAGE_SIZE = 4096;
/** Of one text, blob or row: twice what a request may bring. By itself SQLite would make a gigabyte of `zeroblob(1e9)`. */
const MAX_VALUE_BYTES = 64 * 1024 ** 2;
/** A larger file is checked only after a stop that was not clean: it takes about a second for a gigabyte. */
const ALWAYS_CHECK_BYTES = 64 * 1024 ** 2;

/** The database of the skill. */
export class Database {
  readonly guard: Guard;
  readonly statements: Statements;
  /** For example "sqlite 3.53.4". */
  readonly engine: string;
  /** What an operator should know: a damaged file was put aside. */
  readonly notice: string | undefined;
  readonly #database: DatabaseSync;
  readonly #control: Record<'begin' | 'commit' | 'rollback' | 'lastChange', StatementSync>;

  constructor(database: DatabaseSync, config: SqlConfig, notice: string | undefined) {
    this.#database = database;
    this.notice = notice;
    this.engine = `sqlite ${database.prepare('SELECT sqlite_version() AS version').get()?.version}`;
    this.#control = {
      begin: database.prepare('BEGIN IMMEDIATE'),
      commit: database.prepare('COMMIT'),
      rollback: database.prepare('ROLLBACK'),
      lastChange: database.prepare('SELECT changes() AS changes, last_insert_rowid() AS lastInsertRowid'),
    };
    this.#control.lastChange.setReadBigInts(true);
    this.guard = new Guard(database);
    this.statements = new Statements(database, this.guard, config.max_statement_bytes);
  }

  /** All or nothing. */
  transaction(run: () => void): void {
    const { begin, commit, rollback } = this.#control;
    this.guard.asOwner(() => begin.run());
    try {
      run();
      this.guard.asOwner(() => commit.run());
    } catch (error) {
      // SQLite has rolled back by itself after some errors, such as a full disk.
      if (this.#database.isTransaction) this.guard.asOwner(() => rollback.run());
      throw error;
    }
  }

  /** What the last writing statement changed. */
  lastChange(): { changes: bigint; lastInsertRowid: bigint } {
    return this.guard.asOwner(() => this.#control.lastChange.get()) as { changes: bigint; lastInsertRowid: bigint };
  }

  /** Gives free space back to the file system. SQLite does it by statements that the guard would refuse. */
  vacuum(): void {
    this.guard.require('schema', 'VACUUM');
    this.guard.asOwner(() => this.#database.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)'));
  }

  close(): void {
    try {
      this.guard.asOwner(() => this.#database.exec('PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)'));
    } catch {
      // No room for that. Everything is in the write-ahead log, and the next start goes on from there.
    }
    this.#database.close();
  }
}

/** Opens the database in a folder. A damaged file is kept beside it under another name, and an empty one takes its place. */
export function openDatabase(dataDir: string, config: SqlConfig, log: SkillLog): Database {
  const path = join(dataDir, FILE);
  const wasClean = !existsSync(`${path}-wal`);
  try {
    return new Database(openChecked(path, wasClean, config), config, noticeOf(dataDir));
  } catch (error) {
    if (!isDamage(error)) throw new Error(`${path} cannot be opened: ${(error as Error).message}`);
    const kept = quarantine(path);
    log('error', `${path} is damaged (${(error as Error).message}): kept as ${kept}, starting with an empty database`);
    return new Database(openChecked(path, true, config), config, noticeOf(dataDir));
  }
}

function openChecked(path: string, wasClean: boolean, config: SqlConfig): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000, defensive: true, limits: { length: MAX_VALUE_BYTES } });
  try {
    database.exec(`
      PRAGMA page_size = ${PAGE_SIZE};
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA foreign_keys = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 67108864;
      PRAGMA cache_size = -${Math.ceil(config.cache_bytes / 1024)};
      PRAGMA mmap_size = ${Math.min(config.max_database_bytes, 2 ** 30)};
      PRAGMA max_page_count = ${Math.ceil(config.max_database_bytes / PAGE_SIZE)};
    `);
    if (!wasClean || statSync(path).size <= ALWAYS_CHECK_BYTES) {
      const result = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
      if (result !== 'ok') throw Object.assign(new Error(String(result)), { errcode: 11 });
    }
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function quarantine(path: string): string {
  const kept = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
  for (const suffix of ['', '-wal', '-shm']) if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  return kept;
}

function noticeOf(dataDir: string): string | undefined {
  const kept = readdirSync(dataDir).filter((name) => /\.corrupt-[^-]*-[^-]*-[^-]*$/.test(name));
  if (kept.length === 0) return undefined;
  return `a damaged database was put aside: ${kept.join(', ')}; move it away once nobody needs it`;
}
