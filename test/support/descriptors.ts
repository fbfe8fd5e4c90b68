import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { openFiles } from '../chaos/processes.ts';

/**
 * Sets how many files a process may open.
 *
 * @returns ends that: it may open as many as Node itself lets it when it starts, the most; undefined when it could not be set
 */
export function limitOpenFiles(pid: number, files: number): (() => void) | undefined {
  const prlimit = (...flags: string[]) => spawnSync('prlimit', ['--pid', String(pid), ...flags], { encoding: 'utf8' });
  const most = prlimit('--nofile', '--output=HARD', '--noheadings').stdout?.trim();
  if (prlimit(`--nofile=${files}:`).status !== 0) return undefined;
  return () => prlimit(`--nofile=${most}:`);
}

/** Lets this process open no further file until the end of the scope. */
export function takeAllDescriptors(): Disposable {
  // As few as are needed: a machine may allow a million.
  const end = limitOpenFiles(process.pid, openFiles(process.pid).files + 20);
  assert.ok(end, 'prlimit failed');
  const taken: number[] = [];
  try {
    while (true) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // That was the last.
  }
  return {
    [Symbol.dispose]: () => {
      for (const descriptor of taken) closeSync(descriptor);
      end();
    },
  };
}
