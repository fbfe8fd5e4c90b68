import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { randomNumbers } from '../random.ts';
import { type Example, HashedFeatures, type RouterWeights, trainingCorpus } from '../router/index.ts';
import { FederatedRouter, routerSpec } from './router-model.ts';
import { Subspace } from './subspace.ts';

const SKILLS = [
  { name: 'sql', examples: [{ text: 'how many rows does the orders table have?' }, { text: 'SELECT 1' }] },
  { name: 'recipes', examples: [{ text: 'how do I cook rice?' }, { text: 'a recipe for bread' }] },
];
const features = new HashedFeatures();

describe('a subspace', () => {
  const texts = trainingCorpus()
    .filter((_, n) => n % 10 === 0)
    .map(({ text }) => features.featurize(text));
  const subspace = new Subspace(texts, features.dimension, 16);

  it('gives weights that score a text as the directions do', () => {
    const random = randomNumbers(5);
    const vector = Float64Array.from({ length: 16 }, () => random() - 0.5);
    const weights = subspace.expand(vector);
    for (const text of [...texts.slice(0, 5), features.featurize('quite another text, ¿no?')]) {
      const inDirections = subspace.project(text).reduce((sum, value, n) => sum + value * (vector[n] ?? 0), 0);
      let inFeatures = 0;
      for (let i = 0; i < text.indices.length; i++)
        inFeatures += (weights[text.indices[i] ?? 0] ?? 0) * (text.values[i] ?? 0);
      assert.ok(Math.abs(inFeatures - inDirections) < 1e-9, `${inFeatures} ${inDirections}`);
    }
  });

  it('is centred, and varies in each direction as much', () => {
    const projected = texts.map((text) => subspace.project(text));
    for (let n = 0; n < 16; n++) {
      const mean = projected.reduce((sum, text) => sum + (text[n] ?? 0), 0) / projected.length;
      const variance = projected.reduce((sum, text) => sum + (text[n] ?? 0) ** 2, 0) / projected.length;
      assert.ok(Math.abs(mean) < 1e-9 && Math.abs(variance - 1 / 16) < 1e-9, `${mean} ${variance}`);
    }
  });

  it('is the same, to the bit, whenever it is made', () => {
    const again = new Subspace(texts, features.dimension, 16);
    for (const text of texts.slice(0, 3)) assert.deepEqual(again.project(text), subspace.project(text));
  });
});

describe('the federated router', () => {
  let own: Example[] = [];
  let used: RouterWeights | undefined;
  let model: FederatedRouter;
  const home = {
    examples: async () => own,
    use: async (weights: RouterWeights | undefined) => {
      used = weights;
    },
  };
  before(async () => {
    model = await FederatedRouter.open(SKILLS, home);
  });

  it('learns from what is private, and has nothing to learn without', async () => {
    const zero = new Float64Array(model.spec.dimension);
    own = [];
    assert.equal(await model.train(zero), undefined);
    own = ['bake a cake', 'how long do I boil an egg?', 'what can I cook with leeks?'].map((text) => ({
      text,
      skills: ['recipes'],
    }));
    const trained = await model.train(zero);
    assert.ok(trained && (await model.evaluate(trained)) < (await model.evaluate(zero)));
    assert.ok(trained.every(Number.isFinite));
  });

  it('is installed as weights of the router, and taken out again', async () => {
    const parameters = Float64Array.from({ length: model.spec.dimension }, (_, n) => (n === 3 ? 1 : 0));
    await model.install(parameters);
    assert.deepEqual(used?.skills, ['recipes', 'sql']);
    assert.notDeepEqual(used, model.weightsOf(new Float64Array(model.spec.dimension)));
    // Nothing was said about the other skill.
    const rows = [used, model.weightsOf(new Float64Array(model.spec.dimension))].map((weights) =>
      weights?.values.subarray(weights.dimension),
    );
    assert.deepEqual(rows[0], rows[1]);
    await model.install(undefined);
    assert.equal(used, undefined);
  });

  it('is the same for the same skills, whatever is private, and another for others', async () => {
    own = [{ text: 'mine alone', skills: ['sql'] }];
    const again = await FederatedRouter.open(SKILLS, home);
    assert.deepEqual(again.spec, model.spec);
    assert.deepEqual(await routerSpec(SKILLS), model.spec);
    assert.notDeepEqual(await routerSpec(SKILLS.slice(0, 1)), model.spec);
  });
});
