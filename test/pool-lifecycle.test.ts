/** The life of skills in a pool: reuse, replacement, idle stop, eviction, lease, reload, drain. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Catalog, readCatalog } from '../src/manifest/index.ts';
import type { ModelPool, PoolEvent } from '../src/pool/index.ts';
import { skillProcesses } from './support/kill.ts';
import { availableRuntimes, createTestPool, FIXTURES, onEvent } from './support/pool.ts';

/** The echo skill under several names. */
function echoes(...names: string[]): Catalog {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-skills-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  for (const name of names) {
    cpSync(join(FIXTURES, 'echo'), join(folder, name), { recursive: true });
    const manifest = join(folder, name, 'skill.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('name: echo', `name: ${name}`));
  }
  return readCatalog([folder]);
}

const pidOf = async (pool: ModelPool, name = 'echo') => (await pool.client(name).infer({ prompt: 'pid:' })).text;
const statesOf = async (pool: ModelPool) =>
  Object.fromEntries((await pool.status()).map(({ name, state }) => [name, state]));

for (const runtime of await availableRuntimes()) {
  describe(`life of skills with ${runtime}`, () => {
    it('is reused by the next assistant, with the same process', async () => {
      const first = createTestPool(runtime);
      await first.pool.getSkillClient('echo');
      const processes = skillProcesses(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      const second = createTestPool(runtime, {}, first.stateDir);
      const ready = onEvent(second.pool, 'ready');
      await second.pool.getSkillClient('echo');
      assert.equal((await ready).kind, 'reused');
      assert.deepEqual(skillProcesses(second.paths, 'echo'), processes);
      await second.cleanUp();
    });

    it('is replaced when it would be launched differently now', async () => {
      const first = createTestPool(runtime);
      await first.pool.getSkillClient('echo');
      const processes = skillProcesses(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      const second = createTestPool(runtime, { skills: { echo: { config: { changed: true } } } }, first.stateDir);
      const ready = onEvent(second.pool, 'ready');
      await second.pool.getSkillClient('echo');
      assert.equal((await ready).kind, 'cold');
      assert.notDeepEqual(skillProcesses(second.paths, 'echo'), processes);
      await second.cleanUp();
    });

    it('is stopped when it is idle, and started by the next call', async () => {
      const { pool, cleanUp } = createTestPool(runtime, { idleTtlMs: 150 });
      const stopped = onEvent(pool, 'stopped');
      const client = await pool.getSkillClient('echo');
      assert.equal((await stopped).reason, 'idle');
      assert.equal((await client.infer({ prompt: 'again' })).text, 'again');
      await cleanUp();
    });

    it('is not stopped for being idle while it is pinned or works', async () => {
      const { pool, cleanUp } = createTestPool(runtime, {
        idleTtlMs: 100,
        catalog: echoes('pinned', 'working'),
        skills: { pinned: { pinned: true } },
      });
      await pool.getSkillClient('pinned');
      await (await pool.getSkillClient('working')).infer({ prompt: 'sleep:400' });
      assert.deepEqual(await statesOf(pool), { pinned: 'ready', working: 'ready' });
      await cleanUp();
    });

    it('makes room by stopping the least recently used idle skill, never a busy one', async () => {
      const { pool, cleanUp } = createTestPool(runtime, { maxLoaded: 2, catalog: echoes('a', 'b', 'c') });
      await pidOf(pool, 'a');
      await pidOf(pool, 'b');
      await pidOf(pool, 'a');
      const stopped = onEvent(pool, 'stopped');
      await pidOf(pool, 'c');
      const { skill, reason } = await stopped;
      assert.deepEqual([skill, reason], ['b', 'evicted_for:c']);
      const busy = [pool.client('a').infer({ prompt: 'sleep:500' }), pool.client('c').infer({ prompt: 'sleep:500' })];
      await assert.rejects(pidOf(pool, 'b'), { code: 'UNAVAILABLE' });
      assert.deepEqual(
        (await Promise.all(busy)).map(({ text }) => text),
        ['slept 500', 'slept 500'],
      );
      await cleanUp();
    });

    it('stays within a memory budget', async () => {
      const budget = 90 * 1024 ** 2;
      const catalog = echoes('a', 'b', 'c');
      const { pool, cleanUp } = createTestPool(runtime, { memoryBudgetBytes: budget, catalog });
      const evicted: string[] = [];
      pool.on('event', (event: PoolEvent) => {
        if (event.t === 'stopped') evicted.push(`${event.skill} ${event.reason}`);
      });
      for (const name of ['a', 'b', 'c', 'a', 'b', 'c']) await pidOf(pool, name);
      assert.ok(evicted.length > 0 && evicted.every((line) => line.includes('evicted_for:')), evicted.join());
      const used = (await pool.status()).reduce((sum, { memoryBytes = 0 }) => sum + memoryBytes, 0);
      assert.ok(used <= budget, `${used}`);
      await cleanUp();
    });

    it('runs new code after a reload; calls that run end with the old one', async () => {
      const catalog = echoes('echo');
      const { pool, cleanUp } = createTestPool(runtime, { catalog });
      const client = await pool.getSkillClient('echo');
      const pid = await pidOf(pool);
      const source = catalog.skills.get('echo')?.entryPath ?? '';
      writeFileSync(
        source,
        readFileSync(source, 'utf8').replace('return request.prompt;', "return 'new ' + request.prompt;"),
      );
      const running = client.infer({ prompt: 'sleep:300' });
      await sleep(20);
      assert.equal(await pool.reload('echo'), true);
      for (let i = 0; i < 100 && (await client.infer({ prompt: 'x' })).text !== 'new x'; i++) await sleep(20);
      assert.equal((await client.infer({ prompt: 'x' })).text, 'new x');
      assert.equal((await running).text, 'slept 300');
      assert.equal(await pidOf(pool), pid);
      await cleanUp();
    });

    it('keeps the old code when the new one does not load', async () => {
      const catalog = echoes('echo');
      const { pool, cleanUp } = createTestPool(runtime, { catalog });
      const client = await pool.getSkillClient('echo');
      writeFileSync(catalog.skills.get('echo')?.entryPath ?? '', 'this is no TypeScript');
      await assert.rejects(pool.reload('echo'), { name: 'BundleError' });
      assert.equal((await client.infer({ prompt: 'x' })).text, 'x');
      await cleanUp();
    });

    it('lets a running call end before it stops', async () => {
      const { pool, cleanUp } = createTestPool(runtime);
      const client = await pool.getSkillClient('echo');
      const running = client.infer({ prompt: 'sleep:300' });
      await sleep(20);
      await pool.stop('echo');
      assert.equal((await running).text, 'slept 300');
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

    it('ends by itself when its assistant is gone for longer than the lease', async () => {
      const test = createTestPool(runtime);
      const owner = spawn(
        process.execPath,
        [join(import.meta.dirname, 'support/owner.ts'), runtime, test.stateDir, '1500'],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await once(createInterface({ input: owner.stdout }), 'line');
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      const [pid] = skillProcesses(test.paths, 'echo');
      assert.ok(pid !== undefined);
      for (let i = 0; i < 100 && existsSync(`/proc/${pid}`); i++) await sleep(100);
      assert.equal(existsSync(`/proc/${pid}`), false);
      await test.cleanUp();
    });
  });
}

describe('a skill that demands more isolation than there is', () => {
  it('is not started', async () => {
    const catalog = echoes('echo');
    const manifest = catalog.skills.get('echo');
    if (manifest) manifest.isolation = { minimum: 'sandbox' };
    const { pool, cleanUp } = createTestPool('process', { catalog });
    await assert.rejects(pool.getSkillClient('echo'), /sandbox/);
    await cleanUp();
  });
});
