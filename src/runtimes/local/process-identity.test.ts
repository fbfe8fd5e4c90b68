import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

/** Says whether it runs itself, and whether one that never ran does, when no further file can be opened. */
const LOOK = `
  const { identify, isRunning } = await import(${JSON.stringify(join(import.meta.dirname, 'process-identity.ts'))});
  const { openSync } = await import('node:fs');
  const own = identify(process.pid);
  try {
    while (true) openSync('/dev/null');
  } catch (error) {
    process.stdout.write(JSON.stringify([error.code, isRunning(own), isRunning({ pid: 2 ** 30, startTime: '1' })]));
  }
`;

it('takes no process for dead because it cannot look', () => {
  const node = `ulimit -n 128; exec "$0" --input-type=module --eval "$1"`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', node, process.execPath, LOOK], { encoding: 'utf8' });
  assert.equal(stdout, '["EMFILE",true,false]', stderr);
});
