/** The throw-away copy that a diff is applied to. Nothing outside its folder is ever written, whatever paths and links say. */

import {
  chmodSync,
  copyFileSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SkillError } from 'phoenix/skill';
import type { FileMode } from './diff.ts';

/** Files that are copied before somebody else has a turn. */
const FILES_AT_ONCE = 200;
const MOST_NOTES = 20;

export interface WorkFile {
  /** Of a symbolic link: where it leads. */
  content: Buffer;
  mode: FileMode;
}

/** A path that may not be used, or a file that cannot be written. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError';
}

export interface CopyOptions {
  /** Names of folders whose entries are linked instead of copied. */
  link: readonly string[];
  /** Names that are left out. */
  exclude: readonly string[];
  signal: AbortSignal;
}

export class Workspace {
  readonly root: string;
  readonly #notes: string[] = [];
  #copied = 0;

  constructor(root: string) {
    this.root = root;
    mkdirSync(root, { recursive: true });
  }

  /** What could not be copied, in words. */
  get notes(): string[] {
    const more = this.#notes.length - MOST_NOTES;
    return more > 0 ? [...this.#notes.slice(0, MOST_NOTES), `and ${more} more`] : this.#notes;
  }

  /** Takes all of it away again. */
  discard(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Copies a tree. @throws SkillError RESOURCE_EXHAUSTED when it does not fit */
  async copy(tree: string, options: CopyOptions): Promise<void> {
    await this.#copyFolder(tree, '', options);
  }

  async #copyFolder(tree: string, folder: string, options: CopyOptions): Promise<void> {
    for (const entry of listing(join(tree, folder), (note) => this.#notes.push(note))) {
      if (options.exclude.includes(entry.name)) continue;
      options.signal.throwIfAborted();
      if (++this.#copied % FILES_AT_ONCE === 0) await setImmediate();
      const path = join(folder, entry.name);
      const from = join(tree, path);
      const to = join(this.root, path);
      if (entry.isDirectory() && options.link.includes(entry.name)) this.#linkFolder(from, to);
      else if (entry.isDirectory()) {
        this.#attempt(path, () => mkdirSync(to));
        await this.#copyFolder(tree, path, options);
      } else if (entry.isSymbolicLink()) this.#attempt(path, () => symlinkSync(readlinkSync(from), to));
      else if (entry.isFile()) this.#attempt(path, () => copyWritable(from, to));
    }
  }

  /**
   * A folder whose entries are links to the original: installed packages are large and nobody changes them. Links in it stay as they are, so
   * that packages which lie in the tree itself, as in a workspace of npm, are those of the copy.
   */
  #linkFolder(from: string, to: string): void {
    this.#attempt(to, () => mkdirSync(to));
    for (const entry of listing(from, (note) => this.#notes.push(note))) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      // Scopes hold packages; .bin holds links.
      if (entry.isDirectory() && /^[@.]/.test(entry.name)) this.#linkFolder(source, target);
      else this.#attempt(target, () => symlinkSync(entry.isSymbolicLink() ? readlinkSync(source) : source, target));
    }
  }

  #attempt(path: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC') throw noSpace(error);
      if (code === 'EEXIST') return;
      this.#notes.push(
        `${path} is not in the copy: ${code === 'ERR_ACCESS_DENIED' ? 'this isolation makes no links' : message}`,
      );
    }
  }

  /** What is there. @throws WorkspaceError when the path leaves the copy, or something else than a file is there */
  read(path: string): WorkFile | undefined {
    const full = this.locate(path);
    const stat = lstatSync(full, { throwIfNoEntry: false });
    if (!stat) return undefined;
    if (stat.isSymbolicLink()) return { content: Buffer.from(readlinkSync(full)), mode: 'symlink' };
    if (!stat.isFile()) throw new WorkspaceError('it is no file');
    return { content: readFileSync(full), mode: (stat.mode & 0o111) === 0 ? 'file' : 'executable' };
  }

  /** @throws WorkspaceError as `read`, or when it cannot be written; SkillError RESOURCE_EXHAUSTED */
  write(path: string, { content, mode }: WorkFile): void {
    const full = this.locate(path);
    try {
      mkdirSync(dirname(full), { recursive: true });
      // Never through a link that is there.
      rmSync(full, { force: true });
      if (mode === 'symlink') symlinkSync(linkTarget(path, content.toString()), full);
      else writeFileSync(full, content, { mode: 0o644 });
      if (mode === 'executable') chmodSync(full, 0o755);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC') throw noSpace(error);
      if (error instanceof WorkspaceError) throw error;
      throw new WorkspaceError(code === 'ERR_ACCESS_DENIED' ? 'this isolation makes no symbolic links' : message);
    }
  }

  /** Removes a file, and the folders that are empty then. */
  remove(path: string): void {
    const full = this.locate(path);
    rmSync(full, { force: true });
    try {
      for (let folder = dirname(full); folder !== this.root; folder = dirname(folder)) rmdirSync(folder);
    } catch {
      // Not empty.
    }
  }

  /** @throws WorkspaceError when the path leaves the copy, by itself or through a symbolic link */
  locate(path: string): string {
    const parts = path.split('/');
    if (path.startsWith('/')) throw new WorkspaceError('the path is absolute, and must be one inside the tree');
    if (parts.includes('..')) throw new WorkspaceError('the path leaves the tree');
    if (parts.some((part) => part === '' || part === '.' || part.includes('\0')))
      throw new WorkspaceError('this is no path of a file');
    let folder = this.root;
    for (const [n, part] of parts.slice(0, -1).entries()) {
      folder = join(folder, part);
      const stat = lstatSync(folder, { throwIfNoEntry: false });
      if (!stat) break;
      if (stat.isSymbolicLink())
        throw new WorkspaceError(`the path leads through the symbolic link ${parts.slice(0, n + 1).join('/')}`);
      if (!stat.isDirectory()) throw new WorkspaceError(`${parts.slice(0, n + 1).join('/')} is no folder`);
    }
    return join(this.root, path);
  }
}

/** Where a link that a diff makes may lead: inside the tree. @throws WorkspaceError */
export function linkTarget(path: string, target: string): string {
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  if (posix.isAbsolute(target) || end === '..' || end.startsWith('../') || target === '' || target.includes('\0'))
    throw new WorkspaceError(`the symbolic link leads out of the tree, to ${JSON.stringify(target)}`);
  return target;
}

function listing(folder: string, note: (note: string) => void): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    note(`${folder} is not in the copy: ${(error as Error).message}`);
    return [];
  }
}

/** What is read-only in the tree may be changed in the copy. */
function copyWritable(from: string, to: string): void {
  copyFileSync(from, to);
  const { mode } = lstatSync(to);
  if ((mode & 0o600) !== 0o600) chmodSync(to, mode | 0o600);
}

function noSpace(cause: unknown): SkillError {
  return new SkillError(
    'RESOURCE_EXHAUSTED',
    'the files do not fit into the temporary folder of the skill: raise resources.tmp and resources.memory, or leave folders out (config.exclude, config.link)',
    { cause },
  );
}
