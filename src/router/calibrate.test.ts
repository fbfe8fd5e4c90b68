import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { randomNumbers } from '../random.ts';
import { fitCalibration, type Outcome, UNCALIBRATED } from './calibrate.ts';
import { sigmoid } from './weights.ts';

/** Scores whose truth is drawn with the probability that a slope and an offset give. */
function drawn(slope: number, offset: number, count: number): Outcome[] {
  const random = randomNumbers(5);
  return Array.from({ length: count }, () => {
    const score = (random() - 0.5) * 8;
    return { score, truth: random() < sigmoid(slope * score + offset) ? 1 : 0 };
  });
}

describe('fitCalibration', () => {
  it('finds the slope and the offset that the truth was drawn with', () => {
    for (const [slope, offset] of [
      [1, 0],
      [0.5, 1],
      [2, -1],
    ] as const) {
      const fit = fitCalibration(drawn(slope, offset, 20_000));
      assert.ok(Math.abs(fit.slope - slope) < 0.1 && Math.abs(fit.offset - offset) < 0.1, JSON.stringify(fit));
    }
  });

  it('keeps scores that separate all requests from becoming certain', () => {
    const separate: Outcome[] = [-3, -2, -1].flatMap((score) => [
      { score, truth: 0 as const },
      { score: -score, truth: 1 as const },
    ]);
    const { slope, offset } = fitCalibration(separate);
    // With three requests of a kind none is surer than 4 of 5: Platt's targets.
    assert.ok(sigmoid(slope * 2 + offset) > 0.7 && sigmoid(slope * 3 + offset) < 0.97);
  });

  it('leaves scores as they are where it cannot tell, and never turns their order round', () => {
    assert.equal(fitCalibration([]), UNCALIBRATED);
    assert.equal(fitCalibration([{ score: 1, truth: 1 }]), UNCALIBRATED);
    assert.equal(fitCalibration(drawn(-1, 0, 500)), UNCALIBRATED);
    const outcome = fc.record({
      score: fc.double({ min: -50, max: 50, noNaN: true }),
      truth: fc.constantFrom(0 as const, 1 as const),
    });
    fc.assert(
      fc.property(fc.array(outcome, { maxLength: 40 }), (outcomes) => {
        const { slope, offset } = fitCalibration(outcomes);
        assert.ok(slope > 0 && Number.isFinite(slope) && Number.isFinite(offset), `${slope} ${offset}`);
      }),
    );
  });
});
