import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { percentiles } from './percentiles.ts';

describe('percentiles', () => {
  it('are those of the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, n) => 100 - n);
    assert.deepEqual(percentiles(hundred), { p50: 50, p90: 90, p95: 95, p99: 99, max: 100 });
    assert.deepEqual(percentiles([7]), { p50: 7, p90: 7, p95: 7, p99: 7, max: 7 });
    assert.deepEqual(percentiles([2, 1]), { p50: 1, p90: 2, p95: 2, p99: 2, max: 2 });
    assert.ok(Number.isNaN(percentiles([]).p50));
  });

  it('leave at least their share of the values at or below them, and are values themselves', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
        const found = percentiles(values);
        for (const [share, value] of [
          [0.5, found.p50],
          [0.9, found.p90],
          [0.99, found.p99],
          [1, found.max],
        ] as const) {
          assert.ok(values.some((each) => Object.is(each, value) || each === value));
          assert.ok(values.filter((each) => each <= value).length >= share * values.length);
        }
      }),
    );
  });
});
