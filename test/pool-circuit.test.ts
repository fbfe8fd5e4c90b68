/** Skills that do not start or do not stay: backoff and circuit breaker, in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ModelPool, type PoolEvent, SkillLaunchError, SkillUnavailableError } from '../src/pool/index.ts';
import { availableRuntimes, onEvent } from './support/pool.ts';
import { copiesOf, scopedPool, until } from './support/scoped-pool.ts';

const FAILURES = 3;
const NEVER_MS = 600_000;
const repaired = (source: string) => source.replace(/=> \{\n.*\n\}\)/, '=> ({ infer: ({ prompt }) => prompt }))');

/** The kinds of the events of a skill, as they come. */
function eventsOf(pool: ModelPool, skill: string): PoolEvent['t'][] {
  const events: PoolEvent['t'][] = [];
  pool.on('event', (event: PoolEvent) => {
    if (event.skill === skill) events.push(event.t);
  });
  return events;
}

/** Calls in vain until the circuit is open. @returns the error that opened it */
async function openCircuit(pool: ModelPool, skill: string): Promise<SkillUnavailableError> {
  for (let attempt = 1; attempt < FAILURES; attempt++) {
    await assert.rejects(pool.getSkillClient(skill), SkillLaunchError);
  }
  return refusal(pool, skill);
}

async function refusal(pool: ModelPool, skill: string): Promise<SkillUnavailableError> {
  try {
    await pool.getSkillClient(skill);
  } catch (error) {
    assert.ok(error instanceof SkillUnavailableError, String(error));
    return error;
  }
  throw new Error('it was not refused');
}

for (const runtime of await availableRuntimes()) {
  describe(`skills that fail with ${runtime}`, () => {
    const backoff = { initialMs: 10, maxMs: 20, circuitFailures: FAILURES, circuitMs: NEVER_MS };

    it(`after ${FAILURES} failed starts it is refused at once, with the time to wait`, async () => {
      await using test = scopedPool(runtime, { backoff });
      const { pool } = test;
      const events = eventsOf(pool, 'broken-start');
      const opened = onEvent(pool, 'circuit_open');
      await openCircuit(pool, 'broken-start');
      assert.deepEqual(await opened, { t: 'circuit_open', skill: 'broken-start', delayMs: NEVER_MS });
      assert.equal(events.filter((event) => event === 'launching').length, FAILURES);
      assert.equal(events.filter((event) => event === 'launch_failed').length, FAILURES);

      const before = events.length;
      for (let n = 0; n < 3; n++) {
        const { message, retryAfterMs = 0, code } = await refusal(pool, 'broken-start');
        assert.equal(code, 'UNAVAILABLE');
        assert.match(message, /failed to start 3 times.*no luck today/s);
        assert.ok(retryAfterMs > 0 && retryAfterMs <= NEVER_MS, `${retryAfterMs}`);
      }
      assert.equal(events.length, before, 'nothing was tried');
      const [status] = await pool.status('broken-start');
      assert.equal(status?.state, 'failed');
      assert.match(status?.error ?? '', /no luck today/);
    });

    it('calls are refused as launches are, and other skills go on', async () => {
      await using test = scopedPool(runtime, { backoff });
      await openCircuit(test.pool, 'broken-start');
      const call = test.pool.client('broken-start').infer({ prompt: 'x' });
      await assert.rejects(call, ({ retryAfterMs }: SkillUnavailableError) => retryAfterMs !== undefined);
      assert.equal((await (await test.pool.getSkillClient('echo')).infer({ prompt: 'x' })).text, 'x');
    });

    it('many callers of a skill that cannot start get the error of one launch', async () => {
      await using test = scopedPool(runtime, { backoff });
      const events = eventsOf(test.pool, 'broken-start');
      const calls = await Promise.allSettled(
        Array.from({ length: 20 }, () => test.pool.getSkillClient('broken-start')),
      );
      assert.ok(calls.every((call) => call.status === 'rejected' && call.reason instanceof SkillLaunchError));
      assert.equal(events.filter((event) => event === 'launching').length, 1);
    });

    it('once the time is over there is one more try, which opens the circuit again', async () => {
      await using test = scopedPool(runtime, { backoff: { ...backoff, circuitMs: 100 } });
      const { pool } = test;
      const events = eventsOf(pool, 'broken-start');
      await openCircuit(pool, 'broken-start');
      await until('the try', async () => (await pool.status('broken-start'))[0]?.state === 'stopped');
      const before = events.length;
      const { retryAfterMs } = await refusal(pool, 'broken-start');
      assert.ok(retryAfterMs !== undefined && retryAfterMs > 0 && retryAfterMs <= 100, `${retryAfterMs}`);
      assert.deepEqual(events.slice(before), ['launching', 'launch_failed', 'circuit_open']);
    });

    it('a skill that was repaired starts with the try after the time', async () => {
      using skills = copiesOf('broken-start', 'repaired');
      await using test = scopedPool(runtime, { catalog: skills.catalog, backoff: { ...backoff, circuitMs: 100 } });
      const { pool } = test;
      await openCircuit(pool, 'repaired');
      skills.edit('repaired', repaired);
      await until('the try', async () => (await pool.status('repaired'))[0]?.state === 'stopped');
      assert.equal((await (await pool.getSkillClient('repaired')).infer({ prompt: 'works' })).text, 'works');
    });

    it('an operator closes the circuit with a restart', async () => {
      using skills = copiesOf('broken-start', 'repaired');
      await using test = scopedPool(runtime, { catalog: skills.catalog, backoff });
      await openCircuit(test.pool, 'repaired');
      skills.edit('repaired', repaired);
      await test.pool.restart('repaired');
      assert.equal((await test.pool.client('repaired').infer({ prompt: 'works' })).text, 'works');
    });

    it('a skill that dies again and again comes back at once the first time, later after a pause', async () => {
      await using test = scopedPool(runtime, { backoff });
      const client = await test.pool.getSkillClient('echo');
      const events = eventsOf(test.pool, 'echo');
      const die = async () => {
        const ready = onEvent(test.pool, 'ready');
        await assert.rejects(client.infer({ prompt: 'exit:3' }), SkillUnavailableError);
        await ready;
      };
      await die();
      assert.deepEqual(events.splice(0), ['stopped', 'launching', 'ready']);
      await die();
      assert.deepEqual(events.splice(0), ['stopped', 'backing_off', 'launching', 'ready']);
      assert.equal((await test.pool.status('echo'))[0]?.restarts, 2);
    });
  });
}
