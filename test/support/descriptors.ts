import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync } from 'node:fs';

/** Lets this process open no further file until the end of the scope. */
export function takeAllDescriptors(): Disposable {
  const before = limit();
  // As few as are needed: a machine may allow a million.
  limit(readdirSync('/proc/self/fd').length + 20);
  const taken: number[] = [];
  try {
    while (true) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // That was the last.
  }
  return {
    [Symbol.dispose]: () => {
      for (const descriptor of taken) closeSync(descriptor);
      limit(before);
    },
  };
}

/** Sets how many files this process may open, or says it. */
function limit(files?: number): number {
  const flags = files === undefined ? ['--nofile', '--output=SOFT', '--noheadings'] : [`--nofile=${files}:`];
  const { stdout, stderr, status } = spawnSync('prlimit', ['--pid', String(process.pid), ...flags], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
  return Number(stdout);
}
