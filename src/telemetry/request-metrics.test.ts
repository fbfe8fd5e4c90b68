import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { Registry } from 'prom-client';
import { currentRequest } from '../tracing/index.ts';
import { RequestMetrics } from './request-metrics.ts';

type End = 'answered' | 'failed' | 'left' | 'aborted';

interface Planned {
  /** Of each piece: how long it takes, in milliseconds, and whether a skill answers a call for it. */
  pieces: { ms: number; usesSkill: boolean }[];
  end: End;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  pieces: fc.array(fc.record({ ms: fc.nat(3), usesSkill: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  end: fc.constantFrom<End>('answered', 'failed', 'left', 'aborted'),
});

/** What an assistant does for a request: work that notes, deep inside, that a skill helped. */
async function* answer({ pieces, end }: Planned, gone: AbortController): AsyncGenerator<number> {
  for (const [n, { ms, usesSkill }] of pieces.entries()) {
    await sleep(ms);
    await Promise.resolve().then(() => {
      const request = currentRequest();
      if (usesSkill && request) request.usedSkill = true;
    });
    yield n;
  }
  if (end === 'aborted') gone.abort(new Error('the client left'));
  gone.signal.throwIfAborted();
  if (end === 'failed') throw new Error('on purpose');
}

async function run(metrics: RequestMetrics, plan: Planned): Promise<number> {
  const gone = new AbortController();
  const observed = { attributes: {}, attributesOf: () => undefined, signal: gone.signal };
  let seen = 0;
  try {
    for await (const _ of metrics.observe(observed, () => answer(plan, gone))) {
      seen++;
      if (plan.end === 'left') break;
    }
  } catch {
    // As planned.
  }
  return seen;
}

async function valuesOf(registry: Registry): Promise<Record<string, number>> {
  const metrics = await registry.getMetricsAsJSON();
  const values = metrics.flatMap(({ name, values: all }) =>
    all.map((each): [string, number] => [(each as { metricName?: string }).metricName ?? name, each.value]),
  );
  return Object.fromEntries(values);
}

describe('request metrics', () => {
  it('attribute skills to the requests that they helped, however many requests there are at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(planned, { maxLength: 12 }), async (plans) => {
        const registry = new Registry();
        const metrics = new RequestMetrics(registry, false);
        const seen = await Promise.all(plans.map((plan) => run(metrics, plan)));
        const helped = plans.filter(({ pieces, end }) =>
          (end === 'left' ? pieces.slice(0, 1) : pieces).some(({ usesSkill }) => usesSkill),
        );
        assert.deepEqual(
          seen,
          plans.map(({ pieces, end }) => (end === 'left' ? 1 : pieces.length)),
        );
        const values = await valuesOf(registry);
        assert.equal(values.sarai_requests_total, plans.length);
        assert.equal(values.sarai_request_duration_seconds_count, plans.length);
        assert.equal(values.sarai_requests_with_skill_total, helped.length);
        assert.equal(values.sarai_request_errors_total, plans.filter(({ end }) => end === 'failed').length);
        assert.equal(values.sarai_requests_in_flight, 0);
        assert.equal(currentRequest(), undefined);
      }),
      { numRuns: 40 },
    );
  });

  it('tell how many requests are under way', async () => {
    const registry = new Registry();
    const metrics = new RequestMetrics(registry, false);
    const plan: Planned = { pieces: [{ ms: 0, usesSkill: true }], end: 'answered' };
    const steps = metrics.observe({ attributes: {}, attributesOf: () => undefined }, () =>
      answer(plan, new AbortController()),
    );
    assert.equal((await valuesOf(registry)).sarai_requests_in_flight, 0);
    await steps.next();
    assert.deepEqual(
      await valuesOf(registry).then(({ sarai_requests_in_flight, sarai_requests_total }) => [
        sarai_requests_in_flight,
        sarai_requests_total,
      ]),
      [1, 0],
    );
    await steps.next();
    assert.equal((await valuesOf(registry)).sarai_requests_in_flight, 0);
  });
});
