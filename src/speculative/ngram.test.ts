import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NgramIndex } from './ngram.ts';

test('it proposes what followed the longest ending that occurred before', () => {
  const cases: [text: number[], count: number, proposed: number[]][] = [
    [[], 3, []],
    [[1, 2, 3], 3, []],
    [[1, 2, 9, 1, 2], 3, []],
    [[1, 2, 3, 4, 5, 1, 2, 3], 2, [4, 5]],
    // The most recent of two.
    [[1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3], 1, [5]],
    // The longer of two, though the other is more recent.
    [[7, 1, 2, 3, 4, 8, 1, 2, 3, 5, 7, 1, 2, 3], 1, [4]],
    // Past the end of the text it goes on as it began.
    [[1, 2, 3, 1, 2, 3], 7, [1, 2, 3, 1, 2, 3, 1]],
    [[5, 5, 5, 5], 3, [5, 5, 5]],
  ];
  for (const [text, count, proposed] of cases) assert.deepEqual(new NgramIndex(text).propose(count), proposed);
});

/** The same by looking everywhere. */
function slowly(text: number[], count: number): number[] {
  for (let length = 8; length >= 3; length--) {
    for (let end = text.length - 1; end >= length; end--) {
      const isThere = text.slice(end - length, end).join() === text.slice(text.length - length).join();
      if (!isThere || text.length < length + 1) continue;
      const proposed: number[] = [];
      while (proposed.length < count) proposed.push([...text, ...proposed][end + proposed.length] ?? -1);
      return proposed;
    }
  }
  return [];
}

test('it finds what looking everywhere finds, however the text comes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 60 }), fc.nat(60), fc.nat(5), (text, split, count) => {
      const index = new NgramIndex(text.slice(0, split));
      index.push(text.slice(split));
      assert.deepEqual(index.propose(count), slowly(text, count));
    }),
    { numRuns: 500 },
  );
});
