import { existsSync, mkdirSync, renameSync } from 'node:fs';
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

/** The memory file cannot be used. */
export class MemoryFileError extends Error {
  override readonly name = 'MemoryFileError';
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
    if (errcode === undefined || ![11, 26].includes(errcode & 0xff)) throw asFileError(path, error);
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
    if (!wasClean) checkIntegrity(writer);
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

function asFileError(path: string, error: unknown): MemoryFileError {
  if (error instanceof MemoryFileError) return error;
  return new MemoryFileError(`${path} cannot be opened: ${(error as Error).message}`, { cause: error });
}
