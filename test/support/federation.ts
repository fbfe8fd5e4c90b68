import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN } from './assistant.ts';

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
