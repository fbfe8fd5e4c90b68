/** What is left of a skill when it is gone, however it went: nothing. In every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { SkillUnavailableError } from '../src/pool/index.ts';
import { createRuntimes, type RuntimeName } from '../src/runtimes/index.ts';
import { processesOf } from './chaos/processes.ts';
import { takeAllDescriptors } from './support/descriptors.ts';
import { availableRuntimes, onEvent } from './support/pool.ts';
import { copiesOf, scopedPool, Trace, until } from './support/scoped-pool.ts';

/** A name that no other test uses at the same time. */
const uniqueName = (prefix: string) => `${prefix}-${randomBytes(4).toString('hex')}`;

for (const runtime of await availableRuntimes()) {
  describe(`what is left of skills with ${runtime}`, () => {
    it('close() leaves no process, socket, record or control group of any skill', async () => {
      const names = ['one', 'two', 'three', 'four'];
      using skills = copiesOf('echo', ...names);
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      await Promise.all(names.map((name) => test.pool.getSkillClient(name)));
      using scope = new DisposableStack();
      const traces = names.map((name) => scope.use(new Trace(test.paths, name)));
      for (const { socketPath } of traces) assert.ok(existsSync(socketPath));
      await test.pool.close();
      for (const trace of traces) {
        assert.deepEqual(readdirSync(dirname(trace.socketPath)), []);
        assert.equal(existsSync(trace.recordPath), false);
        assert.deepEqual(await trace.left(), []);
      }
    });

    it('close() while a skill starts leaves no process, socket or record', async () => {
      await using test = scopedPool(runtime);
      const spawned = onEvent(test.pool, 'launching');
      const starting = assert.rejects(test.pool.getSkillClient('echo'), SkillUnavailableError);
      await spawned;
      const record = join(test.paths.run('echo'), 'unit.json');
      await until('the record of the launch', () => existsSync(record));
      using trace = new Trace(test.paths, 'echo');
      await test.pool.close();
      await starting;
      assert.equal(existsSync(trace.recordPath), false);
      assert.equal(existsSync(trace.socketPath), false);
      assert.deepEqual(await trace.left(), []);
    });

    it('stop() during a call lets it finish and then leaves nothing', async () => {
      await using test = scopedPool(runtime);
      const client = await test.pool.getSkillClient('echo');
      using trace = new Trace(test.paths, 'echo');
      const words: string[] = [];
      let hasBegun = () => {};
      const begun = new Promise<void>((resolve) => {
        hasBegun = resolve;
      });
      const call = (async () => {
        for await (const { text } of client.inferStream({ prompt: 'first second sleep:300 last' })) {
          words.push(text);
          hasBegun();
        }
      })();
      await begun;
      const stopped = test.pool.stop('echo');
      await call;
      assert.deepEqual(words, ['first', 'second', 'sleep:300', 'last']);
      assert.equal(await stopped, true);
      assert.equal(existsSync(trace.socketPath), false);
      assert.equal(existsSync(trace.recordPath), false);
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill that is stopped while no further file can be opened leaves no process or control group', async () => {
      await using test = scopedPool(runtime);
      await startAndDie(runtime, test.stateDir, 600_000);
      using trace = new Trace(test.paths, 'echo');
      const instance = await createRuntimes(test.paths)
        .find(({ name }) => name === runtime)
        ?.find('echo');
      assert.ok(instance);
      {
        using _all = takeAllDescriptors();
        await instance.stop(0);
      }
      assert.equal(existsSync(trace.recordPath), false);
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill that dies leaves no process or control group to the next one', async () => {
      await using test = scopedPool(runtime);
      const client = await test.pool.getSkillClient('echo');
      using trace = new Trace(test.paths, 'echo');
      const stopped = onEvent(test.pool, 'stopped');
      await assert.rejects(client.infer({ prompt: 'exit:3' }), SkillUnavailableError);
      assert.equal((await stopped).reason, 'crashed:3');
      assert.equal((await client.infer({ prompt: 'back' })).text, 'back');
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill that is killed from outside leaves no process or control group', async () => {
      await using test = scopedPool(runtime);
      await test.pool.getSkillClient('echo');
      using trace = new Trace(test.paths, 'echo');
      const stopped = onEvent(test.pool, 'stopped');
      const [outermost] = trace.running();
      assert.ok(outermost);
      process.kill(outermost, 'SIGKILL');
      assert.equal((await stopped).reason, 'crashed:SIGKILL');
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill that cannot start leaves no socket, record or control group', async () => {
      const name = uniqueName('broken');
      using skills = copiesOf('broken-start', name);
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      await assert.rejects(test.pool.getSkillClient(name), /no luck today/);
      assert.deepEqual(readdirSync(test.paths.socketDir(name)), []);
      assert.equal(existsSync(join(test.paths.run(name), 'unit.json')), false);
      await until('', () => cgroupsOf(name).length === 0, 2000).catch(() => {});
      assert.deepEqual(cgroupsOf(name), []);
    });

    it('a skill that cannot be written down is ended at once: nobody would find it again', async () => {
      await using test = scopedPool(runtime);
      mkdirSync(join(test.paths.run('echo'), 'unit.json.tmp'), { recursive: true });
      await assert.rejects(test.pool.getSkillClient('echo'), /EISDIR/);
      await until('', () => processesOf(test.stateDir).length === 0, 5000).catch(() => {});
      assert.deepEqual(processesOf(test.stateDir), []);
    });

    it('a skill that lost what held its sandbox while no assistant looked is ended by the next one', async (t) => {
      await using test = scopedPool(runtime);
      await startAndDie(runtime, test.stateDir, 600_000);
      using trace = new Trace(test.paths, 'echo');
      // Without control groups nobody can tell whose they are; the lease ends them.
      if (trace.cgroups.length === 0 && runtime === 'sandbox') return t.skip('MISSING: control groups');
      const [outermost] = trace.running();
      assert.ok(outermost);
      process.kill(outermost, 'SIGKILL');
      await until('it is gone', () => !trace.running().includes(outermost));
      assert.deepEqual(await test.pool.adopt(), []);
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill whose assistant was killed ends with its lease, and the next assistant clears what is left', async () => {
      await using test = scopedPool(runtime);
      await startAndDie(runtime, test.stateDir, 1000);
      using trace = new Trace(test.paths, 'echo');
      assert.ok(trace.running().length > 0, 'it outlives its assistant until the lease ends');
      await trace.untilEnded();
      assert.deepEqual(await test.pool.adopt(), []);
      assert.equal(existsSync(trace.recordPath), false);
      assert.equal(existsSync(trace.socketPath), false);
      assert.deepEqual(await trace.left(), []);
    });

    it('a skill that has an owner outlives its lease', async () => {
      await using test = scopedPool(runtime, { leaseMs: 200 });
      const client = await test.pool.getSkillClient('echo');
      using trace = new Trace(test.paths, 'echo');
      // Longer than the lease and the interval at which it is looked at.
      assert.equal((await client.infer({ prompt: 'sleep:2500' })).text, 'slept 2500');
      assert.ok(trace.running().length > 0);
      assert.equal((await test.pool.status('echo'))[0]?.restarts, 0);
    });
  });
}

/** Another assistant starts the skill echo and is killed. */
async function startAndDie(runtime: RuntimeName, stateDir: string, leaseMs: number): Promise<void> {
  const script = join(import.meta.dirname, 'support/owner.ts');
  const owner = spawn(process.execPath, [script, runtime, stateDir, String(leaseMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: owner.stdout }), 'line');
  const exited = once(owner, 'exit');
  owner.kill('SIGKILL');
  await exited;
}

/** The control groups that were made for a skill. */
function cgroupsOf(skill: string): string[] {
  const root = '/sys/fs/cgroup';
  return ['', 'memory', 'pids', 'cpu']
    .map((controller) => join(root, controller, 'phoenix-skills'))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
    .filter((path) => path.includes(`/${skill}-`));
}
