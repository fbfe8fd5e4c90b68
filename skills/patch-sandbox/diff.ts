/** What a unified diff changes, file by file. Parsing is jsdiff's; this finds what it leaves open: which paths, which kind, what cannot be. */
import { parsePatch, type StructuredPatch } from 'diff';
import type { ChangedFile, PatchProblem } from 'phoenix/patch';

export type FileMode = 'file' | 'executable' | 'symlink';

export interface FileChange {
  change: ChangedFile['change'];
  /** Path before; of an added file its own. */
  from: string;
  /** Path after; of a deleted file its own. */
  to: string;
  /** Undefined: as it was. */
  mode: FileMode | undefined;
  patch: StructuredPatch;
}

/** A diff that cannot be applied, whatever the files are. */
export class DiffError extends Error {
  override readonly name = 'DiffError';
  readonly problem: PatchProblem;

  constructor(reason: string, path?: string) {
    super(reason);
    this.problem = path === undefined ? { reason } : { path, reason };
  }
}

const NOTHING = '/dev/null';

/**
 * @param strip folders that lead each path and are left out; undefined: 1 where they are a/ and b/, else 0
 * @throws DiffError when it is malformed, binary, or names no file
 */
export function readDiff(diff: string, strip: number | undefined): FileChange[] {
  let patches: StructuredPatch[];
  try {
    patches = parsePatch(prepare(diff));
  } catch (error) {
    if (error instanceof DiffError) throw error;
    throw new DiffError(`the diff is malformed: ${(error as Error).message}`);
  }
  const binary = binarySections(diff);
  let section = 0;
  const changes = patches.flatMap((patch) => {
    const isBinary = patch.isGit === true && binary.has(section++);
    // What stands before the first file, such as the text of a mail.
    if (patch.oldFileName === undefined && patch.hunks.length === 0 && !patch.isGit) return [];
    return [toChange(patch, strip, isBinary)];
  });
  if (changes.length === 0) throw new DiffError('the diff is malformed: no file is changed in it');
  return changes;
}

const HUNK = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/;

/**
 * What the parser takes wrongly. Between hunks it passes over what it does not know, so that one whose header is damaged would be left
 * out silently; and the signature of a mail ("-- "), with which `git format-patch` ends, it takes for a removed line.
 *
 * @returns the diff without such signatures
 * @throws DiffError that names the line of a damaged header
 */
function prepare(diff: string): string {
  const lines = diff.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const header = HUNK.exec(lines[at] ?? '');
    if (!header && /^@@?( |$)/.test(lines[at] ?? ''))
      throw new DiffError(`the diff is malformed: line ${at + 1} is no header of a hunk: ${JSON.stringify(lines[at])}`);
    if (!header) continue;
    let [before, after] = [Number(header[1] ?? 1), Number(header[2] ?? 1)];
    while ((before > 0 || after > 0) && at + 1 < lines.length) {
      const kind = lines[++at]?.[0];
      if (kind !== '+' && kind !== '\\') before--;
      if (kind !== '-' && kind !== '\\') after--;
    }
    if (/^-- \r?$/.test(lines[at + 1] ?? '')) lines[at + 1] = '';
  }
  return lines.join('\n');
}

/** Which of the sections that begin with "diff --git" carry binary content, which the parser passes over. */
function binarySections(diff: string): Set<number> {
  const found = new Set<number>();
  let section = -1;
  for (const line of diff.split('\n')) {
    if (line.startsWith('diff --git ')) section++;
    else if (/^GIT binary patch\r?$/.test(line)) found.add(section);
  }
  return found;
}

function toChange(patch: StructuredPatch, strip: number | undefined, isBinary: boolean): FileChange {
  const [before, after] = [patch.oldFileName, patch.newFileName].map((name) => name?.replace(/\r$/, ''));
  if (before === undefined || after === undefined)
    throw new DiffError('the diff is malformed: it does not say which file it changes ("--- a/FILE", "+++ b/FILE")');
  const [from, to] = withoutPrefix(before, after, strip);
  const path = after === NOTHING ? from : to;
  if (!patch.isGit && patch.hunks.length === 0) throw new DiffError('the diff is malformed: nothing is changed', path);
  if (patch.isBinary || isBinary)
    throw new DiffError(
      'the diff changes a binary file, which is not supported: put the file itself into the request',
      path,
    );
  const added = patch.isCreate === true || before === NOTHING;
  const deleted = patch.isDelete === true || after === NOTHING;
  if (added && deleted) throw new DiffError('the diff is malformed: it adds and deletes the same file', path);
  return {
    change: added ? 'added' : deleted ? 'deleted' : kindOf(patch, from, to),
    from: added ? to : from,
    to: deleted ? from : to,
    mode: deleted ? undefined : modeOf(patch.newMode, path),
    patch,
  };
}

function kindOf(patch: StructuredPatch, from: string, to: string): ChangedFile['change'] {
  if (patch.isCopy) return 'copied';
  // Without git's headers different names are those of "diff old new": the file itself is the new one.
  return patch.isRename && from !== to ? 'renamed' : 'modified';
}

function withoutPrefix(before: string, after: string, strip: number | undefined): [from: string, to: string] {
  const isUsual = [before, after].every((name, n) => name === NOTHING || name.startsWith(n === 0 ? 'a/' : 'b/'));
  const count = strip ?? (isUsual ? 1 : 0);
  return [before, after].map((name) => {
    if (name === NOTHING) return name;
    const parts = name.split('/');
    if (parts.length <= count) throw new DiffError(`the path has not the ${count} folders to strip from it`, name);
    return parts.slice(count).join('/');
  }) as [string, string];
}

/** git's modes of files (gitformat-index(5)). */
function modeOf(mode: string | undefined, path: string): FileMode | undefined {
  switch (mode) {
    case undefined:
      return undefined;
    case '100644':
      return 'file';
    case '100755':
      return 'executable';
    case '120000':
      return 'symlink';
    case '160000':
      throw new DiffError('the diff changes a submodule, which is not supported', path);
    default:
      throw new DiffError(`the diff is malformed: there is no file mode ${mode}`, path);
  }
}
