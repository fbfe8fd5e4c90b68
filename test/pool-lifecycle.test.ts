/** Keep-alive, stop while starting, and the isolation that a skill demands. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { ModelPool } from '../src/pool/index.ts';
import { killSkill, skillProcesses } from './support/kill.ts';
import { availableRuntimes, createTestPool, onEvent } from './support/pool.ts';
import { copiesOf } from './support/scoped-pool.ts';

const statesOf = async (pool: ModelPool) =>
  Object.fromEntries((await pool.status()).map(({ name, state }) => [name, state]));

for (const runtime of await availableRuntimes()) {
  describe(`life of skills with ${runtime}`, () => {
    it('is stopped when it is idle, and started by the next call', async () => {
      const { pool, cleanUp } = createTestPool(runtime, { idleTtlMs: 150 });
      const stopped = onEvent(pool, 'stopped');
      const client = await pool.getSkillClient('echo');
      assert.equal((await stopped).reason, 'idle');
      assert.equal((await client.infer({ prompt: 'again' })).text, 'again');
      await cleanUp();
    });

    it('is not stopped for being idle while it is pinned or works', async () => {
      using skills = copiesOf('echo', 'pinned', 'working');
      const { pool, cleanUp } = createTestPool(runtime, {
        idleTtlMs: 100,
        catalog: skills.catalog,
        skills: { pinned: { pinned: true } },
      });
      await pool.getSkillClient('pinned');
      await (await pool.getSkillClient('working')).infer({ prompt: 'sleep:400' });
      assert.deepEqual(await statesOf(pool), { pinned: 'ready', working: 'ready' });
      await cleanUp();
    });

    it('is not harmed by a late look at the one before it', async () => {
      const { pool, paths, cleanUp } = createTestPool(runtime);
      const client = await pool.getSkillClient('echo');
      const look = await pool.runtime.find('echo');
      assert.ok(look?.endpoint.kind === 'unix');
      const died = onEvent(pool, 'stopped');
      killSkill(paths, 'echo', 'innermost');
      await died;
      await client.infer({ prompt: 'again' });
      await look.exited;
      assert.ok(existsSync(look.endpoint.path), 'the socket of the running skill is gone');
      assert.ok(await pool.runtime.find('echo'), 'the record of the running skill is gone');
      await cleanUp();
    });

    it('stops while it starts when it is told to', async () => {
      const { pool, paths, cleanUp } = createTestPool(runtime);
      const starting = pool.getSkillClient('echo');
      const refused = assert.rejects(starting, { code: 'UNAVAILABLE' });
      await pool.stop('echo');
      await refused;
      assert.deepEqual(await statesOf(pool).then(({ echo }) => echo), 'stopped');
      assert.deepEqual(skillProcesses(paths, 'echo'), []);
      await cleanUp();
    });
  });
}

describe('a skill that demands more isolation than there is', () => {
  it('is not started', async () => {
    using skills = copiesOf('echo', 'echo');
    const { catalog } = skills;
    const manifest = catalog.skills.get('echo');
    if (manifest) manifest.isolation = { minimum: 'sandbox' };
    const { pool, cleanUp } = createTestPool('process', { catalog });
    await assert.rejects(pool.getSkillClient('echo'), /sandbox/);
    await cleanUp();
  });
});
