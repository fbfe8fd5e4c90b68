import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, phoenix, temporaryFolder } from './assistant.ts';

/** Starts `phoenix federate ...`. @returns it, and what waits for a line of its output */
export function startFederate(environment: NodeJS.ProcessEnv, running: ChildProcess[], ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'federate', ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data;
    });
  const line = async (wanted: RegExp, timeoutMs = 90_000) => {
    const ends = Date.now() + timeoutMs;
    while (!wanted.test(output)) {
      assert.ok(Date.now() < ends && child.exitCode === null, `${args.join(' ')}: no ${wanted} in: ${output}`);
      await sleep(50);
    }
    return wanted.exec(output)?.[1] ?? '';
  };
  return { child, line };
}

/** Installations that take part in one federation through the command line, each with a state folder of its own. */
export class Installations implements AsyncDisposable {
  readonly folder = temporaryFolder();
  readonly #running: ChildProcess[] = [];

  /** What tells a command whose it is. */
  state(name: string) {
    return { PHOENIX_STATE_DIR: join(this.folder, name), PHOENIX_SKILL_RUNTIME: 'process' };
  }

  /** Runs `phoenix ...` to its end. */
  run(name: string, ...args: string[]) {
    return phoenix(args, this.state(name));
  }

  /** Starts `phoenix federate ...`, which ends with this at the latest. */
  start(name: string, ...args: string[]) {
    return startFederate(this.state(name), this.#running, ...args);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
