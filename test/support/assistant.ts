import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'phoenix-test-'));
}

export interface CliResult {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `phoenix ...` to its end. */
export function phoenix(args: readonly string[], environment: Record<string, string>, input?: string): CliResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    cwd: tmpdir(),
    timeout: 60_000,
    ...(input === undefined ? {} : { input }),
  });
  return { code: status, stdout, stderr };
}

/** A running `phoenix start`. */
export interface RunningAssistant extends AsyncDisposable {
  url: string;
  process: ChildProcess;
  stateDir: string;
  /** What it logged so far. */
  log(): string;
  /** Ends it. @returns its exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `phoenix start` on a free port and waits until it listens. */
export async function startAssistant(
  environment: Record<string, string> = {},
  args: string[] = [],
): Promise<RunningAssistant> {
  const stateDir = environment.PHOENIX_STATE_DIR ?? temporaryFolder();
  const child = spawn(process.execPath, [MAIN, 'start', ...args], {
    env: { ...process.env, PHOENIX_STATE_DIR: stateDir, PHOENIX_SERVER_PORT: '0', ...environment },
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log += data;
  });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return (await exited)[0];
  };
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    url = /listening on (\S+)/.exec(line)?.[1] ?? '';
    if (url) break;
  }
  if (!url) throw new Error(`the assistant did not start (exit code ${(await exited)[0]}): ${log}`);
  return {
    url,
    process: child,
    stateDir,
    log: () => log,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      if (environment.PHOENIX_STATE_DIR === undefined) rmSync(stateDir, { recursive: true, force: true });
    },
  };
}
