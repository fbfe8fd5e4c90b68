import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { followLog, newLines } from './log-stream.ts';

describe('a log that is followed', () => {
  it('gives every line once, however much comes between two looks, while the window holds it', () => {
    // Lines that are all different, as those with a time are.
    const property = fc.property(fc.array(fc.nat({ max: 9 })), fc.integer({ min: 10, max: 20 }), (growth, window) => {
      const log: string[] = [];
      let seen: string[] = [];
      const told: string[] = [];
      for (const more of growth) {
        for (let n = 0; n < more; n++) log.push(`line ${log.length}`);
        const now = log.slice(-window);
        told.push(...newLines(seen, now));
        seen = now;
      }
      assert.deepEqual(told, log);
    });
    fc.assert(property);
  });

  it('never gives more than there is, also of lines that repeat', () => {
    const line = fc.constantFrom('a', 'b');
    fc.assert(
      fc.property(fc.array(line), fc.array(line), (before, added) => {
        const now = [...before, ...added];
        const fresh = newLines(before, now);
        assert.deepEqual(now.slice(now.length - fresh.length), fresh);
        assert.ok(fresh.length <= now.length);
      }),
    );
    assert.deepEqual(newLines(['x'], ['x', 'x']), ['x']);
  });

  it('begins with what is there, then tells what is new, and ends when its reader leaves', async () => {
    const log = ['one', 'two'];
    const gone = new AbortController();
    const told: string[][] = [];
    for await (const { lines } of followLog(async () => [...log], gone.signal)) {
      told.push(lines);
      if (told.length === 1) log.push('three');
      else gone.abort();
    }
    assert.deepEqual(told, [['one', 'two'], ['three']]);
  });
});
