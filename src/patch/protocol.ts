/**
 * What the patch-sandbox skill is asked and answers: JSON in `prompt` and `text`, format 1. No dependencies but zod, because it is
 * bundled into the skill.
 */
import { z } from 'zod';

const fileContent = z.union([
  z.string(),
  z.strictObject({ base64: z.base64(), executable: z.boolean().default(false) }),
]);

/** A patch to try. docs/patch.md explains each field. */
export const patchRequestSchema = z.strictObject({
  format: z.literal(1).default(1),
  /** A unified diff, with or without git's extended headers. */
  diff: z.string().min(1, 'the diff is empty'),
  /** Path -> content, beside what the tree has, or instead of it. */
  files: z.record(z.string(), fileContent).default({}),
  /** A line for /bin/sh, or a program and its arguments. Without it the diff is only applied. */
  command: z.union([z.string().min(1), z.array(z.string()).min(1)]).optional(),
  /** Folders that lead each path of the diff, to leave out. Default: 1 where the paths begin with a/ and b/, else 0. */
  strip: z.int().min(0).max(100).optional(),
  /** Lines of context of a hunk that may differ from the file. */
  fuzz: z.int().min(0).max(3).default(2),
  /** Milliseconds that the command may take; never more than the call. */
  timeout_ms: z.int().min(1).optional(),
  /** Ed25519 signature of the diff, base64. */
  signature: z.string().optional(),
});

export type PatchRequest = z.input<typeof patchRequestSchema>;
export type CheckedPatchRequest = z.output<typeof patchRequestSchema>;

/** What happened to one file of the diff. */
export interface ChangedFile {
  path: string;
  change: 'modified' | 'added' | 'deleted' | 'renamed' | 'copied';
  /** Where a renamed or copied file comes from. */
  from?: string;
  added: number;
  removed: number;
  /** The most lines of context in a hunk that were not as the diff has them; 0: all were. */
  fuzz: number;
}

/** Why a diff was not applied. */
export interface PatchProblem {
  /** The file, where it is one. */
  path?: string;
  /** Which hunk of the file, from 1. */
  hunk?: number;
  reason: string;
}

/** How the command went. */
export interface CommandResult {
  argv: string[];
  exitCode: number | null;
  signal: string | null;
  /** Why it was ended, where it did not end by itself. */
  ended?: 'timeout' | 'output' | 'killed';
  stdout: string;
  stderr: string;
  /** Bytes that were left out in the middle of what it said. */
  omittedBytes: number;
  durationMs: number;
}

/** `applied`: without a command; `passed`, `failed`: what the command said; `not_applied`: nothing was run. */
export type PatchVerdict = 'applied' | 'passed' | 'failed' | 'not_applied';

/** The answer of the skill. */
export interface PatchResult {
  format: 1;
  verdict: PatchVerdict;
  /** One line for people. */
  summary: string;
  files: ChangedFile[];
  problems: PatchProblem[];
  command?: CommandResult;
  /** What an operator should know, such as files of the tree that could not be copied. */
  notes: string[];
  /** All of it, in milliseconds. */
  durationMs: number;
}
