/** Applies the changes of a diff to a workspace: all of them, or none. */
import { applyPatch, type StructuredPatch } from 'diff';
import type { ChangedFile, PatchProblem } from 'phoenix/patch';
import type { FileChange, FileMode } from './diff.ts';
import { linkTarget, type WorkFile, type Workspace, WorkspaceError } from './workspace.ts';

interface Outcome {
  files: ChangedFile[];
  /** Empty: it was applied. */
  problems: PatchProblem[];
}

/** @param fuzz lines of context of a hunk that may differ */
export function applyChanges(workspace: Workspace, changes: readonly FileChange[], fuzz: number): Outcome {
  const plan = new Plan(workspace);
  const files: ChangedFile[] = [];
  const problems: PatchProblem[] = [];
  for (const change of changes) {
    try {
      files.push(plan.add(change, fuzz));
    } catch (error) {
      if (!(error instanceof WorkspaceError)) throw error;
      const hunk = error instanceof HunkError ? { hunk: error.hunk } : {};
      problems.push({ path: change.to, ...hunk, reason: error.message });
    }
  }
  if (problems.length === 0) {
    try {
      plan.carryOut();
    } catch (error) {
      if (!(error instanceof WorkspaceError)) throw error;
      problems.push({ reason: error.message });
    }
  }
  return problems.length > 0 ? { files: [], problems } : { files, problems };
}

class HunkError extends WorkspaceError {
  readonly hunk: number;

  constructor(hunk: number, reason: string) {
    super(reason);
    this.hunk = hunk;
  }
}

/** The files as they will be; undefined: gone. Nothing is written before all of a diff is known to apply. */
class Plan {
  readonly #workspace: Workspace;
  readonly #files = new Map<string, WorkFile | undefined>();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  add({ change, from, to, mode, patch }: FileChange, fuzz: number): ChangedFile {
    const before = this.#look(from);
    const target = from === to ? before : this.#look(to);
    if (change === 'added' && before) throw new WorkspaceError('the diff adds this file, and it is there already');
    if (change !== 'added' && !before) throw new WorkspaceError(`there is no file ${from}`);
    if ((change === 'renamed' || change === 'copied') && target)
      throw new WorkspaceError(`the diff makes this file from ${from}, and it is there already`);
    const [text, used] = patched(before ? toText(before.content) : '', patch, fuzz);
    if (change === 'deleted') {
      if (text !== '')
        throw new HunkError(1, 'the diff deletes this file, which has more in it than the diff knows of');
      this.#files.set(from, undefined);
    } else {
      const next: FileMode = mode ?? before?.mode ?? 'file';
      if (next === 'symlink') linkTarget(to, text);
      if (change === 'renamed') this.#files.set(from, undefined);
      this.#files.set(to, { content: Buffer.from(text), mode: next });
    }
    const lines = patch.hunks.flatMap((hunk) => hunk.lines);
    return {
      path: to,
      change,
      ...(from === to ? {} : { from }),
      added: lines.filter((line) => line.startsWith('+')).length,
      removed: lines.filter((line) => line.startsWith('-')).length,
      fuzz: used,
    };
  }

  /** A file as the changes so far leave it. @throws WorkspaceError when its path must not be used */
  #look(path: string): WorkFile | undefined {
    this.#workspace.locate(path);
    const parts = path.split('/');
    for (let n = 1; n < parts.length; n++) {
      const folder = parts.slice(0, n).join('/');
      const mode = this.#files.get(folder)?.mode;
      if (mode === 'symlink') throw new WorkspaceError(`the path leads through the symbolic link ${folder}`);
      if (mode !== undefined) throw new WorkspaceError(`${folder} is no folder`);
    }
    return this.#files.has(path) ? this.#files.get(path) : this.#workspace.read(path);
  }

  carryOut(): void {
    for (const [path, file] of this.#files) if (!file) this.#workspace.remove(path);
    for (const [path, file] of this.#files) if (file) this.#workspace.write(path, file);
  }
}

/** @returns the text, and how many lines of context had to be overlooked. @throws HunkError for the first hunk that does not apply */
function patched(text: string, patch: StructuredPatch, fuzz: number): [text: string, fuzz: number] {
  // A place is looked for line by line, from where a hunk says: not through millions of lines that the file has not.
  const last = text.split('\n').length;
  const hunks = patch.hunks.map((hunk) => ({ ...hunk, oldStart: Math.min(hunk.oldStart, last) }));
  for (let used = 0; used <= fuzz; used++) {
    const result = applyPatch(text, { ...patch, hunks }, { fuzzFactor: used });
    if (result !== false) return [result, used];
  }
  const isRefused = (count: number) =>
    applyPatch(text, { ...patch, hunks: hunks.slice(0, count) }, { fuzzFactor: fuzz }) === false;
  const failing = patch.hunks.findIndex((_, n) => isRefused(n + 1));
  throw new HunkError(failing + 1, whyNot(text, patch.hunks[failing], fuzz));
}

/** What is at the place of a hunk instead of what it expects. */
function whyNot(text: string, hunk: StructuredPatch['hunks'][number] | undefined, fuzz: number): string {
  const lines = text.split('\n');
  const expected = (hunk?.lines ?? []).filter((line) => !/^[+\\]/.test(line)).map((line) => line.slice(1));
  const start = (hunk?.oldStart ?? 1) - 1;
  const first = expected.findIndex((line, n) => lines[start + n] !== line);
  const within = fuzz > 0 ? `, also with ${fuzz} lines of context overlooked` : '';
  if (first < 0) return `it does not apply${within}: the end of the file has a newline too many or too few`;
  const found = lines[start + first];
  const there = found === undefined ? 'the file ends before it' : `there is ${quoted(found)}`;
  return `it does not apply anywhere${within}: line ${start + first + 1} should be ${quoted(expected[first] ?? '')}, and ${there}`;
}

function quoted(line: string): string {
  return JSON.stringify(line.length > 120 ? `${line.slice(0, 120)}…` : line);
}

/** @throws WorkspaceError when it is no text: a diff could not say what to do with it */
function toText(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new WorkspaceError('it is no UTF-8 text, so no diff can be applied to it');
  }
}
