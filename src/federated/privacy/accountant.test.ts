/**
 * Vectors: opacus/tests/{accountants_test,prv_accountant}.py, TensorFlow Privacy's compute_dp_sgd_privacy_test.py, and the tests of
 * Google's differential-privacy (python/dp_accounting).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { deltaOf, epsilonOf } from './accountant.ts';
import { noiseFor, roundsFor } from './calibrate.ts';
import { gaussianDelta, gaussianEpsilon } from './gaussian.ts';
import type { Release } from './parameters.ts';

const poisson = (noise: number, rate: number, rounds: number): Release[] => [{ mode: 'poisson', noise, rate, rounds }];
const near = (actual: number, expected: number, tolerance: number) =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not ${expected} +- ${tolerance}`);
const inf = Number.POSITIVE_INFINITY;

type Row = [noise: number, rate: number, rounds: number, delta: number, epsilon: number];

describe('composition of losses', () => {
  const exact: Row[] = [
    [0.7, 0.01, 120, 1e-5, 2.4612381],
    [0.7, 1, 2, 1e-5, 10.1224946],
    [0.35, 1, 2, 1e-5, 24.7160779],
  ];
  for (const row of exact) {
    const [noise, rate, rounds, delta, epsilon] = row;
    it(`has the value of TensorFlow Privacy to 7 digits: ${row.slice(0, 4)}`, () =>
      near(epsilonOf(poisson(noise, rate, rounds), delta).epsilon, epsilon, 5e-8));
  }

  const google: Row[] = [
    [1, 0.1, 100, 1e-5, 7.046603],
    [0.8, 0.05, 200, 1e-5, 7.70217],
    [2, 0.5, 30, 1e-4, 6.161036],
    [2, 0.0064, 782, 1e-6, 0.393742],
    [1, 1, 1, 1e-5, 4.377178],
    [5, 1, 100, 1e-6, 10.997151],
    [1, 0.2, 100, 1e-5, 14.53],
    [4, 0.5, 100, 1e-5, 5.87],
  ];
  for (const row of google) {
    const [noise, rate, rounds, delta, epsilon] = row;
    const digits = String(epsilon).split('.')[1]?.length ?? 0;
    it(`has the value of Google's accountant, rounded: ${row.slice(0, 4)}`, () =>
      near(epsilonOf(poisson(noise, rate, rounds), delta).epsilon, epsilon, 10 ** -Math.min(6, digits)));
  }

  // The published values are upper estimates about 0.01 above the truth.
  const opacus: Row[] = [
    [0.8, 0.001, 100, 1e-6, 0.270403],
    [2, 0.001, 100, 1e-6, 0.029105],
    [0.8, 0.05, 100, 1e-6, 6.741052],
    [2, 0.05, 100, 1e-6, 1.283637],
    [0.8, 0.2, 100, 1e-6, 24.333664],
    [2, 0.2, 100, 1e-6, 5.672056],
    [0.8, 0.001, 1000, 1e-6, 0.477771],
    [2, 0.001, 1000, 1e-6, 0.071219],
    [0.8, 0.05, 1000, 1e-6, 19.525843],
    [2, 0.05, 1000, 1e-6, 4.1728],
    [0.8, 0.001, 20000, 1e-6, 1.296009],
    [2, 0.001, 20000, 1e-6, 0.305838],
    [1.5, 0.05, 20000, 1e-6, 38.306618],
    [3, 0.05, 20000, 1e-6, 13.961115],
    [1.5, 0.001, 50000, 1e-6, 0.704218],
    [3, 0.001, 50000, 1e-6, 0.309694],
    [2, 0.05, 50000, 1e-6, 45.236996],
  ];
  for (const row of opacus) {
    const [noise, rate, rounds, delta, upper] = row;
    it(`lies where Opacus's does, and below Renyi: ${row.slice(0, 4)}`, () => {
      const { epsilon, pld, rdp } = epsilonOf(poisson(noise, rate, rounds), delta);
      assert.ok(epsilon >= upper - 0.0205 && epsilon <= upper + 1e-3, `${epsilon}`);
      assert.ok(pld !== undefined && rdp !== undefined && pld < rdp / 1.03, `${pld} ${rdp}`);
    });
  }

  it('tells replacing a client from removing one', () => {
    const releases = poisson(1, 0.1, 100);
    near(epsilonOf(releases, 1e-5, { adjacency: 'replace_one' }).epsilon, 10.51638, 1e-6);
    const full: Release[] = [{ mode: 'full', noise: 5, rounds: 100 }];
    near(epsilonOf(full, 1e-5).epsilon, 9.997256, 1e-6);
    near(epsilonOf(full, 1e-5, { adjacency: 'replace_one' }).epsilon, 24.381611, 1e-6);
  });

  it('has the published deltas', () => {
    near(deltaOf(poisson(Math.sqrt(3), 1, 3), 1), 0.126936, 1e-3);
    near(deltaOf(poisson(0.5, 0.2, 3), 1), 0.15594, 1e-3);
  });

  it('takes a tree as one Gaussian release with noise / sqrt(levels)', () => {
    for (const [noise, epsilon, rdp] of [
      [1.13, 17.666751, 18.70961],
      [8.83, 1.648659, 1.773192],
    ] as const) {
      const cost = epsilonOf([{ mode: 'tree', noise, rounds: 1600 }], 1e-6);
      near(cost.epsilon, epsilon, 1e-6);
      near(cost.rdp ?? inf, rdp, 1e-6);
    }
  });

  it('composes different releases, in any order', () => {
    const a: Release = { mode: 'poisson', noise: 1, rate: 0.1, rounds: 30 };
    const b: Release = { mode: 'poisson', noise: 2, rate: 0.3, rounds: 20 };
    const c: Release = { mode: 'full', noise: 6, rounds: 5 };
    const { epsilon } = epsilonOf([a, b, c], 1e-5);
    near(epsilonOf([c, b, a], 1e-5).epsilon, epsilon, 1e-6);
    near(epsilonOf([{ ...a, rounds: 10 }, b, c, { ...a, rounds: 20 }], 1e-5).epsilon, epsilon, 1e-4);
    assert.ok(epsilon > epsilonOf([a, b], 1e-5).epsilon);
    assert.ok(Math.abs(deltaOf([a, b, c], epsilon) / 1e-5 - 1) < 1e-4);
  });
});

/**
 * Composition without a grid: the characteristic function of the loss by the trapezoidal rule, its power, and the formula of Gil-Pelaez
 * (Zhu, Dong, Wang 2022, section 4) for P(loss > epsilon) - e^epsilon Q(loss > epsilon), removing a client.
 */
function deltaByCharacteristicFunction(noise: number, rate: number, rounds: number, epsilon: number): number {
  const step = noise / 24;
  const points = Array.from({ length: Math.ceil((24 * noise + 1) / step) }, (_, n) => {
    const x = -12 * noise + n * step;
    const ratio = 1 - rate + rate * Math.exp((x - 0.5) / noise ** 2);
    const other = (Math.exp(-0.5 * (x / noise) ** 2) * step) / (noise * Math.sqrt(2 * Math.PI));
    return { loss: Math.log(ratio), p: ratio * other, q: other };
  });
  const above = (key: 'p' | 'q') => {
    let integral = 0;
    const du = 0.02;
    for (let u = du / 2; ; u += du) {
      let [re, im] = [0, 0];
      for (const point of points) {
        re += point[key] * Math.cos(u * point.loss);
        im += point[key] * Math.sin(u * point.loss);
      }
      const size = Math.hypot(re, im) ** rounds;
      integral += (size * Math.sin(rounds * Math.atan2(im, re) - u * epsilon) * du) / u;
      if (size < 1e-18) return 0.5 + integral / Math.PI;
    }
  };
  return above('p') - Math.exp(epsilon) * above('q');
}

describe('the bound', () => {
  for (const [noise, rate, rounds, epsilon] of [
    [1, 0.1, 100, 2],
    [1, 0.1, 100, 4],
    [2, 0.3, 50, 1],
    [0.8, 0.2, 40, 5],
    [3, 0.05, 2000, 1],
  ] as const) {
    it(`is an upper one, close to an independent numeric integral: ${[noise, rate, rounds, epsilon]}`, () => {
      const truth = deltaByCharacteristicFunction(noise, rate, rounds, epsilon);
      const bound = deltaOf(poisson(noise, rate, rounds), epsilon);
      assert.ok(bound >= truth * (1 - 1e-7) - 1e-13, `${bound} < ${truth}`);
      assert.ok(bound <= truth * (1 + 1e-4) + 1e-13, `${bound} > ${truth}`);
    });
  }

  it('is one whatever the grid, and falls with a finer one', () => {
    const at = (step: number) => epsilonOf(poisson(0.8, 0.05, 200), 1e-5, { step }).epsilon;
    const bounds = [1e-2, 1e-3, 1e-4].map(at);
    assert.deepEqual(
      bounds.toSorted((a, b) => b - a),
      bounds,
    );
    near(bounds[0] ?? 0, bounds[2] ?? 0, 5e-3);
  });

  it('is never below what full participation of a fraction of the rounds costs, nor above Renyi or everybody', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.3, max: 5, noNaN: true }),
        fc.double({ min: 1e-4, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 3000 }),
        fc.double({ min: -30, max: -1, noNaN: true }),
        (noise, rate, rounds, logDelta) => {
          const delta = Math.exp(logDelta);
          const { epsilon, rdp } = epsilonOf(poisson(noise, rate, rounds), delta, { step: 1e-3 });
          const more = epsilonOf(poisson(noise, rate, rounds + 1), delta, { step: 1e-3 }).epsilon;
          assert.ok(more >= epsilon - 1e-3 * (1 + epsilon), `${more} < ${epsilon}`);
          assert.ok(epsilon <= (rdp ?? 0) + 1e-6);
          assert.ok(epsilon <= gaussianEpsilon(Math.sqrt(rounds) / noise, delta) * (1 + 1e-9));
          // One release of them all.
          const once = epsilonOf(poisson(noise, rate, 1), delta).epsilon;
          assert.ok(epsilon >= once - 1e-6);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('extremes', () => {
  it('no rounds, no rate, no noise', () => {
    assert.equal(epsilonOf([], 0).epsilon, 0);
    assert.equal(epsilonOf(poisson(1, 0.5, 0), 0).epsilon, 0);
    assert.equal(epsilonOf(poisson(0, 0, 10), 0).epsilon, 0);
    assert.equal(epsilonOf(poisson(0, 0.5, 1), 1e-5).epsilon, inf);
    assert.equal(epsilonOf([{ mode: 'full', noise: 0, rounds: 1 }], 1e-5).epsilon, inf);
    // Nobody is ever drawn with a probability of 0.99^10.
    assert.equal(epsilonOf(poisson(0, 0.01, 10), 0.1).epsilon, 0);
    assert.equal(epsilonOf(poisson(0, 0.01, 10), 0.09).epsilon, inf);
  });

  it('delta of 0 and of 1', () => {
    assert.equal(epsilonOf(poisson(1, 0.1, 10), 0).epsilon, inf);
    assert.equal(epsilonOf(poisson(1, 0.1, 10), 1).epsilon, 0);
  });

  it('deltas that rounding errors of a transform would swallow', () => {
    const releases = poisson(1, 0.01, 100);
    let last = 0;
    for (const delta of [1e-10, 1e-15, 1e-18, 1e-40, 1e-100, 1e-199, 1e-250]) {
      const { epsilon, rdp } = epsilonOf(releases, delta);
      assert.ok(epsilon > last && epsilon <= (rdp ?? 0), `${delta}: ${epsilon}`);
      last = epsilon;
    }
    near(deltaOf(releases, epsilonOf(releases, 1e-18).epsilon) / 1e-18, 1, 1e-4);
  });

  it('a billion rounds, and noise from next to none to a million', () => {
    assert.ok(epsilonOf(poisson(4, 1e-4, 1e9), 1e-9).epsilon < 7);
    assert.equal(epsilonOf(poisson(1e6, 0.1, 100), 1e-5).epsilon, 0);
    const little = epsilonOf(poisson(0.02, 0.01, 100), 1e-5).epsilon;
    assert.ok(little > 1250 && little < 20_000, `${little}`);
    const none = epsilonOf(poisson(1e-5, 0.01, 100), 1e-5);
    assert.equal(none.pld, undefined);
    assert.ok(none.epsilon > 1e9);
  });

  for (const [what, release, expected] of [
    ['negative noise', { mode: 'full', noise: -1, rounds: 1 }, /noise: a number from 0.*not -1/],
    ['noise that is no number', { mode: 'full', noise: Number.NaN, rounds: 1 }, /noise: .*not NaN/],
    ['a rate above 1', { mode: 'poisson', noise: 1, rate: 1.5, rounds: 1 }, /rate: a probability.*not 1.5/],
    ['no rate', { mode: 'poisson', noise: 1, rounds: 1 }, /rate: a probability.*not undefined/],
    ['a rate where there is none', { mode: 'full', noise: 1, rate: 0.5, rounds: 1 }, /rate: mode full means everybody/],
    ['half a round', { mode: 'full', noise: 1, rounds: 0.5 }, /rounds: a whole number.*not 0.5/],
    ['no participations', { mode: 'tree', noise: 1, rounds: 1, participations: 0 }, /participations: .*not 0/],
    ['another mode', { mode: 'shuffle', noise: 1, rounds: 1 }, /mode: poisson, full, tree, not shuffle/],
  ] as [string, Release, RegExp][])
    it(`refuses ${what}`, () =>
      assert.throws(() => epsilonOf([release], 1e-5), { name: 'PrivacyError', message: expected }));

  it('refuses a delta and an epsilon that are none', () => {
    for (const delta of [-1e-9, 1.1, Number.NaN]) assert.throws(() => epsilonOf([], delta), /delta: a probability/);
    for (const epsilon of [-1, Number.NaN]) assert.throws(() => deltaOf([], epsilon), /epsilon: a number from 0/);
  });
});

describe('calibration', () => {
  const poissonRounds = (rate: number, rounds: number) => ({ mode: 'poisson', rate, rounds }) as const;

  it('finds the noise that the peers find, or a little less', () => {
    const once = noiseFor({ epsilon: 1, delta: 1e-5 }, poissonRounds(0.01, 1));
    near(once, 0.67379294682, 1e-6);
    const many = 6 * noiseFor({ epsilon: 1, delta: 1e-5 }, poissonRounds(0.001, 25));
    assert.ok(many <= 3.20956502598 && many > 3.2095, `${many}`);
    // Opacus, with its own errors of 0.01.
    near(noiseFor({ epsilon: 8, delta: 1e-5 }, poissonRounds(0.04, 2000)), 1.2915, 2e-3);
  });

  it('is exact without sampling', () => {
    for (const [rounds, noise] of [
      [10, 6.305],
      [30, 10.921],
      [100, 19.938],
      [365, 38.092],
    ] as const)
      near(noiseFor({ epsilon: 2, delta: 1e-5 }, { mode: 'full', rounds }), noise, 5e-4);
    const tree = { mode: 'tree', rounds: 1600 } as const;
    const noise = noiseFor({ epsilon: 2, delta: 1e-6 }, tree);
    near(epsilonOf([{ ...tree, noise }], 1e-6).epsilon, 2, 1e-9);
    near(
      gaussianDelta(1 / noiseFor({ epsilon: 1, delta: 0.78760074 }, { mode: 'full', rounds: 1 }), 1),
      0.78760074,
      1e-9,
    );
  });

  it('keeps what it promises', () => {
    for (const [epsilon, rate, rounds] of [
      [0.5, 0.05, 50],
      [3, 0.3, 20],
    ] as const) {
      const noise = noiseFor({ epsilon, delta: 1e-5 }, poissonRounds(rate, rounds));
      const cost = epsilonOf(poisson(noise, rate, rounds), 1e-5).epsilon;
      assert.ok(cost <= epsilon && cost > epsilon * (1 - 1e-6), `${cost}`);
    }
  });

  it('says when there is no answer, and when no noise is needed', () => {
    assert.throws(() => noiseFor({ epsilon: 1, delta: 0 }, poissonRounds(0.1, 10)), /no noise is enough/);
    assert.equal(noiseFor({ epsilon: 0, delta: 0.5 }, poissonRounds(0.01, 10)), 0);
    assert.equal(noiseFor({ epsilon: 1, delta: 0 }, poissonRounds(0, 10)), 0);
  });

  it('counts the rounds that are left', () => {
    const round = { mode: 'poisson', noise: 1.1, rate: 0.05 } as const;
    const target = { epsilon: 2, delta: 1e-5 };
    const rounds = roundsFor(target, round);
    assert.ok(epsilonOf([{ ...round, rounds }], target.delta).epsilon <= 2);
    assert.ok(epsilonOf([{ ...round, rounds: rounds + 1 }], target.delta).epsilon > 1.99);
    const left = roundsFor(target, round, [{ ...round, rounds: 10 }]);
    near(left, rounds - 10, 1);
    assert.equal(roundsFor({ epsilon: 0.01, delta: 1e-5 }, round), 0);
    assert.equal(roundsFor({ epsilon: 0, delta: 0 }, { ...round, rate: 0 }), inf);
  });
});
