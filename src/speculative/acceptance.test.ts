import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expectedRate, NO_ACCEPTANCE, observe, observedRate, testedTokens } from './acceptance.ts';
import { uniform } from './gumbel.ts';

test('tokens behind the first wrong one were not tested', () => {
  const rounds = [
    [0, 0, 0],
    [4, 0, 1],
    [4, 2, 3],
    [4, 4, 4],
  ] as const;
  for (const [proposed, accepted, tested] of rounds) assert.equal(testedTokens(proposed, accepted), tested);
});

test('the observed rate is that of the draft, however many tokens are proposed in a round', () => {
  for (const rate of [0.3, 0.6, 0.9]) {
    for (const count of [1, 2, 4, 8]) {
      let acceptance = NO_ACCEPTANCE;
      let sum = 0;
      const rounds = 4000;
      for (let round = 0; round < rounds; round++) {
        let accepted = 0;
        while (accepted < count && uniform(count, round, accepted) < rate) accepted++;
        acceptance = observe(acceptance, count, accepted);
        sum += observedRate(acceptance) ?? 0;
      }
      assert.ok(Math.abs(sum / rounds - rate) < 0.04, `rate ${rate}, ${count} at a time: ${sum / rounds}`);
    }
  }
});

test('rates are shares, and the expected one is hopeful at first and then follows what is seen', () => {
  assert.equal(observedRate(NO_ACCEPTANCE), undefined);
  assert.ok(expectedRate(NO_ACCEPTANCE) > 0.8);
  const round = fc.integer({ min: 1, max: 8 }).chain((proposed) => fc.tuple(fc.constant(proposed), fc.nat(proposed)));
  fc.assert(
    fc.property(fc.array(round, { minLength: 1, maxLength: 50 }), (rounds) => {
      const acceptance = rounds.reduce((it, [proposed, accepted]) => observe(it, proposed, accepted), NO_ACCEPTANCE);
      const observed = observedRate(acceptance) ?? Number.NaN;
      assert.ok(observed >= 0 && observed <= 1);
      const expected = expectedRate(acceptance);
      assert.ok(expected >= Math.min(observed, 0.9) - 1e-9 && expected <= Math.max(observed, 0.9) + 1e-9);
    }),
  );
});

test('a draft that gets worse is noticed within a hundred tokens', () => {
  let acceptance = NO_ACCEPTANCE;
  for (let n = 0; n < 1000; n++) acceptance = observe(acceptance, 1, 1);
  for (let n = 0; n < 100; n++) acceptance = observe(acceptance, 1, 0);
  assert.ok((observedRate(acceptance) ?? 1) < 0.25);
});
