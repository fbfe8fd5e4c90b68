/** The limits of a skill, tried to the number at every level of isolation: memory, processors, processes, open files, the temporary folder. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SkillCallError, type SkillClient } from '../../src/pool/index.ts';
import { attempt, IT_WORKED, inside, placing } from './inside.ts';
import type { Level, TestPool } from './level.ts';
import { canRunNative, program, SYSCALL } from './native.ts';
import { createTestPool, onEvent } from './pool.ts';
import { isMissing } from './requirements.ts';

const MIB = 1024 ** 2;
const OPEN_FILES = 1024;
const noGroups = () => String(isMissing('the right to make control groups', false));
const GROW = 'const all = []; while (true) all.push(Buffer.alloc(1 << 24, 1))';

/** Runs all tests of limits against one level of isolation. */
export function describeLimits(level: Level): void {
  describe(`limits of the ${level.name}`, { skip: level.skip }, () => {
    let test: TestPool;
    let skill: SkillClient;
    const resources = () => test.pool.manifest('echo').resources;
    before(async () => {
      await level.start();
      test = createTestPool(level.runtime);
      skill = await test.pool.getSkillClient('echo');
    });
    after(async () => {
      await test.cleanUp();
      await level.stop();
    });

    it('memory within the limit can be used', async () => {
      const bytes = resources().memory / 3;
      assert.equal(await attempt(skill, `Buffer.alloc(${bytes}, 1)`), IT_WORKED);
    });

    it('a caller whose call needs more memory than the limit is told so, and the next call works', async () => {
      await assert.rejects(inside(skill, GROW), /memory/);
      assert.equal((await skill.infer({ prompt: 'back' })).text, 'back');
    });

    it('a skill that ran out of memory says so in its status, and the next call launches it anew', async (t) => {
      if (!level.hasGroups(test)) return t.skip(noGroups());
      const before = await inside<string>(skill, "return require('fs').readFileSync('/app/launch.json', 'utf8')");
      const stopped = onEvent(test.pool, 'stopped');
      await assert.rejects(inside(skill, GROW), { code: 'UNAVAILABLE' });
      await stopped;
      assert.equal((await test.pool.status('echo'))[0]?.lastStop, 'oom');
      const now = await inside<string>(skill, "return require('fs').readFileSync('/app/launch.json', 'utf8')");
      assert.notEqual(JSON.parse(now).instanceId, JSON.parse(before).instanceId);
    });

    it('one that goes beyond it does not take another with it', async () => {
      const other = createTestPool(level.runtime);
      try {
        const neighbour = await other.pool.getSkillClient('echo');
        const running = neighbour.infer({ prompt: 'sleep:1500' });
        await assert.rejects(inside(skill, GROW), SkillCallError);
        assert.equal((await running).text, 'slept 1500');
      } finally {
        await other.cleanUp();
      }
    });

    it('no more processors can be used than the manifest says', async (t) => {
      if (!level.hasGroups(test)) return t.skip(noGroups());
      const used = await inside<number>(
        skill,
        `const { Worker } = require('worker_threads');
      const workers = Array.from({ length: 3 }, () => new Worker('while (true);', { eval: true }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
      const [before, begun] = [process.cpuUsage(), performance.now()];
      await new Promise((resolve) => setTimeout(resolve, 2000));
      const { user, system } = process.cpuUsage(before);
      const elapsed = performance.now() - begun;
      await Promise.all(workers.map((worker) => worker.terminate()));
      return (user + system) / 1000 / elapsed`,
      );
      // The kernel counts in periods of 100 ms.
      assert.ok(used > 0 && used <= resources().cpus * 1.15, `${used} of ${resources().cpus}`);
    });

    it('the temporary folder holds what the manifest says, and no byte more', async () => {
      const { written, code } = await inside<{ written: number; code: string }>(
        skill,
        `const { openSync, closeSync, writeSync, rmSync } = require('fs');
      const file = openSync('/tmp/full', 'w');
      const piece = Buffer.alloc(1 << 20, 1);
      let written = 0;
      try { while (true) written += writeSync(file, piece) } catch (error) { return { written, code: error.code } }
      finally { closeSync(file); rmSync('/tmp/full') }`,
      );
      assert.equal(code, 'ENOSPC');
      assert.ok(written <= resources().tmp && written >= resources().tmp - 2 * MIB, `${written}`);
      assert.equal(await attempt(skill, "require('fs').writeFileSync('/tmp/after', 'x')"), IT_WORKED);
    });

    it('the temporary folder is gone with the skill, the data folder stays', async () => {
      await inside(skill, `for (const f of ['/tmp/mine', '/data/mine']) require('fs').writeFileSync(f, 'x')`);
      await test.pool.restart('echo');
      assert.deepEqual(await inside(skill, `return require('fs').readdirSync('/tmp')`), []);
      assert.ok((await inside<string[]>(skill, `return require('fs').readdirSync('/data')`)).includes('mine'));
    });

    it('files beyond the limit cannot be opened', async () => {
      const { opened, code } = await inside<{ opened: number; code: string }>(
        skill,
        `const { openSync, closeSync } = require('fs');
      const files = [];
      let code = '';
      while (code === '' && files.length < 5000)
        try { files.push(openSync('/dev/null')) } catch (error) { code = error.code }
      for (const file of files) closeSync(file);
      return { opened: files.length, code }`,
      );
      assert.equal(code, 'EMFILE');
      assert.ok(opened < OPEN_FILES, `${opened}`);
      assert.equal((await skill.infer({ prompt: 'goes on' })).text, 'goes on');
    });

    describe('with native code', { skip: canRunNative ? false : 'written for Linux on x86-64' }, () => {
      it('processes beyond the limit are refused, and the skill goes on', async (t) => {
        if (!level.hasGroups(test)) return t.skip(noGroups());
        const { pids } = resources();
        const { started, refused } = await inside<{ started: number; refused: string[] }>(
          skill,
          `${placing('/data/sleeper', program(SYSCALL.pause))}
        const { spawn } = require('child_process');
        const children = Array.from({ length: ${2 * pids} }, () => spawn('/data/sleeper', { stdio: 'ignore' }));
        const refused = [];
        for (const child of children) child.on('error', ({ code }) => refused.push(code));
        await new Promise((resolve) => setImmediate(resolve));
        const running = children.filter(({ pid }) => pid !== undefined);
        await Promise.all(running.map((child) => new Promise((resolve) => {
          child.on('exit', resolve);
          child.kill('SIGKILL');
        })));
        return { started: running.length, refused }`,
        );
        assert.equal(started + refused.length, 2 * pids);
        assert.ok(started > 0 && started < pids, `${started} of ${pids}`);
        assert.deepEqual([...new Set(refused)], ['EAGAIN']);
        assert.equal((await skill.infer({ prompt: 'goes on' })).text, 'goes on');
      });
    });
  });
}
