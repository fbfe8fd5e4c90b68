import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discretize } from './discretize.ts';
import { type Direction, lossModel, sampledGaussianDelta } from './sampled-gaussian.ts';

describe('one release', () => {
  // Google's differential-privacy, privacy_loss_mechanism_test.py.
  const published: [deviation: number, sensitivity: number, rate: number, Direction, epsilon: number, delta: number][] =
    [
      [1, 1, 1, 'add', 1, 0.12693674],
      [1, 3, 1, 'add', 1, 0.78760074],
      [1, 1, 1, 'add', 2, 0.02092364],
      [1, 1, 0.8, 'add', 1, 0.0231362104090899],
      [1, 3, 0.7, 'add', 1, 0.1195051215523554],
      [2, 6, 0.4, 'add', 1, 0],
      [1, 1, 0.8, 'remove', 1, 0.0816951786585355],
      [1, 3, 0.7, 'remove', 1, 0.5356298793262404],
      [2, 6, 0.4, 'remove', 1, 0.2888308005139968],
      [1, 1, 0.3, 'remove', 2, 0.0003341102928869332],
      [5, 5, 0.2, 'remove', -0.25, 0.2211992169285951],
      [2, 1, 0.8, 'replace', 1, 0.05808665654484252],
    ];
  for (const [deviation, sensitivity, rate, direction, epsilon, delta] of published) {
    it(`has the published delta: ${[deviation, sensitivity, rate, direction, epsilon]}`, () => {
      const actual = sampledGaussianDelta({ deviation, sensitivity, rate, direction }, epsilon);
      assert.ok(Math.abs(actual - delta) < (delta.toString().length < 12 ? 5e-9 : 1e-15), `${actual}`);
    });
  }

  for (const direction of ['remove', 'add', 'replace'] as const) {
    for (const [noise, rate] of [
      [1, 0.1],
      [0.3, 0.7],
      [4, 0.999],
      [0.7, 1],
      [2, 1e-4],
    ] as const) {
      it(`to ${direction} has a loss with an inverse: noise ${noise}, rate ${rate}`, () => {
        const { lossAt, whereLossIs } = lossModel(direction, noise, rate);
        for (let x = -4 * noise; x < 1 + 8 * noise; x += noise / 3) {
          const loss = lossAt(x);
          assert.ok(Math.abs(lossAt(whereLossIs(loss)) - loss) < 1e-13 * (1 + Math.abs(loss)), `${x}: ${loss}`);
        }
      });

      it(`to ${direction} keeps its mass and its divergence on a grid: noise ${noise}, rate ${rate}`, () => {
        const { step, first, probabilities, infinite } = discretize(direction, { noise, rate }, 0.01, -60);
        const total = probabilities.reduce((sum, p) => sum + p, infinite);
        assert.ok(Math.abs(total - 1) < 1e-12, `${total}`);
        const onGrid = (epsilon: number) =>
          probabilities.reduce(
            (sum, p, i) => sum + p * Math.max(0, -Math.expm1(epsilon - (first + i) * step)),
            infinite,
          );
        for (const epsilon of [0, 0.5, 1, 2]) {
          const delta = sampledGaussianDelta({ direction, deviation: noise, sensitivity: 1, rate }, epsilon);
          assert.ok(Math.abs(onGrid(epsilon) - delta) < 1e-12, `${epsilon}: ${onGrid(epsilon)} is not ${delta}`);
          const between = sampledGaussianDelta(
            { direction, deviation: noise, sensitivity: 1, rate },
            epsilon + step / 2,
          );
          assert.ok(onGrid(epsilon + step / 2) >= between - 1e-15);
        }
      });
    }
  }
});
