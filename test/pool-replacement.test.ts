/** Whether what runs is reused or replaced, and who makes room for whom; in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PoolEvent, SkillUnavailableError } from '../src/pool/index.ts';
import { hold } from './support/inside.ts';
import { availableRuntimes, onEvent } from './support/pool.ts';
import { copiesOf, scopedPool, Trace, until } from './support/scoped-pool.ts';

const MIB = 1024 ** 2;
const runtimes = await availableRuntimes();

for (const runtime of runtimes) {
  describe(`what runs already with ${runtime}`, () => {
    it('is found again as the same instance, with the same process', async () => {
      await using first = scopedPool(runtime);
      const pid = (await (await first.pool.getSkillClient('echo')).infer({ prompt: 'pid:' })).text;
      const [before] = await first.pool.status('echo');
      using trace = new Trace(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      await using second = scopedPool(runtime, {}, first.stateDir);
      const ready = onEvent(second.pool, 'ready');
      const client = await second.pool.getSkillClient('echo');
      const { kind, instanceId } = await ready;
      assert.deepEqual([kind, instanceId], ['reused', before?.instanceId]);
      assert.equal((await client.infer({ prompt: 'pid:' })).text, pid);
      assert.equal(trace.running().length, trace.processes.length);
    });

    it('is replaced when its configuration has changed: another fingerprint, the old process gone', async () => {
      await using first = scopedPool(runtime);
      await first.pool.getSkillClient('echo');
      using old = new Trace(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      await using second = scopedPool(runtime, { skills: { echo: { config: { changed: true } } } }, first.stateDir);
      const ready = onEvent(second.pool, 'ready');
      const client = await second.pool.getSkillClient('echo');
      assert.equal((await ready).kind, 'cold');
      assert.notEqual(new Trace(second.paths, 'echo').fingerprint, old.fingerprint);
      await old.untilEnded();
      assert.equal((await client.infer({ prompt: 'new' })).text, 'new');
    });

    it('is replaced when its code has changed, and then answers as the new code does', async () => {
      using skills = copiesOf('echo', 'echo');
      const { catalog } = skills;
      await using first = scopedPool(runtime, { catalog });
      await first.pool.getSkillClient('echo');
      using old = new Trace(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      skills.edit('echo', (source) => source.replace('return request.prompt;', "return 'new ' + request.prompt;"));
      await using second = scopedPool(runtime, { catalog }, first.stateDir);
      assert.equal((await (await second.pool.getSkillClient('echo')).infer({ prompt: 'x' })).text, 'new x');
      await old.untilEnded();
    });

    it('is replaced when it does not answer', async () => {
      using skills = copiesOf('echo', 'echo');
      const { catalog } = skills;
      const manifest = catalog.skills.get('echo');
      assert.ok(manifest);
      manifest.health.timeout = 200;
      manifest.timeouts.drain = 100;
      await using first = scopedPool(runtime, { catalog });
      await first.pool.getSkillClient('echo');
      using old = new Trace(first.paths, 'echo');
      await first.pool.close({ keepRunning: true });
      for (const pid of old.running()) process.kill(pid, 'SIGSTOP');
      await using second = scopedPool(runtime, { catalog }, first.stateDir);
      const ready = onEvent(second.pool, 'ready');
      const client = await second.pool.getSkillClient('echo');
      assert.equal((await ready).kind, 'cold');
      await old.untilEnded();
      assert.equal((await client.infer({ prompt: 'new' })).text, 'new');
    });

    it('stays when an operator started it, and the next assistant takes it over and can stop it', async () => {
      await using first = scopedPool(runtime);
      await first.pool.start('echo');
      using trace = new Trace(first.paths, 'echo');
      await first.pool.close();
      assert.equal(trace.running().length, trace.processes.length);
      await using second = scopedPool(runtime, {}, first.stateDir);
      assert.deepEqual(await second.pool.adopt(), ['echo']);
      assert.equal(trace.running().length, trace.processes.length);
      assert.equal(await second.pool.stop('echo'), true);
      await trace.untilEnded();
    });

    for (const other of runtimes.filter((each) => each !== runtime)) {
      it(`is stopped when the next assistant runs skills with ${other}`, async () => {
        await using first = scopedPool(runtime);
        await first.pool.getSkillClient('echo');
        using old = new Trace(first.paths, 'echo');
        await first.pool.close({ keepRunning: true });
        await using second = scopedPool(other, {}, first.stateDir);
        const ready = onEvent(second.pool, 'ready');
        await second.pool.getSkillClient('echo');
        assert.equal((await ready).runtime, other);
        await until('the end of the old one', () => old.running().length === 0, 2000).catch(() => {});
        assert.deepEqual(old.running(), [], 'two instances of one skill use its data folder');
      });
    }
  });

  describe(`room for skills with ${runtime}`, () => {
    it('of two skills the idle one goes when only one may run', async () => {
      using skills = copiesOf('echo', 'one', 'two');
      await using test = scopedPool(runtime, { catalog: skills.catalog, maxLoaded: 1 });
      await test.pool.getSkillClient('one');
      const stopped = onEvent(test.pool, 'stopped');
      await test.pool.getSkillClient('two');
      assert.deepEqual(await stopped, { t: 'stopped', skill: 'one', reason: 'evicted_for:two' });
      assert.deepEqual(
        (await test.pool.status()).map(({ name, state }) => `${name} ${state}`),
        ['one stopped', 'two ready'],
      );
    });

    it('a busy one stays, and goes as soon as its call has ended', async () => {
      using skills = copiesOf('echo', 'one', 'two');
      await using test = scopedPool(runtime, { catalog: skills.catalog, maxLoaded: 1, backoff: { initialMs: 10 } });
      const busy = await test.pool.getSkillClient('one');
      const evicted: string[] = [];
      test.pool.on('event', (event: PoolEvent) => {
        if (event.t === 'stopping') evicted.push(event.skill);
      });
      const { answer, letGo } = hold(busy);
      await assert.rejects(test.pool.getSkillClient('two'), /none of them is idle/);
      assert.deepEqual(evicted, []);
      await letGo();
      assert.equal(await answer, 'held');
      assert.equal((await test.pool.client('two').infer({ prompt: 'now' })).text, 'now');
      assert.deepEqual(evicted, ['one']);
    });

    it('a pinned one stays', async () => {
      using skills = copiesOf('echo', 'one', 'two');
      const settings = { maxLoaded: 1, skills: { one: { pinned: true } } };
      await using test = scopedPool(runtime, { catalog: skills.catalog, ...settings });
      const pinned = await test.pool.getSkillClient('one');
      await assert.rejects(test.pool.getSkillClient('two'), SkillUnavailableError);
      assert.ok(pinned.isConnected);
    });

    it('who is refused for lack of memory is told how much is needed and used', async () => {
      using skills = copiesOf('echo', 'one', 'two');
      const budget = 80 * MIB;
      await using test = scopedPool(runtime, { catalog: skills.catalog, memoryBudgetBytes: budget });
      const busy = await test.pool.getSkillClient('one');
      const { answer, letGo } = hold(busy);
      await assert.rejects(
        test.pool.getSkillClient('two'),
        /it needs 64 MiB and \d+ MiB of the budget of 80 MiB are used/,
      );
      await letGo();
      assert.equal(await answer, 'held');
    });

    it('one that has grown beyond the budget goes once it is idle', async () => {
      using skills = copiesOf('echo', 'one');
      await using test = scopedPool(runtime, { catalog: skills.catalog, memoryBudgetBytes: 110 * MIB });
      const client = await test.pool.getSkillClient('one');
      const stopped = onEvent(test.pool, 'stopped');
      await client.infer({ prompt: `eval:globalThis.kept = Buffer.alloc(${100 * MIB}, 1); return 1` });
      assert.equal((await stopped).reason, 'evicted_for:budget');
      assert.equal((await client.infer({ prompt: 'small again' })).text, 'small again');
    });
  });
}
