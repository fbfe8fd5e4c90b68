/** Copies the files, folders and links of a tree; what else is there, sockets above all, stays where it is. */
import {
  chmodSync,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** Files that are copied before somebody else has a turn. */
const FILES_AT_ONCE = 200;

export interface CopyOptions {
  /** Names that are left out. */
  exclude: readonly string[];
  /** Names of folders that are not copied. */
  link: readonly string[];
  signal: AbortSignal;
  /** Called for each of those, with its path in the tree, instead. */
  onLinked(path: string): void;
  /** Something could not be read or written. It may throw. */
  onError(path: string, error: NodeJS.ErrnoException): void;
}

/** Copies what is in `from` into the folder `to`, which is there. @throws what `onError` throws, the signal's reason */
export async function copyTree(from: string, to: string, options: CopyOptions): Promise<void> {
  const { exclude, link, signal, onLinked, onError } = options;
  let copied = 0;
  const attempt = (path: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      onError(path, error as NodeJS.ErrnoException);
    }
  };
  const copyFolder = async (folder: string): Promise<void> => {
    let entries: Dirent[] = [];
    attempt(folder, () => {
      entries = readdirSync(join(from, folder), { withFileTypes: true });
    });
    for (const entry of entries) {
      if (exclude.includes(entry.name)) continue;
      signal.throwIfAborted();
      if (++copied % FILES_AT_ONCE === 0) await setImmediate();
      const path = join(folder, entry.name);
      const [source, target] = [join(from, path), join(to, path)];
      if (entry.isDirectory()) {
        attempt(path, () => mkdirSync(target));
        if (link.includes(entry.name)) onLinked(path);
        else await copyFolder(path);
      } else if (entry.isSymbolicLink()) attempt(path, () => symlinkSync(readlinkSync(source), target));
      else if (entry.isFile()) attempt(path, () => copyWritable(source, target));
    }
  };
  await copyFolder('');
}

/** What is read-only in the tree may be changed in the copy. */
function copyWritable(from: string, to: string): void {
  copyFileSync(from, to);
  const { mode } = lstatSync(to);
  if ((mode & 0o600) !== 0o600) chmodSync(to, mode | 0o600);
}
