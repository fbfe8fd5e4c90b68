/** New code for a skill that runs: which call gets which, and what the next assistant finds. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SkillClient } from '../src/pool/index.ts';
import { hold } from './support/inside.ts';
import { availableRuntimes, onEvent } from './support/pool.ts';
import { copiesOf, scopedPool, Trace, until } from './support/scoped-pool.ts';

/** From now on the echo skill says so before everything that it answers. */
const becomeNew = (source: string) =>
  source
    .replace('return request.prompt;', "return 'new ' + request.prompt;")
    .replace('return JSON.stringify(', "return 'new ' + JSON.stringify(");
const answerOf = async (client: SkillClient) => (await client.infer({ prompt: 'x' })).text;

for (const runtime of await availableRuntimes()) {
  describe(`reload with ${runtime}`, () => {
    it('calls that run end with the old code, later ones get the new code, in the same process', async () => {
      using skills = copiesOf('echo', 'echo');
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      const client = await test.pool.getSkillClient('echo');
      using trace = new Trace(test.paths, 'echo');
      const { answer, letGo } = hold(client);
      skills.edit('echo', becomeNew);
      const reloading = onEvent(test.pool, 'reloading');
      assert.equal(await test.pool.reload('echo'), true);
      assert.deepEqual(await reloading, { t: 'reloading', skill: 'echo' });
      await until('the new code', async () => (await answerOf(client)) === 'new x');
      // The new code answers this one in its own way, which is no JSON.
      await assert.rejects(letGo(), SyntaxError);
      assert.equal(await answer, 'held');
      assert.deepEqual(new Trace(test.paths, 'echo').processes, trace.processes);
      assert.equal((await test.pool.status('echo'))[0]?.restarts, 0);
    });

    it('new code that does not load leaves the old one, and the log says why', async () => {
      using skills = copiesOf('echo', 'echo');
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      const client = await test.pool.getSkillClient('echo');
      skills.edit('echo', (source) => `${source}\nthrow new Error('not like this');`);
      assert.equal(await test.pool.reload('echo'), true);
      const log = async () => (await test.pool.logs('echo', 10)).join('\n');
      await until('the log line', async () => /reload failed.*not like this/.test(await log()));
      assert.equal(await answerOf(client), 'x');
    });

    it('it can be done again and again', async () => {
      using skills = copiesOf('echo', 'echo');
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      const client = await test.pool.getSkillClient('echo');
      for (let round = 1; round <= 5; round++) {
        skills.edit('echo', (source) =>
          source.replace(/return .*request\.prompt;/, `return '${round} ' + request.prompt;`),
        );
        await test.pool.reload('echo');
        await until('the new code', async () => (await answerOf(client)) === `${round} x`);
      }
    });

    it('a skill that was reloaded and dies comes back with the new code', async () => {
      using skills = copiesOf('echo', 'echo');
      await using test = scopedPool(runtime, { catalog: skills.catalog });
      const client = await test.pool.getSkillClient('echo');
      skills.edit('echo', becomeNew);
      await test.pool.reload('echo');
      await assert.rejects(client.infer({ prompt: 'exit:3' }));
      assert.equal(await answerOf(client), 'new x');
    });

    it('the next assistant does not take an instance with other code for the one that it would launch', async () => {
      using skills = copiesOf('echo', 'echo');
      const { catalog } = skills;
      let original = '';
      await using first = scopedPool(runtime, { catalog });
      const client = await first.pool.getSkillClient('echo');
      skills.edit('echo', (source) => {
        original = source;
        return becomeNew(source);
      });
      await first.pool.reload('echo');
      await until('the new code', async () => (await answerOf(client)) === 'new x');
      await first.pool.close({ keepRunning: true });
      skills.edit('echo', () => original);
      await using second = scopedPool(runtime, { catalog }, first.stateDir);
      assert.equal(await answerOf(await second.pool.getSkillClient('echo')), 'x');
    });

    it('a skill that does not run is not reloaded', async () => {
      await using test = scopedPool(runtime);
      assert.equal(await test.pool.reload('echo'), false);
    });
  });
}
