import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Buckets, percentile, rateOf, type Sample, windowStart } from './samples.ts';

const BOUNDS = [0.001, 0.01, 0.1, 1, Number.POSITIVE_INFINITY];
const histogram = (seconds: readonly number[]): Buckets =>
  BOUNDS.map((bound) => [bound, seconds.filter((value) => value <= bound).length]);
const sample = (at: number, requests = 0): Sample => ({
  ...{ at, requests, withSkill: 0 },
  acceptance: null,
  epsilon: null,
  skills: {},
});

describe('a percentile of a histogram', () => {
  it('lies in the bucket that the true one lies in, and counts only what is new', () => {
    const seconds = fc.array(fc.double({ min: 0.00001, max: 0.99, noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(seconds, seconds, fc.constantFrom(0.5, 0.99), (old, fresh, q) => {
        const found = percentile(q, histogram([...old, ...fresh]), histogram(old));
        const sorted = fresh.toSorted((a, b) => a - b);
        const truth = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
        const upper = BOUNDS.find((bound) => truth <= bound) ?? 1;
        const lower = BOUNDS[BOUNDS.indexOf(upper) - 1] ?? 0;
        assert.ok(found !== null && found >= lower * 1000 && found <= upper * 1000 + 1e-9, `${found} of ${truth}`);
      }),
    );
  });

  it('is nothing when nothing was measured, and the last bound beyond all of them', () => {
    assert.equal(percentile(0.5, histogram([0.5]), histogram([0.5])), null);
    assert.equal(percentile(0.5, histogram([20]), histogram([])), 1000);
    // As promtool has it: half of 2 lies at the end of the first, one half into the bucket of 0.001 to 0.01.
    assert.equal(percentile(0.75, histogram([0.0005, 0.005]), histogram([]))?.toFixed(6), '5.500000');
  });
});

describe('a window', () => {
  it('counts from the last sample before it, or from the first', () => {
    const samples = [0, 5000, 10_000].map((at) => sample(at));
    assert.equal(windowStart(samples, 7000).at, 5000);
    assert.equal(windowStart(samples, 5000).at, 5000);
    assert.equal(windowStart(samples, -1).at, 0);
  });

  it('has a rate as soon as time went by', () => {
    assert.equal(
      rateOf(sample(0, 1), sample(0, 1), ({ requests }) => requests),
      null,
    );
    assert.equal(
      rateOf(sample(0, 1), sample(2000, 5), ({ requests }) => requests),
      2,
    );
  });
});
