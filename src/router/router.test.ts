import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { readCatalog } from '../manifest/index.ts';
import { heldOutCorpus, trainingCorpus } from './corpus.ts';
import { evaluate } from './evaluate.ts';
import { HashedFeatures } from './features.ts';
import { Router } from './router.ts';
import { type RoutedSkill, trainModel } from './training.ts';
import type { Example } from './types.ts';
import { encodeModel, type RouterModel } from './weights-file.ts';

const featurizer = new HashedFeatures();
const shipped = [...readCatalog([join(import.meta.dirname, '../../skills')]).skills.values()];
/** The skills of Phoenix; of one that is not there its examples are in the corpus alone. */
const SKILLS: RoutedSkill[] = ['draft', 'patch-sandbox', 'sql'].map((name) => ({
  name,
  examples: shipped.find((each) => each.name === name)?.examples ?? [{ text: 'try this patch' }],
}));
const LIGHTS: RoutedSkill = {
  name: 'lights',
  examples: [
    { text: 'turn on the kitchen lights' },
    { text: 'switch the lamp off' },
    { text: 'enciende la luz del salón' },
    { text: 'apaga las luces' },
  ],
};
const train = (skills: readonly RoutedSkill[]) => trainModel({ featurizer, skills, corpus: trainingCorpus() }, 'test');
const namesOf = (scores: readonly { skill: string }[]) => scores.map(({ skill }) => skill);

describe('Router', () => {
  let model: RouterModel;
  let router: Router;
  const chosenFor = async (text: string) => namesOf((await router.decide(text)).chosen);

  before(async () => {
    model = await train(SKILLS);
    router = new Router(featurizer, model);
  });

  it('routes requests that it has not seen, in both languages', () => {
    // What docs/router.md says, with room for other words in the manifests.
    const floors = { draft: 0.85, 'patch-sandbox': 0.85, sql: 0.8 };
    for (const language of ['es', 'en']) {
      const examples = heldOutCorpus().filter((each) => each.language === language);
      const { exact, ece, skills } = evaluate(model.weights, examples, { calibration: model.calibration });
      assert.ok(exact >= 0.75, `${language}: exactly right ${exact}`);
      assert.ok(ece <= 0.08, `${language}: ECE ${ece}`);
      for (const [skill, floor] of Object.entries(floors))
        assert.ok((skills[skill]?.f1 ?? 0) >= floor, `${language} ${skill}: F1 ${skills[skill]?.f1}`);
    }
  });

  it('is the same however often it is trained, and in whatever order its skills come', async () => {
    for (const skills of [SKILLS, SKILLS.toReversed()])
      assert.ok(encodeModel(await train(skills)).equals(encodeModel(model)));
  });

  it('scores each skill by itself: another one that is installed takes nothing from it', async () => {
    const more = new Router(featurizer, await train([...SKILLS, LIGHTS]));
    for (const text of [
      '¿cuántas filas tiene la tabla clientes?',
      'write a poem about rain and query the users table',
    ]) {
      const sum = (await router.decide(text)).scores.reduce((total, { score }) => total + score, 0);
      const scores = Object.fromEntries((await more.decide(text)).scores.map(({ skill, score }) => [skill, score]));
      assert.ok(Math.abs(sum - 1) > 1e-6, 'it is no softmax');
      for (const { skill, score } of (await router.decide(text)).scores)
        assert.ok(Math.abs((scores[skill] ?? 0) - score) < 0.15, `${skill}: ${score} and ${scores[skill]}`);
    }
  });

  it('sends a request to several skills, or to none', async () => {
    assert.deepEqual(
      new Set(await chosenFor('consulta la tabla de ventas y redacta un informe para mi jefa')),
      new Set(['sql', 'draft']),
    );
    for (const text of ['hola', 'thanks a lot', '¿qué hora es?', 'turn on the lights'])
      assert.deepEqual(await chosenFor(text), []);
  });

  it('knows a request in spite of typos, without accents, in capitals', async () => {
    const cases: [string, string][] = [
      ['eskribe un poema sovre el mar', 'draft'],
      ['WRIET A STROY ABOUT DRAGONS', 'draft'],
      ['cuantas filas ahi en la tavla clientes', 'sql'],
      ['DONDE VIVE MI HERMANA', 'sql'],
      ['aplica el parhce y ejecuta las pruevas', 'patch-sandbox'],
      ['tets this ptach in the sandbx', 'patch-sandbox'],
    ];
    for (const [text, skill] of cases) assert.ok((await chosenFor(text)).includes(skill), text);
  });

  it('learns a skill of somebody else from a few examples', async () => {
    const more = new Router(featurizer, await train([...SKILLS, LIGHTS]));
    for (const text of ['turn the kitchen lights on', 'apaga la luz del salón', 'switch off the lights'])
      assert.equal((await more.decide(text)).chosen[0]?.skill, 'lights', text);
    for (const text of ['write a poem about the sea', 'where does my sister live?'])
      assert.ok(!namesOf((await more.decide(text)).chosen).includes('lights'), text);
  });

  it('finds nothing in what is no request', async () => {
    for (const text of [
      '',
      '   \n\t ',
      '😀😀😀',
      '🎉 🎉',
      '你好，世界',
      'Привет, как дела',
      'مرحبا كيف حالك',
      'x'.repeat(1_000_000),
      '\u0000\ud800',
    ])
      assert.deepEqual(await chosenFor(text), [], text.slice(0, 20));
    const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ maxLength: 5000 }));
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const { scores, chosen } = await router.decide(text);
        assert.deepEqual(namesOf(scores).toSorted(), namesOf(SKILLS.map(({ name }) => ({ skill: name }))));
        assert.ok(scores.every(({ score }) => score >= 0 && score <= 1));
        assert.ok(scores.every(({ score }, n) => n === 0 || score <= (scores[n - 1]?.score ?? 1)));
        assert.deepEqual(chosen, scores.filter(({ score }) => score >= 0.3).slice(0, 3));
      }),
    );
  });

  it('finds the request at either end of a long text', async () => {
    const log = 'at Object.run (/srv/app/main.js:12:5) '.repeat(3000);
    assert.ok(
      (await chosenFor(`aplica este parche en el sandbox y ejecuta los tests\n${log}`)).includes('patch-sandbox'),
    );
    assert.ok(
      (await chosenFor(`${log}\naplica este parche en el sandbox y ejecuta los tests`)).includes('patch-sandbox'),
    );
  });

  it('explains a score by pieces of the text that add up to it', async () => {
    for (const text of [
      '¿Qué tablas hay en la base de datos?',
      'write a poem',
      '',
      'apply fix.diff and run 12 tests',
    ]) {
      const { skills, threshold } = await router.explain(text, 10_000);
      const { scores, chosen } = await router.decide(text);
      for (const { skill, score, logit, bias, features, chosen: isChosen } of skills) {
        assert.ok(Math.abs(score - (scores.find((each) => each.skill === skill)?.score ?? -1)) < 1e-9);
        assert.equal(
          isChosen,
          chosen.some((each) => each.skill === skill),
        );
        assert.ok(isChosen === score >= threshold);
        const sum = features.reduce((total, { contribution }) => total + contribution, bias);
        assert.ok(Math.abs(sum - logit) < 1e-6);
        if (text !== '') assert.ok(Math.abs(1 / (1 + Math.exp(-logit)) - score) < 1e-4, `${skill}: ${text}`);
      }
    }
    const [sql] = (await router.explain('¿Qué tablas hay en la base de datos?', 8)).skills;
    assert.equal(sql?.skill, 'sql');
    assert.equal(sql.features.length, 8);
    assert.ok(sql.features.some(({ feature, contribution }) => feature === 'base' && contribution > 0));
  });

  it('chooses as many as it may, and of nearly equal ones those that are ready', async () => {
    const one = new Router(featurizer, model, { topK: 1, threshold: 0 });
    const vector = featurizer.featurize('consulta la tabla de ventas y redacta un informe para mi jefa');
    const [first, second] = one.decideOn(vector).scores;
    assert.ok(first && second);
    assert.deepEqual(namesOf(one.decideOn(vector).chosen), [first.skill]);
    const isNear = first.score - second.score < 0.05;
    assert.deepEqual(namesOf(one.decideOn(vector, (skill) => skill === second.skill).chosen), [
      isNear ? second.skill : first.skill,
    ]);
    const sure = featurizer.featurize('write a poem about the sea');
    assert.deepEqual(namesOf(one.decideOn(sure, (skill) => skill !== 'draft').chosen), ['draft']);
  });

  it('takes other weights between two decisions, and none that do not fit', async () => {
    const hot = new Router(featurizer, model);
    const lights = await train([...SKILLS, LIGHTS]);
    hot.swap(lights);
    assert.deepEqual(namesOf((await hot.decide('enciende la luz')).chosen), ['lights']);
    const other = { ...model, weights: { ...model.weights, features: 'other' } };
    assert.throws(() => hot.swap(other), { name: 'RouterWeightsError' });
    assert.deepEqual(namesOf((await hot.decide('enciende la luz')).chosen), ['lights']);
  });

  it('learns from what users say', async () => {
    const feedback: Example[] = [
      { text: 'pásame el parte del viernes', skills: ['sql'], weight: 3 },
      { text: 'el parte del lunes, por favor', skills: ['sql'], weight: 3 },
    ];
    const told = await trainModel({ featurizer, skills: SKILLS, corpus: trainingCorpus(), feedback }, 'test');
    const score = async (each: RouterModel) =>
      (await new Router(featurizer, each).decide('pásame el parte del martes')).scores.find(
        ({ skill }) => skill === 'sql',
      )?.score ?? 0;
    assert.ok((await score(told)) > (await score(model)) + 0.3, `${await score(model)} -> ${await score(told)}`);
  });
});
