import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { arrivals, type Operation, runLoad } from './load.ts';

const signal = new AbortController().signal;
const operation = (more: Partial<Operation<undefined>>): Operation<undefined> => ({
  name: 'x',
  rate: 100,
  timeoutMs: 5000,
  run: () => Promise.resolve(),
  ...more,
});

describe('arrivals', () => {
  it('are those of a Poisson process: as many as the rate says, gaps as irregular as they must be, the same for a seed', () => {
    const times = arrivals(50, 200, 1);
    // The count has a standard deviation of 100: five of them.
    assert.ok(Math.abs(times.length - 10_000) < 500, `${times.length}`);
    const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    // Of an exponential distribution the standard deviation is the mean.
    assert.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05, `${Math.sqrt(variance) / mean}`);
    assert.deepEqual(arrivals(50, 200, 1), times);
    assert.notDeepEqual(arrivals(50, 200, 2), times);
  });
});

describe('a load', () => {
  it('does not wait for answers: who stalls is asked on, and all of the wait is counted', async () => {
    let stalled = false;
    const stall = sleep(600);
    const seen = await runLoad(
      undefined,
      [
        operation({
          run: async () => {
            stalled = true;
            await stall;
          },
        }),
      ],
      { seconds: 0.5, seed: 1, signal },
    );
    const observations = seen.get('x') ?? [];
    assert.ok(stalled && observations.length > 20, `${observations.length}`);
    // One that came after a tenth of a second waited half of one.
    for (const { atMs, latencyMs } of observations) assert.ok(latencyMs >= 590 - atMs, `${atMs}: ${latencyMs}`);
  });

  it('counts errors, answers that are too late, and what cannot be sent', async () => {
    const seen = await runLoad(
      undefined,
      [
        operation({ name: 'fails', run: () => Promise.reject(new Error('no')) }),
        operation({
          name: 'hangs',
          rate: 200,
          timeoutMs: 300,
          run: (_, __, signal) => sleep(60_000, undefined, { signal }),
        }),
      ],
      { seconds: 0.4, seed: 3, signal, mostInFlight: 5 },
    );
    const errors = (name: string) => [...new Set(seen.get(name)?.map(({ error }) => error))].sort();
    assert.deepEqual(errors('fails'), ['no']);
    assert.deepEqual(errors('hangs'), ['no answer within 300 ms', 'not sent: 5 are not answered yet']);
  });

  it('ends when it is interrupted', async () => {
    const interrupted = new AbortController();
    setTimeout(() => interrupted.abort(new Error('interrupted')), 50);
    const seen = await runLoad(undefined, [operation({})], { seconds: 3600, seed: 1, signal: interrupted.signal });
    assert.ok((seen.get('x')?.length ?? 0) < 100);
  });
});
