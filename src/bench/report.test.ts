import assert from 'node:assert/strict';
import { it } from 'node:test';
import { summarizeMemory } from './report.ts';

const HOUR_MS = 3_600_000;

/** What is said of the RAM of an hour, sampled each second. */
const growthOf = (totalAt: (share: number) => number) =>
  summarizeMemory(
    Array.from({ length: 3600 }, (_, n) => ({ atMs: n * 1000, total: totalAt(n / 3600), assistant: 0, skills: {} })),
    1000,
  ).growthPerHour;

it('says how much memory grows in an hour, of what goes on and not of what happened once', () => {
  assert.ok(Math.abs((growthOf((share) => 1e9 + 5e6 * share) ?? 0) - 5e6) < 1);
  assert.equal(
    growthOf((share) => (share < 0.8 ? 4e8 : 3e8)),
    0,
  );
  assert.equal(
    growthOf(() => 4e8),
    0,
  );
  assert.equal(summarizeMemory([{ atMs: HOUR_MS, total: 1, assistant: 1, skills: {} }], 1000).growthPerHour, null);
});
