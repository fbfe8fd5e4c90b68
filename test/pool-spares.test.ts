/** Spares: instances that were launched ahead, in every runtime that this machine offers, containers too. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelPoolOptions } from '../src/pool/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { availableRuntimes, createTestPool, onEvent, untilSpares } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

function sparesWork(runtime: RuntimeName) {
  let test: ReturnType<typeof createTestPool>;
  const open = (options: Partial<ModelPoolOptions>) => {
    test = createTestPool(runtime, options);
    return test.pool;
  };
  afterEach(() => test.cleanUp());

  it('are taken instead of a launch, and replaced', async () => {
    const pool = open({ skills: { stateless: { warm: 2 } } });
    pool.warmUp();
    await untilSpares(pool, 'stateless', 2);
    const ready = onEvent(pool, 'ready');
    const client = await pool.getSkillClient('stateless');
    assert.equal((await ready).kind, 'warm');
    assert.equal((await client.infer({ prompt: 'first' })).text, 'first');
    await untilSpares(pool, 'stateless', 2);
    const first = (await pool.status('stateless'))[0];
    // The next assistant would find the one in use, wherever it was launched.
    const found = await pool.runtime.find('stateless');
    assert.equal(found?.instanceId, first?.instanceId);
    const again = onEvent(pool, 'ready');
    await assert.rejects(client.infer({ prompt: 'exit:3' }), { code: 'UNAVAILABLE' });
    assert.equal((await again).kind, 'warm');
    assert.equal((await client.infer({ prompt: 'second' })).text, 'second');
    assert.notEqual((await pool.status('stateless'))[0]?.instanceId, first?.instanceId);
  });

  it('of a skill with data wait until nothing else runs', async () => {
    const pool = open({ skills: { sql: { warm: 3, idleTtlMs: 300 } } });
    const sql = await pool.getSkillClient('sql');
    await sql.infer({ prompt: 'CREATE TABLE t (a)' }, { grants: ['schema'] });
    await sql.infer({ prompt: 'INSERT INTO t VALUES (42)' });
    assert.equal((await pool.status('sql'))[0]?.spares, 0);
    await untilSpares(pool, 'sql', 1);
    const ready = onEvent(pool, 'ready');
    assert.equal((await sql.infer({ prompt: 'SELECT a FROM t' })).text, '[{"a":42}]');
    assert.equal((await ready).kind, 'warm');
    assert.equal((await pool.status('sql'))[0]?.spares, 0);
  });

  it('go when an operator stops the skill, and count in the memory budget', async () => {
    const pool = open({ skills: { stateless: { warm: 1 } }, memoryBudgetBytes: 200 * 1024 ** 2 });
    const echo = await pool.getSkillClient('stateless');
    await untilSpares(pool, 'stateless', 1);
    await pool.stop('stateless');
    await sleep(200);
    assert.equal((await pool.status('stateless'))[0]?.spares, 0);
    await echo.infer({ prompt: 'again' });
    await untilSpares(pool, 'stateless', 1);
    const small = createTestPool(runtime, { skills: { stateless: { warm: 5 } }, memoryBudgetBytes: 1 });
    small.pool.warmUp();
    await sleep(500);
    assert.equal((await small.pool.status('stateless'))[0]?.spares, 0);
    await small.cleanUp();
  });
}

for (const runtime of await availableRuntimes()) describe(`spares with ${runtime}`, () => sparesWork(runtime));

describe('spares with docker', { skip: isMissing('a Docker engine (dockerd, as root)', canStartEngine()) }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());
  const statuses = async () =>
    (await engine.engine.json<{ State: string }[]>('GET', '/containers/json?all=1')).map(({ State }) => State).sort();

  describe('that are paused containers', () => sparesWork('docker'));

  it('leave nothing behind, also when their assistant was killed', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'phoenix-test-'));
    const script = join(import.meta.dirname, 'support/owner.ts');
    const owner = spawn(process.execPath, [script, 'docker', stateDir, '60000', 'stateless', '2'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(owner.stdout, 'data');
    assert.deepEqual(await statuses(), ['paused', 'paused', 'running']);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const next = createTestPool('docker', {}, stateDir);
    const ready = onEvent(next.pool, 'ready');
    await next.pool.getSkillClient('stateless');
    assert.equal((await ready).kind, 'reused');
    assert.deepEqual(await statuses(), ['running']);
    await next.cleanUp();
    assert.deepEqual(await statuses(), []);
  });
});
