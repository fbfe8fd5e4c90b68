import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { FactWriter } from './fact-writer.ts';
import { WRITER_SETTINGS } from './local-file.ts';
import { createLiveIndex, LIVE_INDEXES, paysToRebuild } from './schema.ts';

/** Fewer changes are made at once. */
export const LONG = 2000;
/** Changes between two turns of the event loop. */
const TURN = 500;
/** A piece of an index that fits into a processor's cache is sorted in a third of the time. */
const SORT_KIB = 2048;
/** Primary result codes of trouble with temporary files: IOERR, FULL, CANTOPEN. */
const NO_ROOM = [10, 13, 14];

/**
 * Makes many changes in one transaction, all or nothing. Other work gets its turn between them.
 *
 * Indexes are sorted in pieces, in temporary files; where there is no room for those, all at once in memory. What was written stays in
 * the write-ahead log, on the disk, until somebody makes a checkpoint.
 */
export async function writeLong<T>(
  database: DatabaseSync,
  writer: FactWriter,
  items: readonly T[],
  change: (writer: FactWriter, item: T) => void,
): Promise<void> {
  const { revision } = writer;
  const attempt = async (sortIn: 'FILE' | 'MEMORY') => {
    database.exec(`PRAGMA temp_store = ${sortIn}; PRAGMA wal_autocheckpoint = 0`);
    try {
      database.exec('BEGIN IMMEDIATE');
      await changeAll(database, items, (item) => change(writer, item));
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      writer.reset(revision);
      throw error;
    } finally {
      database.exec(WRITER_SETTINGS);
    }
  };
  try {
    await attempt('FILE');
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined || !NO_ROOM.includes(errcode & 0xff)) throw error;
    await attempt('MEMORY');
  }
}

async function changeAll<T>(database: DatabaseSync, items: readonly T[], change: (item: T) => void): Promise<void> {
  const known = Number(database.prepare('SELECT max(id) AS last FROM memory_fact').get()?.last);
  const indexes = paysToRebuild(items.length, known) ? Object.keys(LIVE_INDEXES) : [];
  for (const name of indexes) database.exec(`DROP INDEX ${name}`);
  for (let at = 0; at < items.length; at += TURN) {
    for (const item of items.slice(at, at + TURN)) change(item);
    await setImmediate();
  }
  // SQLite sorts pieces of the size of its page cache.
  database.exec(`PRAGMA cache_size = -${SORT_KIB}`);
  for (const name of indexes) {
    database.exec(createLiveIndex(name));
    await setImmediate();
  }
}
