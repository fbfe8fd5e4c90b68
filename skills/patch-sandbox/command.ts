/** Runs the command of a request in the copy, with limits of time and output. What it may reach is up to the isolation of the skill. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandResult } from 'phoenix/patch';
import { SkillError } from 'phoenix/skill';
import { OutputWindow } from './output.ts';

const SHELL = '/bin/sh';
/** How long what was written before the end may take to arrive, in milliseconds: what the command left running may hold its output open. */
const DRAIN_MS = 100;

export interface CommandOptions {
  cwd: string;
  /** An empty folder for what programs keep. */
  home: string;
  timeoutMs: number;
  keptBytes: number;
  maxBytes: number;
  signal: AbortSignal;
}

/** Where programs are looked for: those of the machine where they are shown, and the Node that runs the skill. */
function searchPath(): string[] {
  return ['/usr/local/bin', '/usr/bin', '/bin', dirname(process.execPath)].filter((folder) => existsSync(folder));
}

/**
 * The program and arguments of a command.
 *
 * @throws SkillError FAILED_PRECONDITION when nothing here can run it, with what to do
 */
export function toArguments(command: string | readonly string[]): [program: string, ...args: string[]] {
  // Node's permission model, which is all the isolation there is then, allows no further programs.
  if (process.permission !== undefined) {
    throw new SkillError(
      'FAILED_PRECONDITION',
      'no command is run where only the process isolates, because nothing would keep it from this machine: install bubblewrap or a container engine ("phoenix doctor"), or leave the command out',
    );
  }
  const words = typeof command === 'string' ? withShell(command) : [...command];
  const [program = '', ...args] = words;
  const isThere = program.includes('/') || searchPath().some((folder) => isProgram(join(folder, program)));
  if (!isThere) {
    throw new SkillError(
      'FAILED_PRECONDITION',
      `there is no program ${JSON.stringify(program)} here (looked in ${searchPath().join(', ')}). ${onlyNode()}`,
    );
  }
  return [program, ...args];
}

/** Plain words need no shell. */
function withShell(line: string): string[] {
  if (existsSync(SHELL)) return [SHELL, '-c', line];
  if (/^[\w@%+=:,./ -]+$/.test(line) && !/^\s*\w+=/.test(line)) return line.trim().split(/ +/);
  throw new SkillError('FAILED_PRECONDITION', `there is no shell here to run ${JSON.stringify(line)}. ${onlyNode()}`);
}

function onlyNode(): string {
  return existsSync(SHELL)
    ? "Only what lies under /usr is seen of this machine's programs."
    : 'Only Node is in the image or sandbox of this skill: say "node FILE", or show it the programs of this machine (skills.patch-sandbox.toolchain: true)';
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Runs it to its end, or until a limit ends it. @throws SkillError when it cannot be started */
export async function runCommand(command: string | readonly string[], options: CommandOptions): Promise<CommandResult> {
  const argv = toArguments(command);
  const [program, ...args] = argv;
  mkdirSync(options.home, { recursive: true });
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: environment(options.home),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which is ended as one. What leaves the group ends with this instance of the skill, right after the answer.
    detached: true,
  });
  let ended: CommandResult['ended'];
  const end = (why: NonNullable<CommandResult['ended']>) => {
    ended ??= why;
    if (child.pid !== undefined) killGroup(child.pid);
  };
  const output = new OutputWindow(options.keptBytes, options.maxBytes, () => end('output'));
  const errors = new OutputWindow(options.keptBytes, options.maxBytes, () => end('output'));
  child.stdout.on('data', (data: Buffer) => output.add(data));
  child.stderr.on('data', (data: Buffer) => errors.add(data));
  const timer = setTimeout(() => end('timeout'), options.timeoutMs);
  const onAbort = () => end('killed');
  options.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const { code, signal } = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
      (resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code, signal) => resolve({ code, signal }));
        child.once('exit', (code, signal) => setTimeout(() => resolve({ code, signal }), DRAIN_MS));
      },
    );
    if (signal === 'SIGKILL') ended ??= 'killed';
    return {
      argv,
      exitCode: code,
      signal,
      ...(ended === undefined ? {} : { ended }),
      stdout: output.text(),
      stderr: errors.text(),
      omittedBytes: output.omitted + errors.omitted,
      durationMs: Math.round(performance.now() - started),
    };
  } catch (error) {
    throw new SkillError('FAILED_PRECONDITION', `${program} could not be started: ${(error as Error).message}`);
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    if (child.pid !== undefined) killGroup(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

/** Nothing of the skill's own; no updates and telemetry that would wait for a network in vain. */
function environment(home: string): Record<string, string> {
  return {
    PATH: searchPath().join(':'),
    HOME: home,
    TMPDIR: '/tmp',
    LANG: 'C.UTF-8',
    CI: '1',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
    npm_config_fund: 'false',
    npm_config_audit: 'false',
  };
}
