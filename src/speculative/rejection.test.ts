import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chiSquare } from '../../test/support/chi-square.ts';
import { gumbelChoice, uniform } from './gumbel.ts';
import { acceptanceProbability, type Distribution, draw, rejectionRound, residual } from './rejection.ts';

const distribution = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
  .filter((weights) => weights.some((weight) => weight > 0.01))
  .map((weights): Distribution => {
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return new Map(weights.map((weight, token) => [token, weight / sum]));
  });

test('what is accepted and what is drawn instead add up to the distribution of the target', () => {
  fc.assert(
    fc.property(distribution, distribution, (p, q) => {
      const instead = residual(p, q);
      const kept = (token: number) => {
        const drawn = q.get(token) ?? 0;
        return drawn === 0 ? 0 : drawn * acceptanceProbability(token, p, q);
      };
      const rejected = 1 - q.keys().reduce((sum, token) => sum + kept(token), 0);
      for (const [token, probability] of p) {
        assert.ok(Math.abs(kept(token) + rejected * (instead.get(token) ?? 0) - probability) < 1e-9);
      }
    }),
  );
});

test('rounds give tokens with the distribution of the target, and a rule that accepts too much does not', () => {
  const p = new Map([0.5, 0.3, 0.15, 0.05].map((probability, token) => [token, probability]));
  const q = new Map([0.25, 0.25, 0.25, 0.25].map((probability, token) => [token, probability]));
  const draws = 40_000;
  const expected = new Map(Array.from(p, ([token, probability]) => [token, probability * draws]));
  const count = (round: (random: () => number) => number | undefined) => {
    const counts = new Map<number, number>();
    for (let n = 0; n < draws; n++) {
      let calls = 0;
      const token = round(() => uniform(1, n, calls++)) ?? -1;
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    return chiSquare(counts, expected);
  };
  const right = count((random) => rejectionRound([{ token: draw(q, random), q }], [p, p], random)[0]);
  assert.ok(right.statistic < right.limit, `${right.statistic} is above ${right.limit}`);
  const careless = count((random) => {
    const token = draw(q, random);
    return random() < Math.min(1, 1.2 * acceptanceProbability(token, p, q)) ? token : draw(residual(p, q), random);
  });
  assert.ok(careless.statistic > careless.limit, `${careless.statistic} is below ${careless.limit}`);
});

test('shared randomness accepts nearly as often as rejection, which no rule exceeds', () => {
  fc.assert(
    fc.property(distribution, distribution, (p, q) => {
      const best = p.entries().reduce((sum, [token, probability]) => sum + Math.min(probability, q.get(token) ?? 0), 0);
      const draws = 2000;
      let same = 0;
      for (let n = 0; n < draws; n++) if (gumbelChoice(p, 3, n) === gumbelChoice(q, 3, n)) same++;
      const error = 4.5 * Math.sqrt(0.25 / draws);
      assert.ok(same / draws < best + error);
      // Daliri et al. (arXiv 2408.07978): at least (1 - d) / (1 + d) for distributions at total variation distance d.
      assert.ok(same / draws > best / (2 - best) - error);
    }),
    { numRuns: 30 },
  );
});
