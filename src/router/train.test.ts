import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { evaluate } from './evaluate.ts';
import { HashedFeatures } from './features.ts';
import { trainLocal } from './train.ts';
import type { Example } from './types.ts';
import { checkedWeights, emptyWeights, RouterWeightsError, rowOf, selectSkills } from './weights.ts';

const { id, dimension } = new HashedFeatures(1024);
const SKILLS = ['colors', 'numbers'];
const examples: Example[] = [
  { text: 'red and blue', skills: ['colors'] },
  { text: 'a green wall', skills: ['colors'] },
  { text: 'three plus four', skills: ['numbers'] },
  { text: 'seven times nine', skills: ['numbers'] },
  { text: 'three red and four blue walls', skills: ['colors', 'numbers'] },
  { text: 'good morning', skills: [] },
  { text: 'who is there', skills: [] },
];
const empty = (skills: readonly string[] = SKILLS) => emptyWeights(id, dimension, skills);

describe('trainLocal', () => {
  it('gives the same weights, to the bit, for the same input, and others for another seed', () => {
    const trained = trainLocal(empty(), examples, { seed: 3 });
    assert.deepEqual(trainLocal(empty(), examples, { seed: 3 }).values, trained.values);
    assert.notDeepEqual(trainLocal(empty(), examples, { seed: 4 }).values, trained.values);
  });

  it('learns what it is shown, and leaves what it is given as it was', () => {
    const before = empty();
    const trained = trainLocal(before, examples);
    assert.equal(evaluate(trained, examples, { threshold: 0.5 }).exact, 1);
    assert.ok(before.values.every((value) => value === 0));
  });

  it('trains each skill by itself: their order, and which others there are, changes nothing', () => {
    const trained = trainLocal(empty(), examples);
    for (const skills of [['numbers', 'colors'], ['colors'], ['colors', 'nothing', 'numbers']]) {
      const other = trainLocal(empty(skills), examples);
      for (const skill of skills) {
        if (SKILLS.includes(skill)) assert.deepEqual(rowOf(other, skill), rowOf(trained, skill), skills.join());
      }
    }
  });

  it('goes on from weights, and can leave those of other skills alone', () => {
    const first = trainLocal(empty(), examples.slice(0, 4));
    const more = trainLocal(first, examples.slice(4), { skills: ['numbers'] });
    assert.deepEqual(rowOf(more, 'colors'), rowOf(first, 'colors'));
    assert.notDeepEqual(rowOf(more, 'numbers'), rowOf(first, 'numbers'));
    assert.deepEqual(trainLocal(first, []).values, first.values);
  });

  it('learns nothing about skills of which nobody knows whether they are right', () => {
    const trained = trainLocal(empty(), [{ text: 'red', skills: ['colors'], wrong: [] }]);
    assert.ok(rowOf(trained, 'numbers')?.every((value) => value === 0));
    assert.ok(rowOf(trained, 'colors')?.some((value) => value !== 0));
    const unsure = trainLocal(empty(), [{ text: 'red', skills: [], wrong: ['numbers'] }]);
    assert.ok(rowOf(unsure, 'colors')?.every((value) => value === 0));
  });

  it('stays finite, whatever it is fed', () => {
    const odd = fc.record({
      text: fc.string({ unit: 'binary', maxLength: 40 }),
      skills: fc.subarray(SKILLS),
      weight: fc.double({ min: 0, max: 1000, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(odd, { maxLength: 20 }), (fed) => {
        assert.ok(trainLocal(empty(), fed, { epochs: 3, learningRate: 5 }).values.every(Number.isFinite));
      }),
      { numRuns: 30 },
    );
  });

  it('refuses weights of other features, and such as are no numbers', () => {
    assert.throws(() => trainLocal({ ...empty(), features: 'other/1024' }, examples), RouterWeightsError);
    const broken = empty();
    broken.values[7] = Number.NaN;
    assert.throws(() => trainLocal(broken, examples), /number 7 is NaN/);
    for (const wrong of [
      { ...empty(), skills: ['a'] },
      { ...empty(), skills: ['a', 'a'] },
      { ...empty(), dimension: 0 },
      { ...empty(), values: new Float32Array(3) },
    ]) {
      assert.throws(() => checkedWeights(wrong), RouterWeightsError);
      assert.throws(() => evaluate(wrong, examples), RouterWeightsError);
    }
  });
});

describe('selectSkills', () => {
  it('gives the rows that are asked for, zeros for others', () => {
    const trained = trainLocal(empty(), examples);
    const selected = selectSkills(trained, ['numbers', 'new']);
    assert.deepEqual(rowOf(selected, 'numbers'), rowOf(trained, 'numbers'));
    assert.ok(rowOf(selected, 'new')?.every((value) => value === 0));
  });
});

describe('evaluate', () => {
  it('counts as it says', () => {
    const weights = trainLocal(empty(), examples);
    const quality = evaluate(
      weights,
      [
        { text: 'red and blue', skills: ['colors'] },
        { text: 'good morning', skills: ['colors'] },
        { text: 'three plus four', skills: [], wrong: ['colors'] },
      ],
      { threshold: 0.5 },
    );
    assert.equal(quality.examples, 3);
    assert.equal(quality.exact, 2 / 3);
    const { requests, accuracy, precision, recall } = quality.skills.colors ?? assert.fail();
    assert.deepEqual([requests, accuracy, precision, recall], [2, 2 / 3, 1, 0.5]);
    // The last one says nothing about numbers.
    assert.equal(quality.skills.numbers?.requests, 0);
    assert.ok(quality.brier > 0 && quality.brier < 1 && quality.ece >= 0 && quality.ece <= 1);
  });
});
