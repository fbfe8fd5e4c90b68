import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { z } from 'zod';
import { duration, size } from './units.ts';

function problem(schema: z.ZodType, value: unknown): string {
  const result = schema.safeParse(value);
  assert.ok(!result.success, `${JSON.stringify(value)} was taken as ${JSON.stringify(result.data)}`);
  return result.error.issues.map(({ message }) => message).join('\n');
}

describe('duration', () => {
  const good: [string | number, number][] = [
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['1.5h', 5_400_000],
    [' 1s ', 1000],
    ['0', 0],
    ['0s', 0],
    [0, 0],
  ];
  for (const [text, ms] of good) {
    it(`${JSON.stringify(text)} is ${ms} ms`, () => assert.equal(duration.parse(text), ms));
  }

  for (const bad of ['', '10', '10 s', '-1s', '1w', 's', '1s2', '1.s', '1S', 'Infinity']) {
    it(`refuses ${JSON.stringify(bad)} and shows what to write`, () => {
      assert.match(problem(duration, bad), /is no duration; write for example 250ms, 10s, 5m or 1h/);
    });
  }

  it('refuses a number without a unit, and what is no text, and shows what to write', () => {
    for (const bad of [5, -1, true, null, ['1s']]) assert.match(problem(duration, bad), /250ms, 10s, 5m or 1h/);
  });
});

describe('size', () => {
  const good: [string | number, number][] = [
    [65_536, 65_536],
    [0, 0],
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1k', 1000],
    ['800M', 800_000_000],
    ['1G', 1_000_000_000],
    ['1 GB', 1_000_000_000],
    ['4KiB', 4096],
    ['256MiB', 268_435_456],
    ['1gi', 1_073_741_824],
    ['1.5Ki', 1536],
    ['0.3', 0],
  ];
  for (const [text, bytes] of good) {
    it(`${JSON.stringify(text)} is ${bytes} bytes`, () => assert.equal(size.parse(text), bytes));
  }

  for (const bad of ['', 'M', '1T', '1iB', '-1', -1, '1M M', '0x10']) {
    it(`refuses ${JSON.stringify(bad)} and shows what to write`, () => {
      assert.match(problem(size, bad), /is no size; write for example 256MiB, 1G or 65536/);
    });
  }

  it('refuses what is neither text nor a finite number, and shows what to write', () => {
    for (const bad of [true, null, ['1M'], Number.POSITIVE_INFINITY]) {
      assert.match(problem(size, bad), /256MiB, 1G or 65536/);
    }
  });
});
