import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { VERSION } from '../version.ts';
import { type DurableFormat, syncFolder } from './format.ts';

const BACKUPS = 'backups';
const UNFINISHED = '.partial';
/** Of the size of what is migrated: the backup, and what the migration itself writes meanwhile. */
const ROOM_FACTOR = 2;

/** Files of this folder cannot be used by this version, or not be brought up to date. Nothing was changed. */
export class StateVersionError extends Error {
  override readonly name = 'StateVersionError';
}

interface Outdated {
  format: DurableFormat;
  path: string;
  version: number;
}

/**
 * Brings the files of a folder up to date, after a backup of those that are older. The caller alone uses the folder.
 *
 * @param note is told what is done
 * @throws StateVersionError when a file is newer than this Phoenix, or no backup can be made: nothing was changed
 */
export function upgradeState(folder: string, formats: readonly DurableFormat[], note: (line: string) => void): void {
  const found = formats.flatMap((format): Outdated[] => {
    const path = join(folder, format.file);
    const version = existsSync(path) ? format.versionOf(path) : undefined;
    return version === undefined ? [] : [{ format, path, version }];
  });
  const newer = found.filter(({ format, version }) => version > format.version);
  if (newer.length > 0) throw new StateVersionError(describeNewer(newer));
  const older = found.filter(({ format, version }) => version < format.version);
  if (older.length === 0) return;
  const backup = backUp(folder, older);
  note(`${folder} was written by an older Phoenix: a backup is in ${backup}`);
  for (const { format, path, version } of older) {
    note(`${path}: format ${version} becomes ${format.version}`);
    try {
      format.migrate(path, version);
    } catch (error) {
      throw new StateVersionError(
        `${path} could not be brought from format ${version} to ${format.version}, and is as it was: ${(error as Error).message}. A backup is in ${backup}`,
      );
    }
  }
}

function describeNewer(newer: readonly Outdated[]): string {
  const files = newer.map(
    ({ format, path, version }) => `${path} has format ${version} (this one knows ${format.version})`,
  );
  return `a newer Phoenix than this one (${VERSION}) wrote here: ${files.join(', ')}. Use that Phoenix, or a backup; nothing was changed`;
}

/** @returns the folder of the backup @throws StateVersionError */
function backUp(folder: string, older: readonly Outdated[]): string {
  const all = join(folder, BACKUPS);
  const backup = join(all, `${new Date().toISOString().replaceAll(/[:.]/g, '')}-before-${VERSION}`);
  const partial = backup + UNFINISHED;
  try {
    mkdirSync(all, { recursive: true, mode: 0o700 });
    // Of one that died.
    for (const name of readdirSync(all)) if (name.endsWith(UNFINISHED)) rmSync(join(all, name), { recursive: true });
    requireRoom(folder, older);
    for (const { format, path } of older) {
      const to = join(partial, format.file);
      mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
      format.backUp(path, to);
      syncFolder(dirname(to));
    }
    renameSync(partial, backup);
    syncFolder(all);
    return backup;
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const files = older.map(({ path }) => path).join(', ');
    throw new StateVersionError(
      `${files}: written by an older Phoenix, and not brought up to date, because no backup could be made: ${(error as Error).message}. Nothing was changed`,
    );
  }
}

function requireRoom(folder: string, older: readonly Outdated[]): void {
  const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const needed = older.reduce((sum, { path }) => sum + sizeOf(path) + sizeOf(`${path}-wal`), 0) * ROOM_FACTOR;
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize < needed)
    throw new Error(`it needs ${Math.ceil(needed / 1e6)} MB, and ${Math.floor((bavail * bsize) / 1e6)} MB are free`);
}
