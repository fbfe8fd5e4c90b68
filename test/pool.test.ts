/** The pool against real skills, in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, status } from '@grpc/grpc-js';
import { InferRequest, SkillServiceClient } from '../src/contract/index.ts';
import {
  type SkillCallError,
  SkillLaunchError,
  SkillNotFoundError,
  SkillTimeoutError,
  SkillUnavailableError,
} from '../src/pool/index.ts';
import { availableRuntimes, createTestPool, onEvent } from './support/pool.ts';

for (const runtime of await availableRuntimes()) {
  describe(`ModelPool with ${runtime}`, () => {
    const { pool, stateDir, cleanUp } = createTestPool(runtime);
    after(cleanUp);

    it('launches once for many callers and hands out one client', async () => {
      let launches = 0;
      const count = ({ t }: { t: string }) => {
        if (t === 'launching') launches++;
      };
      pool.on('event', count);
      const clients = await Promise.all(Array.from({ length: 20 }, () => pool.getSkillClient('echo')));
      pool.off('event', count);
      assert.equal(launches, 1);
      assert.equal(new Set(clients).size, 1);
    });

    it('answers calls, in order and together', async () => {
      const client = await pool.getSkillClient('echo');
      const texts = Array.from({ length: 200 }, (_, n) => `text ${n} ñ 🙂`);
      const answers = await Promise.all(texts.map((prompt) => client.infer({ prompt })));
      assert.deepEqual(
        answers.map(({ text }) => text),
        texts,
      );
    });

    it('tells a stock client why its stream failed', async () => {
      await pool.getSkillClient('sql');
      const instance = await pool.runtime.find('sql');
      assert.ok(instance?.endpoint.kind === 'unix');
      const stock = new SkillServiceClient(`unix:${instance.endpoint.path}`, credentials.createInsecure());
      const request = { ...InferRequest.decode(new Uint8Array()), prompt: 'SELEC' };
      const stream = stock.inferStream(request, { deadline: Date.now() + 2000 });
      await assert.rejects(once(stream.resume(), 'end'), { code: status.INVALID_ARGUMENT });
      stock.close();
    });

    it('ends a call at its deadline, also when its connection broke and the skill does not end', async () => {
      const client = await pool.getSkillClient('echo');
      const cut = `eval:
        for (const handle of process._getActiveHandles()) if (handle.constructor.name === 'Socket') handle.destroy();
        await new Promise(() => {});`;
      const call = client.infer({ prompt: cut }, { timeoutMs: 200 }).then(
        () => 'an answer',
        (error: Error) => error.name,
      );
      // As long as it would wait to hear how the skill ended.
      const first = await Promise.race([call, sleep(900, 'nobody')]);
      assert.match(first, /SkillUnavailableError|SkillTimeoutError/);
    });

    it('keeps nothing waiting for a call that was given up', async () => {
      const client = await pool.getSkillClient('echo');
      const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      const before = timers();
      const giveUp = new AbortController();
      const calls = Array.from({ length: 50 }, () =>
        client.infer({ prompt: 'sleep:60000' }, { timeoutMs: 60_000, signal: giveUp.signal }),
      );
      giveUp.abort(new Error('given up'));
      for (const call of await Promise.allSettled(calls)) assert.match(String(call.status), /rejected/);
      assert.ok(timers() < before + 25, `${timers() - before} timers more`);
    });

    it('streams', async () => {
      const client = await pool.getSkillClient('echo');
      const pieces: string[] = [];
      for await (const { text } of client.inferStream({ prompt: 'uno dos tres' })) pieces.push(text);
      assert.deepEqual(pieces, ['uno', 'dos', 'tres']);
    });

    it('passes on the status that the skill answers with', async () => {
      const client = await pool.getSkillClient('echo');
      await assert.rejects(client.infer({ prompt: 'fail:not today' }), (error: SkillCallError) => {
        assert.equal(error.code, 'FAILED_PRECONDITION');
        assert.match(error.message, /not today/);
        return true;
      });
      await assert.rejects(client.infer({ prompt: 'throw:oops' }), { code: 'INTERNAL' });
    });

    it('refuses what is beyond concurrency and queue at once', async () => {
      const client = await pool.getSkillClient('echo');
      const calls = await Promise.allSettled(
        Array.from({ length: 20 }, () => client.infer({ prompt: 'sleep:150' }, { timeoutMs: 5000 })),
      );
      const refused = calls.filter(
        ({ status, ...rest }) =>
          status === 'rejected' && (rest as { reason: SkillCallError }).reason.code === 'RESOURCE_EXHAUSTED',
      );
      assert.equal(calls.filter(({ status }) => status === 'fulfilled').length, 16);
      assert.equal(refused.length, 4);
    });

    it('gives up at the deadline and when the caller does', async () => {
      const client = await pool.getSkillClient('echo');
      await assert.rejects(client.infer({ prompt: 'sleep:5000' }, { timeoutMs: 50 }), SkillTimeoutError);
      await assert.rejects(client.infer({ prompt: 'ignore-cancel:300' }, { timeoutMs: 50 }), SkillTimeoutError);
      const controller = new AbortController();
      const call = client.infer({ prompt: 'sleep:5000' }, { signal: controller.signal });
      controller.abort(new Error('changed my mind'));
      await assert.rejects(call, /changed my mind/);
    });

    it('fails calls in flight at once when the skill dies, and relaunches it', async () => {
      const client = await pool.getSkillClient('echo');
      const ready = onEvent(pool, 'ready');
      const slow = client.infer({ prompt: 'sleep:60000' }, { timeoutMs: 60_000 });
      await assert.rejects(Promise.all([slow, client.infer({ prompt: 'exit:3' })]), SkillUnavailableError);
      await ready;
      assert.equal((await client.infer({ prompt: 'back' })).text, 'back');
    });

    it('replaces a skill that hangs', async () => {
      const client = await pool.getSkillClient('echo');
      const before = (await pool.status('echo'))[0]?.instanceId;
      const ready = onEvent(pool, 'ready');
      await assert.rejects(client.infer({ prompt: 'hang:' }, { timeoutMs: 100 }), SkillTimeoutError);
      await ready;
      assert.equal((await client.infer({ prompt: 'again' })).text, 'again');
      assert.notEqual((await pool.status('echo'))[0]?.instanceId, before);
    });

    it('gives grants to the owner', async () => {
      const client = await pool.getSkillClient('echo');
      assert.equal((await client.infer({ prompt: 'grants:' }, { grants: ['schema'] })).text, 'schema');
    });

    it('stops and says why', async () => {
      await pool.getSkillClient('echo');
      const stopped = onEvent(pool, 'stopped');
      assert.equal(await pool.stop('echo'), true);
      assert.deepEqual(await stopped, { t: 'stopped', skill: 'echo', reason: 'operator' });
      assert.equal((await pool.status('echo'))[0]?.state, 'stopped');
    });

    it('reports a skill that cannot start with its last log lines, and opens the circuit', async () => {
      for (let attempt = 0; attempt < 2; attempt++) {
        await assert.rejects(pool.getSkillClient('broken-start'), (error: SkillLaunchError) => {
          assert.ok(error instanceof SkillLaunchError);
          assert.match(error.message, /exited with code 1/);
          assert.match(error.logLines.join('\n'), /no luck today/);
          return true;
        });
      }
      await assert.rejects(pool.getSkillClient('broken-start'), /no luck today/);
      await assert.rejects(pool.getSkillClient('broken-start'), SkillUnavailableError);
    });

    it('knows which skills there are', async () => {
      await assert.rejects(pool.getSkillClient('nope'), SkillNotFoundError);
      await assert.rejects(pool.getSkillClient('bad-manifest'), /skill\.yaml:3: .*unknown key/);
    });

    it('leaves nothing behind', async () => {
      await pool.getSkillClient('echo');
      const instance = (await pool.status('echo'))[0];
      assert.ok(instance?.processes);
      await pool.close();
      assert.deepEqual(readdirSync(`${stateDir}/sockets/echo`), []);
      assert.equal(existsSync(`${stateDir}/run/echo/unit.json`), false);
      await assert.rejects(pool.getSkillClient('echo'), SkillUnavailableError);
    });
  });
}
