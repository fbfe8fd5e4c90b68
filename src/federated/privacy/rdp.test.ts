import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PrivacyError } from './error.ts';
import { DEFAULT_ORDERS, rdpToDelta, rdpToEpsilon, sampledGaussianRdp } from './rdp.ts';

const near = (actual: number, expected: number, relative: number) =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual} is not ${expected}`);

/** ln A by Simpson's rule on a fine grid, in logarithms. */
function logMomentByIntegral(noise: number, rate: number, order: number): number {
  const [low, high] = [-14 * noise, order + 14 * noise];
  const cells = 2 * Math.ceil((high - low) / (0.01 * Math.min(noise, noise * noise)) / 2);
  const step = (high - low) / cells;
  const logs = Array.from({ length: cells + 1 }, (_, n) => {
    const x = low + n * step;
    const y = (x - 0.5) / noise ** 2;
    const mixture = y < 0 ? Math.log1p(rate * Math.expm1(y)) : y + Math.log(rate + (1 - rate) * Math.exp(-y));
    const weight = n === 0 || n === cells ? 1 : n % 2 === 1 ? 4 : 2;
    return Math.log((weight * step) / 3 / noise / Math.sqrt(2 * Math.PI)) - 0.5 * (x / noise) ** 2 + order * mixture;
  });
  const most = logs.reduce((a, b) => Math.max(a, b));
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}

/** Orders of TensorFlow Privacy. */
const TENSORFLOW = [
  ...[1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4, 4.5],
  ...Array.from({ length: 59 }, (_, n) => n + 5),
  ...[128, 256, 512],
];
const epsilon = (noise: number, rate: number, rounds: number, delta: number, orders = DEFAULT_ORDERS) =>
  rdpToEpsilon(new Map(orders.map((order) => [order, rounds * sampledGaussianRdp({ noise, rate }, order)])), delta);

describe('Renyi divergence of the sampled Gaussian mechanism', () => {
  for (const [rate, noise, order] of [
    [1e-6, 1, 27],
    [1e-3, 1, 2],
    [0.01, 10, 20],
    [0.1, 100, 20.5],
    [0.1, 1, 1.1],
    [0.1, 1, 1.01],
    [0.01, 2.5, 1.5],
    [0.4, 12, 58.7],
    [0.99, 0.3, 33],
    [0.999, 100, 256.1],
    [1e-5, 0.1, 25.1],
  ] as const) {
    it(`agrees with a numeric integral: rate ${rate}, noise ${noise}, order ${order}`, () => {
      const expected = logMomentByIntegral(noise, rate, order);
      const actual = sampledGaussianRdp({ noise, rate }, order) * (order - 1);
      assert.ok(actual > 0 && Math.abs(actual - expected) <= 1e-9 * expected + 2e-13, `${actual} is not ${expected}`);
    });
  }

  it('has the published values', () => {
    const rdp = (order: number) => 50 * sampledGaussianRdp({ noise: 2.5, rate: 0.01 }, order);
    // For order 1.5 Google publishes 6.70579741e-4: it adds absolute values of an alternating series. The integral says this:
    near(rdp(1.5), 6.50070897188e-4, 1e-9);
    near(rdp(2.5), 1.0854871e-3, 1e-4);
    near(rdp(5), 2.18075656e-3, 1e-8);
    near(rdp(50), 2.38460375e-2, 1e-8);
    near(rdp(100), 1.67416308e2, 1e-8);
    assert.equal(rdp(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY);
    near(sampledGaussianRdp({ noise: Math.E, rate: 1 }, Math.PI), Math.PI / (2 * Math.E ** 2), 1e-15);
  });

  it('is 0 for nobody, infinite without noise, positive and rising with the order in between', () => {
    assert.equal(sampledGaussianRdp({ noise: 0, rate: 0 }, 2), 0);
    assert.equal(sampledGaussianRdp({ noise: 0, rate: 0.1 }, 2), Number.POSITIVE_INFINITY);
    for (const [noise, rate] of [
      [12, 0.4],
      [0.05, 1e-4],
      [0.001, 0.5],
      [50, 1e-7],
    ] as const) {
      let last = 0;
      for (const order of DEFAULT_ORDERS.filter((each) => each < 40)) {
        const rdp = sampledGaussianRdp({ noise, rate }, order);
        assert.ok(rdp > 0 && rdp >= last * (1 - 1e-12), `${noise} ${rate} ${order}: ${rdp} after ${last}`);
        last = rdp;
      }
    }
    for (const order of [1, 0, Number.NaN])
      assert.throws(() => sampledGaussianRdp({ noise: 1, rate: 0.1 }, order), PrivacyError);
  });
});

describe('from Renyi divergences', () => {
  it('come the published epsilons', () => {
    near(epsilon(1.5, 0.04, 2250, 1e-5).epsilon, 7.32911117143, 1e-8);
    assert.deepEqual([epsilon(1.3, 150 / 60_000, 6000, 1e-5).order, epsilon(1, 0.001, 30_000, 1e-7).order], [19, 13]);
    near(epsilon(1.3, 150 / 60_000, 6000, 1e-5).epsilon, 0.7242234026109595, 1e-8);
    near(epsilon(1, 0.001, 30_000, 1e-7).epsilon, 1.4154988495444842, 1e-8);
    near(epsilon(0.1, 1024e-8, 976_563, 1e-7, TENSORFLOW).epsilon, 5907982.3113978775, 1e-8);
    near(epsilon(0.7, 1, 2, 1e-5).epsilon, 10.8602036, 1e-8);
    near(epsilon(0.35, 1, 2, 1e-5).epsilon, 26.2880374, 1e-8);
    // Published as 3.2392676, with the series of absolute values.
    const { epsilon: signed } = epsilon(0.7, 0.01, 120, 1e-5);
    assert.ok(signed < 3.2392676 && signed > 3.2391, `${signed}`);
    const fine = Array.from({ length: 98_999 }, (_, n) => 1 + (n + 1) / 1000);
    near(epsilon(4.530877117, 1, 1, 1e-6, fine).epsilon, 1, 1e-7);
    near(rdpToEpsilon(new Map(Array.from({ length: 31 }, (_, n) => [n + 2, 1.1])), 1e-5).epsilon, 1.32783806176, 1e-10);
  });

  it('come deltas that belong to the epsilons', () => {
    const divergences = new Map(
      DEFAULT_ORDERS.map((order) => [order, 100 * sampledGaussianRdp({ noise: 1, rate: 0.1 }, order)]),
    );
    for (const delta of [1e-3, 1e-5, 1e-9])
      near(rdpToDelta(divergences, rdpToEpsilon(divergences, delta).epsilon), delta, 1e-9);
    assert.equal(rdpToEpsilon(divergences, 0).epsilon, Number.POSITIVE_INFINITY);
    assert.equal(rdpToEpsilon(new Map([[2, 1e-12]]), 1e-5).epsilon, 0);
    assert.ok(rdpToDelta(new Map([[2, 1e-12]]), 0) <= 1e-6);
  });
});
