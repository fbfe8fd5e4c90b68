import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Interval, place } from './timeline.ts';

/** Keeps intervals as the store does. */
function observe(intervals: Interval[], o: number, at: number): void {
  const placement = place(intervals, o, at);
  if (placement.t === 'reinforce') {
    const interval = intervals.find(({ id }) => id === placement.id);
    assert.ok(interval);
    interval.validFrom = Math.min(interval.validFrom, placement.validFrom);
    interval.lastSeen = Math.max(interval.lastSeen, at);
    return;
  }
  const replaced = intervals.find(({ id }) => id === placement.close);
  if (replaced) replaced.validTo = at;
  const { validFrom, validTo } = placement;
  intervals.push({ id: intervals.length + 1, o, validFrom, validTo, lastSeen: at });
}

const observations = fc.array(fc.record({ o: fc.integer({ min: 1, max: 4 }), at: fc.integer({ min: 0, max: 30 }) }), {
  minLength: 1,
  maxLength: 25,
});

const distinct = fc.uniqueArray(fc.record({ o: fc.integer({ min: 1, max: 4 }), at: fc.integer({ min: 0, max: 99 }) }), {
  selector: ({ at }) => at,
  minLength: 1,
  maxLength: 20,
});

describe('timeline', () => {
  it('never has two objects at the same moment, and always one now', () => {
    fc.assert(
      fc.property(observations, (all) => {
        const intervals: Interval[] = [];
        for (const { o, at } of all) observe(intervals, o, at);
        for (let moment = 0; moment <= 31; moment++) {
          const holding = intervals.filter((i) => i.validFrom <= moment && (i.validTo === null || moment < i.validTo));
          assert.ok(holding.length <= 1, JSON.stringify(intervals));
        }
        assert.equal(intervals.filter(({ validTo }) => validTo === null).length, 1);
      }),
    );
  });

  it('has the latest observation as the present, in whatever order they come', () => {
    fc.assert(
      fc.property(distinct, (all) => {
        const intervals: Interval[] = [];
        for (const { o, at } of all) observe(intervals, o, at);
        const latest = all.reduce((a, b) => (b.at > a.at ? b : a));
        assert.equal(intervals.find(({ validTo }) => validTo === null)?.o, latest.o);
      }),
    );
  });

  it('is not changed by what is told again', () => {
    fc.assert(
      fc.property(distinct, (all) => {
        const intervals: Interval[] = [];
        for (const { o, at } of all) observe(intervals, o, at);
        const before = structuredClone(intervals);
        for (const { o, at } of all) observe(intervals, o, at);
        assert.deepEqual(intervals, before);
      }),
    );
  });
});
