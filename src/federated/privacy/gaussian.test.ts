import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { gaussianDelta, gaussianEpsilon, gaussianNoise, treeMu } from './gaussian.ts';
import { logNormalCdf, millsRatio, normalCdf, normalTail } from './normal.ts';

/** Integral of the density above x by the trapezoidal rule, which for this function has no error but rounding. */
function tailByIntegral(x: number): number {
  const step = 1 / 64;
  let sum = 0.5;
  for (let n = 1; n * step < 40; n++) sum += Math.exp(-0.5 * (n * step) ** 2 - x * n * step);
  // Euler-Maclaurin: what the end at x adds.
  const corrected = sum * step + (step ** 2 / 12) * x * -1 + (step ** 4 / 720) * (x ** 3 - 3 * x) * 1;
  return corrected * Math.exp(-0.5 * x * x) * Math.sqrt(1 / (2 * Math.PI));
}

describe('the normal distribution', () => {
  // Phi(-x) by mpmath with 40 digits.
  const known: [x: number, tail: number][] = [
    [0, 0.5],
    [0.5, 0.3085375387259869],
    [1, 0.15865525393145705],
    [3, 0.0013498980316300946],
    [8, 6.220960574271784e-16],
    [20, 2.7536241186062337e-89],
    [37, 5.725571222524577e-300],
  ];
  for (const [x, tail] of known) {
    it(`is exact to 14 digits at ${x}`, () => {
      assert.ok(Math.abs(normalTail(x) / tail - 1) < 1e-14, `${normalTail(x)}`);
      assert.ok(Math.abs(normalCdf(-x) / tail - 1) < 1e-14);
      assert.ok(Math.abs(logNormalCdf(-x) - Math.log(tail)) < 1e-12);
    });
  }

  it('agrees with a numeric integral', () => {
    for (let x = 0; x < 6; x += 0.37) assert.ok(Math.abs(normalTail(x) / tailByIntegral(x) - 1) < 1e-9, `${x}`);
  });

  it("has a Mills' ratio that falls like 1/x", () => {
    assert.equal(millsRatio(0), Math.sqrt(Math.PI / 2));
    assert.ok(Math.abs(millsRatio(1e8) * 1e8 - 1) < 1e-14);
  });
});

describe('the Gaussian mechanism', () => {
  it('has the published deltas', () => {
    // Google's differential-privacy, privacy_loss_mechanism_test.py.
    for (const [mu, epsilon, delta] of [
      [1, 1, 0.12693674],
      [3, 1, 0.78760074],
      [1, 2, 0.02092364],
    ] as const)
      assert.ok(Math.abs(gaussianDelta(mu, epsilon) - delta) < 5e-9);
  });

  it('has the epsilons of zero-concentrated privacy', () => {
    for (const [rho, epsilon] of [
      [0.2, 2.594],
      [0.5, 4.377],
      [1, 6.573],
      [2, 9.997],
    ] as const)
      assert.ok(Math.abs(gaussianEpsilon(Math.sqrt(2 * rho), 1e-5) - epsilon) < 5e-4);
  });

  it('has delta, epsilon and noise that belong together, each rounded up', () => {
    fc.assert(
      fc.property(
        fc.double({ min: Math.log(1e-4), max: Math.log(1e4), noNaN: true }),
        fc.double({ min: -600, max: -1e-3, noNaN: true }),
        (logMu, logDelta) => {
          const [mu, delta] = [Math.exp(logMu), Math.exp(logDelta)];
          const epsilon = gaussianEpsilon(mu, delta);
          assert.ok(gaussianDelta(mu, epsilon) <= delta);
          if (epsilon === 0) return;
          const less = epsilon - 1e-9 * (epsilon + mu);
          assert.ok(less < 0 || gaussianDelta(mu, less) >= delta * (1 - 1e-6), `${less} is enough, too`);
          const noise = gaussianNoise(epsilon, delta);
          assert.ok(gaussianDelta(1 / noise, epsilon) <= delta);
          assert.ok(noise * mu < 1 + 1e-9, `${noise} is more than ${1 / mu}`);
        },
      ),
    );
  });

  it('has ends', () => {
    assert.equal(gaussianEpsilon(1, 0), Number.POSITIVE_INFINITY);
    assert.equal(gaussianEpsilon(1, 1), 0);
    assert.equal(gaussianEpsilon(0, 0), 0);
    assert.equal(gaussianEpsilon(Number.POSITIVE_INFINITY, 0.5), Number.POSITIVE_INFINITY);
    assert.equal(gaussianDelta(1, Number.POSITIVE_INFINITY), 0);
    assert.ok(gaussianEpsilon(1, 1e-300) < 40);
    assert.throws(() => gaussianNoise(1, 0), { name: 'PrivacyError', message: /no noise is enough for a delta of 0/ });
  });

  it('is a tree of noise for all prefix sums', () => {
    // 11 levels for 1600 rounds.
    assert.equal(treeMu(2, 1600, 1), Math.sqrt(11) / 2);
    assert.equal(treeMu(1, 1, 1), 1);
    // In both of two rounds: one part in each leaf, two in their parent.
    assert.equal(treeMu(1, 2, 2), Math.sqrt(2 + 4));
  });
});
