import { join } from 'node:path';
import {
  type CheckedPatchRequest,
  type CommandResult,
  isSignedBy,
  type PatchResult,
  patchRequestSchema,
} from 'phoenix/patch';
import { type CallContext, defineSkill, SkillError } from 'phoenix/skill';
import { applyChanges } from './apply.ts';
import { runCommand, toArguments } from './command.ts';
import { type PatchConfig, readPatchConfig } from './config.ts';
import { DiffError, readDiff } from './diff.ts';
import { Workspace, WorkspaceError } from './workspace.ts';

/** What is left of a call to send the answer, in milliseconds. */
const ANSWER_MS = 500;

export default defineSkill(({ config, mounts, tmpDir }) => {
  const settings = readPatchConfig(config);
  // Keys that are none refuse the start, not the first patch.
  isSignedBy(new Uint8Array(), '', settings.trusted_keys);
  return {
    async infer({ prompt }, call) {
      const request = readRequest(prompt);
      requireSignature(request, settings);
      // Before anything is copied: what cannot be run is known now.
      if (request.command !== undefined) toArguments(request.command);
      const result = await tryPatch(request, call, { settings, tree: mounts.tree, tmpDir });
      return { text: JSON.stringify(result), model: 'patch-sandbox' };
    },
  };
});

/** @throws SkillError INVALID_ARGUMENT that names what is wrong */
function readRequest(prompt: string): CheckedPatchRequest {
  let json: unknown;
  try {
    json = JSON.parse(prompt);
  } catch (error) {
    throw new SkillError(
      'INVALID_ARGUMENT',
      `the prompt must be JSON such as {"diff": "...", "command": "npm test"}: ${(error as Error).message}`,
    );
  }
  const read = patchRequestSchema.safeParse(json);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw new SkillError('INVALID_ARGUMENT', problems.join('; '));
}

/** @throws SkillError PERMISSION_DENIED */
function requireSignature({ diff, signature }: CheckedPatchRequest, { trusted_keys }: PatchConfig): void {
  if (trusted_keys.length === 0) return;
  if (signature === undefined)
    throw new SkillError(
      'PERMISSION_DENIED',
      'the diff must be signed (config.trusted_keys): run "phoenix patch sign"',
    );
  if (!isSignedBy(Buffer.from(diff), signature, trusted_keys))
    throw new SkillError('PERMISSION_DENIED', 'the signature is not one of this diff by a trusted key');
}

interface Place {
  settings: PatchConfig;
  /** The tree of the operator. */
  tree: string | undefined;
  tmpDir: string;
}

async function tryPatch(
  request: CheckedPatchRequest,
  { signal, deadline }: CallContext,
  { settings, tree, tmpDir }: Place,
): Promise<PatchResult> {
  const started = performance.now();
  const workspace = new Workspace(join(tmpDir, 'work'));
  // Elsewhere it is in memory and goes with the instance.
  using _ = { [Symbol.dispose]: () => process.permission && workspace.discard() };
  const finish = (result: Pick<PatchResult, 'verdict' | 'summary'> & Partial<PatchResult>): PatchResult => ({
    format: 1,
    files: [],
    problems: [],
    ...result,
    notes: workspace.notes,
    durationMs: Math.round(performance.now() - started),
  });
  if (tree !== undefined) await workspace.copy(tree, { ...settings, signal });
  putFiles(workspace, request.files);
  let changes: ReturnType<typeof readDiff>;
  try {
    changes = readDiff(request.diff, request.strip);
  } catch (error) {
    if (!(error instanceof DiffError)) throw error;
    return finish({ verdict: 'not_applied', summary: error.message, problems: [error.problem] });
  }
  const { files, problems } = applyChanges(workspace, changes, request.fuzz);
  const [problem] = problems;
  if (problem) {
    const where = [problem.path, problem.hunk && `hunk ${problem.hunk}`].filter(Boolean).join(', ');
    const summary = `not applied: ${where}${where && ': '}${problem.reason}`;
    return finish({ verdict: 'not_applied', summary, problems });
  }
  if (request.command === undefined) return finish({ verdict: 'applied', summary: applied(files.length), files });
  const command = await runCommand(request.command, {
    cwd: workspace.root,
    home: join(tmpDir, 'home'),
    timeoutMs: Math.max(
      1,
      Math.min(request.timeout_ms ?? settings.timeout_ms, deadline - performance.now() - ANSWER_MS),
    ),
    keptBytes: settings.kept_output_bytes,
    maxBytes: settings.max_output_bytes,
    signal,
  });
  const verdict = command.exitCode === 0 && command.ended === undefined ? 'passed' : 'failed';
  return finish({ verdict, summary: `${applied(files.length)}; ${describe(command)}`, files, command });
}

/** @throws SkillError INVALID_ARGUMENT */
function putFiles(workspace: Workspace, files: CheckedPatchRequest['files']): void {
  for (const [path, file] of Object.entries(files)) {
    const content = typeof file === 'string' ? Buffer.from(file) : Buffer.from(file.base64, 'base64');
    const mode = typeof file !== 'string' && file.executable ? 'executable' : 'file';
    try {
      workspace.write(path, { content, mode });
    } catch (error) {
      if (!(error instanceof WorkspaceError)) throw error;
      throw new SkillError('INVALID_ARGUMENT', `files: ${JSON.stringify(path)}: ${error.message}`);
    }
  }
}

function applied(files: number): string {
  return `applied to ${files} ${files === 1 ? 'file' : 'files'}`;
}

function describe({ ended, exitCode, signal, durationMs }: CommandResult): string {
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  switch (ended) {
    case 'timeout':
      return `the command was ended because it took longer than ${seconds}`;
    case 'output':
      return 'the command was ended because it said too much (config.max_output_bytes)';
    case 'killed':
      return 'the command was killed, most likely because it used more memory than the skill may have (resources.memory)';
    default:
      return exitCode === 0
        ? `the command succeeded in ${seconds}`
        : `the command failed in ${seconds} (${signal ? `ended by ${signal}` : `exit code ${exitCode}`})`;
  }
}
