/** Skills whose instances serve one call, in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { type InferRequest, SkillServiceClient } from '../src/contract/index.ts';
import type { ModelPoolOptions } from '../src/pool/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { inside } from './support/inside.ts';
import { availableRuntimes, createTestPool, onEvent, untilSpares } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const COUNT = 'globalThis.calls = (globalThis.calls ?? 0) + 1; return globalThis.calls';

function singleUse(runtime: RuntimeName) {
  let test: ReturnType<typeof createTestPool>;
  const open = (options: Partial<ModelPoolOptions> = {}) => {
    test = createTestPool(runtime, options);
    return test.pool;
  };
  afterEach(() => test.cleanUp());

  it('have an instance of their own for every call, also for calls at the same time', async () => {
    const pool = open();
    const skill = await pool.getSkillClient('once');
    const first = (await pool.status('once'))[0]?.instanceId;
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => inside(skill, COUNT))), [1, 1, 1]);
    assert.deepEqual(await inside(skill, COUNT), 1);
    const [status] = await pool.status('once');
    assert.notEqual(status?.instanceId, first);
    assert.equal(status?.lastStop, 'used');
    assert.equal(status?.calls, 4);
  });

  it('take spares, and are thrown away when the call fails, is cancelled, or ends the instance', async () => {
    const pool = open({ skills: { once: { warm: 1 } } });
    const skill = pool.client('once');
    pool.warmUp();
    await untilSpares(pool, 'once', 1);
    const ready = onEvent(pool, 'ready');
    assert.equal(await inside(skill, COUNT), 1);
    assert.equal((await ready).kind, 'warm');
    await assert.rejects(skill.infer({ prompt: 'fail:no' }), { code: 'FAILED_PRECONDITION' });
    await assert.rejects(skill.infer({ prompt: 'sleep:60000' }, { timeoutMs: 1500 }), { code: 'DEADLINE_EXCEEDED' });
    await assert.rejects(skill.infer({ prompt: 'exit:3' }), { code: 'UNAVAILABLE' });
    const streamed: string[] = [];
    for await (const { text } of skill.inferStream({ prompt: 'a b' })) streamed.push(text);
    assert.deepEqual(streamed, ['a', 'b']);
    assert.equal(await inside(skill, COUNT), 1);
  });

  it('refuse calls beyond the queue', async () => {
    const pool = open();
    const skill = await pool.getSkillClient('once');
    const answers = await Promise.allSettled(Array.from({ length: 6 }, () => skill.infer({ prompt: 'sleep:300' })));
    const refused = answers.filter(({ status }) => status === 'rejected');
    // One runs, two wait, and one more may be about to.
    assert.ok(refused.length >= 2 && refused.length <= 3, `${refused.length} of 6 were refused`);
    for (const answer of refused) assert.match(String((answer as PromiseRejectedResult).reason), /busy: 2 calls wait/);
  });

  it('are not found again by the next assistant', async () => {
    const pool = open();
    await pool.getSkillClient('once');
    const first = (await pool.status('once'))[0]?.instanceId;
    await pool.close({ keepRunning: true });
    const next = createTestPool(runtime, {}, test.stateDir);
    try {
      const ready = onEvent(next.pool, 'ready');
      await next.pool.getSkillClient('once');
      assert.equal((await ready).kind, 'cold');
      assert.notEqual((await next.pool.status('once'))[0]?.instanceId, first);
    } finally {
      await next.pool.close();
    }
  });

  it('serve one call to other clients, too, and end', async () => {
    const pool = open();
    await pool.getSkillClient('once');
    const stopped = onEvent(pool, 'stopped');
    const client = new SkillServiceClient(
      `unix:${join(test.paths.socketDir('once'), 'skill.sock')}`,
      credentials.createInsecure(),
    );
    const infer = promisify(
      client.infer.bind(client) as (request: InferRequest, done: (error: Error | null) => void) => void,
    );
    await infer({
      ...({ maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined } as const),
      prompt: 'x',
    });
    await stopped;
    client.close();
  });

  it('see the folders that they ask for, read-only, and no others', async () => {
    const shelf = mkdtempSync(join(tmpdir(), 'phoenix-shelf-'));
    // A container runs as nobody.
    chmodSync(shelf, 0o755);
    writeFileSync(join(shelf, 'book'), 'read me');
    try {
      const pool = open({ skills: { once: { mounts: { shelf } } } });
      const skill = pool.client('once');
      const path = runtime === 'process' ? shelf : '/mnt/shelf';
      assert.equal(await inside(skill, `return require('fs').readFileSync('${path}/book', 'utf8')`), 'read me');
      const code = `try { require('fs').writeFileSync('${path}/book', '') } catch (error) { return error.code }`;
      assert.match(await inside(skill, code), /EROFS|ERR_ACCESS_DENIED/);
      const other = createTestPool(runtime, { skills: { once: { mounts: { cellar: shelf } } } });
      await assert.rejects(other.pool.getSkillClient('once'), /asks for no folder "cellar".*there are: shelf/);
      await other.cleanUp();
      const gone = createTestPool(runtime, { skills: { once: { mounts: { shelf: join(shelf, 'no') } } } });
      await assert.rejects(gone.pool.getSkillClient('once'), /skills\.once\.mounts\.shelf\) is no folder/);
      await gone.cleanUp();
    } finally {
      rmSync(shelf, { recursive: true });
    }
  });
}

for (const runtime of await availableRuntimes()) {
  describe(`instances for one call with ${runtime}`, () => singleUse(runtime));
}

const noEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());
describe('instances for one call with docker', { skip: noEngine }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());
  singleUse('docker');
});
