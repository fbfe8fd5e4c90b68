import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SkillError } from './handler.ts';
import { Limiter } from './limiter.ts';

const never = () => new AbortController().signal;

/** Lets everything that is due now run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('Limiter', () => {
  it('has as many slots as calls may run at once', () => {
    const limiter = new Limiter(2, 0);
    assert.deepEqual([limiter.tryAcquire(), limiter.tryAcquire(), limiter.tryAcquire()], [true, true, false]);
    assert.equal(limiter.running, 2);
    limiter.release();
    assert.equal(limiter.running, 1);
    assert.equal(limiter.tryAcquire(), true);
  });

  it('hands a slot to the call that has waited longest', async () => {
    const limiter = new Limiter(1, 3);
    await limiter.acquire(never());
    const order: string[] = [];
    for (const name of ['first', 'second', 'third']) void limiter.acquire(never()).then(() => order.push(name));
    await settle();
    assert.deepEqual(order, []);
    assert.equal(limiter.queued, 3);
    for (const expected of [['first'], ['first', 'second'], ['first', 'second', 'third']]) {
      limiter.release();
      await settle();
      assert.deepEqual(order, expected);
      assert.equal(limiter.running, 1);
    }
    limiter.release();
    assert.deepEqual([limiter.running, limiter.queued], [0, 0]);
  });

  it('lets nobody overtake: a slot that is passed on was never free', async () => {
    const limiter = new Limiter(1, 1);
    limiter.tryAcquire();
    const waiting = limiter.acquire(never());
    limiter.release();
    assert.equal(limiter.tryAcquire(), false);
    await waiting;
  });

  it('refuses at once what does not fit into the queue, and says how busy it is', async () => {
    const limiter = new Limiter(2, 1);
    limiter.tryAcquire();
    limiter.tryAcquire();
    void limiter.acquire(never());
    await assert.rejects(limiter.acquire(never()), (error) => {
      assert.ok(error instanceof SkillError);
      assert.equal(error.status, 'RESOURCE_EXHAUSTED');
      assert.match(error.message, /2 calls running and 1 waiting/);
      return true;
    });
    assert.equal(limiter.queued, 1);
  });

  it('without a queue refuses every call that would wait', async () => {
    const limiter = new Limiter(1, 0);
    limiter.tryAcquire();
    await assert.rejects(limiter.acquire(never()), { status: 'RESOURCE_EXHAUSTED' });
  });

  it('rejects with the reason of the abort and gives the place in the queue back', async () => {
    const limiter = new Limiter(1, 1);
    limiter.tryAcquire();
    const controller = new AbortController();
    const waiting = limiter.acquire(controller.signal);
    controller.abort(new SkillError('CANCELLED', 'gone'));
    await assert.rejects(waiting, { status: 'CANCELLED', message: 'gone' });
    assert.equal(limiter.queued, 0);
    const next = limiter.acquire(never());
    limiter.release();
    await next;
    assert.equal(limiter.running, 1);
  });

  it('does not wait for a slot with a signal that is aborted already', async () => {
    const limiter = new Limiter(1, 1);
    limiter.tryAcquire();
    const gone = new SkillError('CANCELLED', 'gone');
    let outcome: unknown = 'waits';
    limiter.acquire(AbortSignal.abort(gone)).catch((error) => {
      outcome = error;
    });
    await settle();
    assert.equal(outcome, gone);
    assert.equal(limiter.queued, 0);
  });

  it('leaves the slot of a running call alone when its signal aborts later', async () => {
    const limiter = new Limiter(1, 1);
    limiter.tryAcquire();
    const controller = new AbortController();
    const waiting = limiter.acquire(controller.signal);
    limiter.release();
    controller.abort();
    await waiting;
    assert.equal(limiter.running, 1);
  });

  it('never exceeds its bounds and never leaves a slot free while a call waits', async () => {
    const step = fc.constantFrom('acquire', 'acquire', 'release', 'abort');
    await fc.assert(
      fc.asyncProperty(fc.nat(4), fc.nat(4), fc.array(step, { maxLength: 40 }), async (slots, queue, steps) => {
        const limiter = new Limiter(slots + 1, queue);
        const waiting = new Set<AbortController>();
        let running = 0;
        for (const each of steps) {
          if (each === 'acquire') {
            const controller = new AbortController();
            waiting.add(controller);
            limiter.acquire(controller.signal).then(
              () => {
                running++;
                waiting.delete(controller);
              },
              () => waiting.delete(controller),
            );
          } else if (each === 'abort') {
            const [oldest] = waiting;
            oldest?.abort(new SkillError('CANCELLED', 'gone'));
          } else if (running > 0) {
            running--;
            limiter.release();
          }
          await Promise.resolve().then(() => Promise.resolve());
          assert.deepEqual([limiter.running, limiter.queued], [running, waiting.size]);
          assert.ok(running <= slots + 1 && waiting.size <= queue);
          assert.ok(waiting.size === 0 || running === slots + 1, 'a call waits although a slot is free');
        }
      }),
    );
  });
});
