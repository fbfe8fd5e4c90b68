import assert from 'node:assert/strict';
import { it } from 'node:test';
import { temporaryFolder } from '../../../test/support/assistant.ts';
import { createTestPool } from '../../../test/support/pool.ts';
import { plainProcess } from '../process/plain-process.ts';
import { LocalRuntime } from './local-runtime.ts';
import { localPaths } from './paths.ts';

it('says so when a program cannot be started, and nothing else ends', async () => {
  const folder = temporaryFolder();
  const command: typeof plainProcess.command = (...its) => ({ ...plainProcess.command(...its), file: '/nonexistent' });
  const runtime = new LocalRuntime({ ...plainProcess, command }, localPaths(folder));
  const { pool, cleanUp } = createTestPool('process', { runtime }, folder);
  try {
    await assert.rejects(pool.getSkillClient('echo'), /\/nonexistent could not be started: spawn \/nonexistent ENOENT/);
  } finally {
    await cleanUp();
  }
});
