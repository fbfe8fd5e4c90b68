import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTestPool } from '../../../test/support/pool.ts';
import { plainProcess } from '../process/plain-process.ts';
import { LocalRuntime } from './local-runtime.ts';
import { localPaths } from './paths.ts';

it('says so when a program cannot be started, and nothing else ends', async () => {
  const { cleanUp, stateDir } = createTestPool('process');
  const command: typeof plainProcess.command = (...its) => ({ ...plainProcess.command(...its), file: '/nonexistent' });
  const runtime = new LocalRuntime({ ...plainProcess, command }, localPaths(stateDir));
  const { pool, cleanUp: cleanUpToo } = createTestPool('process', { runtime });
  try {
    await assert.rejects(pool.getSkillClient('echo'), /\/nonexistent could not be started: spawn \/nonexistent ENOENT/);
  } finally {
    await cleanUpToo();
    await cleanUp();
  }
});
