/** The throw-away copy that a diff is applied to. Nothing outside its folder is ever written, whatever paths and links say. */

import {
  chmodSync,
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
import { type CopyOptions, copyTree } from 'phoenix/patch';
import { SkillError } from 'phoenix/skill';
import type { FileMode } from './diff.ts';

const MOST_NOTES = 20;
/** What the file systems of Linux take (limits.h); of a path, what is left beside the folder of the copy. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 3000;

export interface WorkFile {
  /** Of a symbolic link: where it leads. */
  content: Buffer;
  mode: FileMode;
}

/** A path that may not be used, or a file that cannot be written. */
export class WorkspaceError extends Error {
  override readonly name = 'WorkspaceError';
}

export class Workspace {
  readonly root: string;
  readonly #notes: string[] = [];

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
  async copy(tree: string, options: Pick<CopyOptions, 'link' | 'exclude' | 'signal'>): Promise<void> {
    await copyTree(tree, this.root, {
      ...options,
      onLinked: (path) => this.#linkFolder(join(tree, path), join(this.root, path)),
      onError: (path, error) => this.#missing(path, error),
    });
  }

  /**
   * A folder whose entries are links to the original: installed packages are large and nobody changes them. Links in it stay as they are, so
   * that packages which lie in the tree itself, as in a workspace of npm, are those of the copy.
   */
  #linkFolder(from: string, to: string): void {
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      try {
        // Scopes hold packages; .bin holds links.
        if (entry.isDirectory() && /^[@.]/.test(entry.name)) {
          mkdirSync(target);
          this.#linkFolder(source, target);
        } else symlinkSync(entry.isSymbolicLink() ? readlinkSync(source) : source, target);
      } catch (error) {
        this.#missing(target, error as NodeJS.ErrnoException);
      }
    }
  }

  #missing(path: string, error: NodeJS.ErrnoException): void {
    if (error.code === 'ENOSPC') throw noSpace(error);
    const why = error.code === 'ERR_ACCESS_DENIED' ? 'this isolation makes no links' : error.message;
    this.#notes.push(`${path} is not in the copy: ${why}`);
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
    if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES) || Buffer.byteLength(path) > MAX_PATH_BYTES)
      throw new WorkspaceError('the path is too long');
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

function noSpace(cause: unknown): SkillError {
  return new SkillError(
    'RESOURCE_EXHAUSTED',
    'the files do not fit into the temporary folder of the skill: raise resources.tmp and resources.memory, or leave folders out (config.exclude, config.link)',
    { cause },
  );
}
