import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { indexStatements, memoryFormat, SCHEMA_VERSION, TABLES } from './schema.ts';

/** Settings that a long transaction changes for itself. */
export const WRITER_SETTINGS = `
  PRAGMA temp_store = MEMORY;
  PRAGMA cache_size = -131072;
  PRAGMA wal_autocheckpoint = 4000;
`;
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA trusted_schema = OFF;
  PRAGMA secure_delete = FAST;
  PRAGMA mmap_size = 1073741824;
  PRAGMA journal_size_limit = 67108864;
`;

/** A larger file is checked only after a stop that was not clean: it takes about a second for a gigabyte. */
const ALWAYS_CHECK_BYTES = 64 * 1024 ** 2;
/** Primary result codes, https://www.sqlite.org/rescode.html: the file itself is damaged, or no database at all. */
const DAMAGED = [11, 26];
const FULL = 13;
/** READONLY, IOERR, FULL, CANTOPEN, and damage. */
const FILE_TROUBLE = [8, 10, FULL, 14, ...DAMAGED];

/** The memory file cannot be used. */
export class MemoryFileError extends Error {
  override readonly name = 'MemoryFileError';
}

/** A change could not be written. Nothing was changed. */
export class MemoryWriteError extends Error {
  override readonly name = 'MemoryWriteError';
  /** There is no space left, rather than something broken. */
  readonly isFull: boolean;

  constructor(path: string, cause: { message: string; errcode: number }) {
    const isFull = (cause.errcode & 0xff) === FULL;
    super(
      isFull
        ? `nothing was stored: the disk with ${path} is full; free some space there`
        : `nothing was stored: ${path} cannot be written: ${cause.message}`,
      { cause },
    );
    this.isFull = isFull;
  }
}

/** What a change that failed is told as: trouble with the file as such, anything else as it is. */
export function asWriteError(path: string, error: unknown): unknown {
  const { errcode, message } = error as { errcode?: number; message: string };
  const isOfFile = errcode !== undefined && FILE_TROUBLE.includes(errcode & 0xff);
  return isOfFile ? new MemoryWriteError(path, { errcode, message }) : error;
}

export interface LocalFile {
  writer: DatabaseSync;
  /** A connection of its own: it sees what is committed, also while a long transaction is under way. */
  reader: DatabaseSync;
  /** Where a damaged file was put, when there was one. */
  quarantined: string | undefined;
}

/** Opens the memory file; a damaged one is put aside, never deleted. @throws MemoryFileError */
export function openLocalFile(path: string, newStoreId: string): LocalFile {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return { ...open(path, newStoreId), quarantined: undefined };
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined || !DAMAGED.includes(errcode & 0xff)) throw asFileError(path, error);
  }
  const quarantined = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, quarantined + suffix);
  }
  return { ...open(path, newStoreId), quarantined };
}

function open(path: string, newStoreId: string): { writer: DatabaseSync; reader: DatabaseSync } {
  // Before anything is written.
  const version = existsSync(path) ? memoryFormat(path).versionOf(path) : undefined;
  if (version !== undefined && version !== SCHEMA_VERSION) {
    throw new MemoryFileError(
      `${path} has format ${version}, this Phoenix knows ${SCHEMA_VERSION}: use the Phoenix that wrote it`,
    );
  }
  const wasClean = !existsSync(`${path}-wal`);
  const writer = new DatabaseSync(path, { timeout: 5000 });
  try {
    writer.exec(SETTINGS + WRITER_SETTINGS);
    if (!wasClean || statSync(path).size <= ALWAYS_CHECK_BYTES) checkIntegrity(writer);
    writer.exec([...TABLES, ...indexStatements('UNIQUE').values()].join(';\n'));
    writer.exec('CREATE TABLE IF NOT EXISTS memory_deleted (revision INTEGER PRIMARY KEY, id INTEGER NOT NULL)');
    writer.prepare('INSERT OR IGNORE INTO memory_replica VALUES (1, ?, ?, 0)').run(SCHEMA_VERSION, newStoreId);
    const reader = new DatabaseSync(path, { timeout: 5000, readOnly: true });
    reader.exec('PRAGMA cache_size = -65536; PRAGMA mmap_size = 1073741824');
    return { writer, reader };
  } catch (error) {
    writer.close();
    throw error;
  }
}

function checkIntegrity(database: DatabaseSync): void {
  const result = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (result !== 'ok') throw Object.assign(new Error(String(result)), { errcode: 11 });
}

/** Why a memory file cannot be used. */
export function asFileError(path: string, error: unknown): MemoryFileError {
  if (error instanceof MemoryFileError) return error;
  return new MemoryFileError(`${path} cannot be opened: ${(error as Error).message}`, { cause: error });
}
