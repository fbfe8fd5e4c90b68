import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { History } from './history.ts';
import { quantile, toOverview } from './overview.ts';
import type { Bucket, Reading, SkillReading } from './reading.ts';
import { headLines, skillLines } from './render.ts';

const BOUNDS = [0.001, 0.01, 0.1, 1, Number.POSITIVE_INFINITY];

function bucketsOf(seconds: readonly number[]): Bucket[] {
  return BOUNDS.map((bound) => ({ bound, count: seconds.filter((each) => each <= bound).length }));
}

function reading(at: number, more: Partial<Reading> = {}, calls: readonly number[] = []): Reading {
  const skill: SkillReading = {
    ...{ name: 'echo', state: 'ready', isolation: 'sandbox', memoryBytes: 1e7, memoryLimitBytes: 2e8 },
    ...{ inFlight: 0, queued: 0, calls: calls.length, errors: 0, restarts: 0, latency: bucketsOf(calls) },
  };
  return {
    ...{ at, version: '1.0.0', startedAt: 1000, requests: 0, requestsWithSkill: 0, requestErrors: 0 },
    ...{ acceptanceRate: undefined, speedup: undefined, journalDepth: 0, skills: [skill] },
    ...more,
  };
}

describe('quantile', () => {
  it('lies in the bucket of the true one', () => {
    const times = fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.01, max: 1, noNaN: true }), (seconds, q) => {
        const sorted = [...seconds].sort((one, other) => one - other);
        const real = sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
        const estimate = quantile(q, bucketsOf(seconds)) ?? Number.NaN;
        const n = BOUNDS.findIndex((bound) => real <= bound);
        const [from, to] = [BOUNDS[n - 1] ?? 0, Math.min(BOUNDS[n] ?? 0, 1)];
        assert.ok(estimate >= from && estimate <= to, `${estimate} is not from ${from} to ${to}`);
      }),
    );
  });

  it('is spread evenly within a bucket, and nothing where nothing was counted', () => {
    const two = [
      { bound: 1, count: 4 },
      { bound: 3, count: 8 },
      { bound: Number.POSITIVE_INFINITY, count: 8 },
    ];
    assert.equal(quantile(0.25, two), 0.5);
    assert.equal(quantile(0.75, two), 2);
    assert.equal(quantile(0.5, bucketsOf([])), undefined);
    assert.equal(quantile(0.5, []), undefined);
    assert.equal(quantile(0.99, bucketsOf([20])), 1, 'the last finite bound');
  });
});

describe('History', () => {
  it('keeps a minute, and forgets what another assistant counted', () => {
    const history = new History();
    history.add(reading(0));
    assert.deepEqual([history.before, history.base], [undefined, undefined]);
    for (let at = 1; at <= 200; at++) history.add(reading(at));
    assert.deepEqual([history.base?.at, history.before?.at, history.last?.at], [140, 199, 200]);
    history.add(reading(201, { startedAt: 1201 }));
    assert.deepEqual([history.base, history.before, history.last?.at], [undefined, undefined, 201]);
  });
});

describe('toOverview', () => {
  it('is of what happened since the readings before', () => {
    const fast = [0.0005, 0.0005, 0.0005];
    const base = reading(0, { requests: 10, requestsWithSkill: 1 }, fast);
    const before = reading(58, { requests: 18, requestsWithSkill: 7 }, [...fast, 0.5]);
    const last = reading(60, { requests: 20, requestsWithSkill: 7 }, [...fast, 0.5, 0.5, 0.5, 0.5]);
    const overview = toOverview(last, before, base, 1100);
    assert.equal(overview.uptimeSeconds, 100);
    assert.equal(overview.requestsPerSecond, 1);
    assert.equal(overview.hitRate, 0.6);
    assert.equal(overview.lookBackSeconds, 60);
    const [echo] = overview.skills;
    assert.equal(echo?.callsPerSecond, 1.5);
    assert.ok((echo?.p50Seconds ?? 0) > 0.1, 'the fast calls were before');
    const whole = toOverview(last, undefined, undefined, 1100);
    assert.deepEqual([whole.hitRate, whole.requestsPerSecond, whole.lookBackSeconds], [7 / 20, undefined, undefined]);
    assert.equal(toOverview(last, last, last, 1100).hitRate, undefined);
  });
});

describe('lines', () => {
  it('are never longer than the terminal is wide, and always begin with skill and state', () => {
    const names = fc.array(fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/), { maxLength: 5 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 150 }), (skills, width) => {
        const [skill] = reading(0).skills;
        assert.ok(skill);
        const overview = toOverview(
          reading(0, { skills: skills.map((name) => ({ ...skill, name })) }),
          undefined,
          undefined,
          1e6,
        );
        const lines = [...headLines(overview, width), ...skillLines(overview.skills, width)];
        assert.ok(lines.every(({ length }) => length <= width));
        assert.equal(headLines(overview, 1000).length, 1);
        if (width >= 42) assert.match(skillLines(overview.skills, width)[0] ?? '', /^SKILL +STATE/);
      }),
    );
  });
});
