import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { trainingCorpus } from './corpus.ts';
import { EmbeddingFeatures } from './embedding-features.ts';
import { RouterService, type RouterServiceOptions } from './service.ts';
import { trainLocal } from './train.ts';

const SKILLS = [
  { name: 'draft', examples: [{ text: 'write a poem' }] },
  { name: 'sql', examples: [{ text: 'list the tables' }] },
  { name: 'mute', examples: [] },
];
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-router-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const open = (more: Partial<RouterServiceOptions> = {}) => new RouterService({ folder, skills: SKILLS, ...more });
const isSame = (a: Float32Array, b: Float32Array) => Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
const chosenBy = async (service: RouterService, text: string) =>
  (await service.decide(text)).chosen.map(({ skill }) => skill);

describe('RouterService', () => {
  it('trains once, keeps the model, and trains again only for another input', async () => {
    {
      await using service = open();
      assert.deepEqual(await chosenBy(service, 'write a story about the sea'), ['draft']);
      assert.deepEqual(service.skillNames, ['draft', 'sql'], 'a skill without examples is never chosen');
      assert.equal((await service.train()).isNew, false);
    }
    const written = statSync(join(folder, 'model.bin')).mtimeMs;
    {
      await using service = open();
      assert.equal((await service.train()).isNew, false);
      assert.deepEqual(await chosenBy(service, 'write a story about the sea'), ['draft']);
    }
    assert.equal(statSync(join(folder, 'model.bin')).mtimeMs, written);
    const skills = [...SKILLS, { name: 'lights', examples: [{ text: 'turn on the lights' }] }];
    await using service = open({ skills });
    assert.equal((await service.train()).isNew, true);
    assert.ok((await service.decide('turn on the lights')).scores.some(({ skill }) => skill === 'lights'));
  });

  it('is trained anew, and says so, when its file is damaged', async () => {
    {
      await using service = open();
      await service.train();
    }
    const whole = readFileSync(join(folder, 'model.bin'));
    writeFileSync(join(folder, 'model.bin'), whole.subarray(0, 5000));
    const failures: string[] = [];
    await using service = open({ observer: { failed: ({ message }) => failures.push(message) } });
    assert.equal((await service.train()).isNew, true);
    assert.match(failures.join(), /damaged/);
    assert.ok(readFileSync(join(folder, 'model.bin')).equals(whole));
  });

  it('answers while it is trained, by the model before', async () => {
    await using service = open();
    const scoreOf = async (text: string) =>
      (await service.decide(text)).scores.find(({ skill }) => skill === 'sql')?.score ?? 0;
    const first = await scoreOf('zork');
    service.feedback.add({ signal: 'user', text: 'zork', skills: ['sql'], wrong: null, weight: 3 });
    const training = service.train();
    assert.deepEqual(await chosenBy(service, 'write a story about the sea'), ['draft']);
    const { isNew, feedback } = await training;
    assert.deepEqual([isNew, feedback], [true, 1]);
    assert.ok((await scoreOf('zork')) > first + 0.2, `${first}`);
    // What is deleted is unlearned.
    service.feedback.clear();
    await service.train();
    assert.equal(await scoreOf('zork'), first);
  });

  it('learns nothing where that is switched off', async () => {
    await using service = open({ learns: false });
    service.feedback.add({ signal: 'user', text: 'zork', skills: ['sql'], wrong: null, weight: 3 });
    assert.equal((await service.train()).feedback, 0);
    assert.deepEqual(service.localExamples(), []);
  });

  it('does not learn what would make it worse for everything else', async () => {
    const rejected: number[] = [];
    await using service = open({ observer: { rejected: (before, after) => rejected.push(before, after) } });
    await service.train();
    const before = await service.weights();
    // Somebody says of every request that the wrong skill is right.
    for (const { text, skills } of trainingCorpus().filter(({ language }) => language === 'es')) {
      const wrong = skills.includes('sql') ? 'draft' : 'sql';
      service.feedback.add({ signal: 'user', text, skills: [wrong], wrong: null, weight: 10 });
    }
    assert.equal((await service.train()).isNew, false);
    assert.ok((rejected[1] ?? 1) < (rejected[0] ?? 0) - 0.05);
    assert.equal(await service.weights(), before);
  });

  it('takes weights from elsewhere, keeps them over a restart, learns on top, and gives them up', async () => {
    const text = 'zork the frobnicator';
    let own: Float32Array;
    {
      await using service = open();
      const weights = await service.weights();
      own = weights.values;
      const example = { text, skills: ['draft'], weight: 5 };
      const other = trainLocal(weights, Array(20).fill(example));
      await service.setWeights(other);
      assert.ok(isSame((await service.weights()).values, other.values));
      assert.deepEqual(await chosenBy(service, text), ['draft']);
      await assert.rejects(service.setWeights({ ...other, features: 'other' }), { name: 'RouterWeightsError' });
    }
    await using service = open();
    assert.deepEqual(await chosenBy(service, text), ['draft']);
    service.feedback.add({ signal: 'user', text: 'blorb', skills: ['sql'], wrong: null, weight: 3 });
    await service.train();
    assert.deepEqual(await chosenBy(service, text), ['draft']);
    assert.deepEqual(await chosenBy(service, 'blorb'), ['sql']);
    service.feedback.clear();
    await service.setWeights(undefined);
    assert.ok(isSame((await service.weights()).values, own));
  });

  it('decides by words and letters until a model has given its vectors, and without them when there are none', async () => {
    const { promise: loaded, resolve } = Promise.withResolvers<void>();
    const embed = async (text: string) => [text.length % 3, 1, /poem|story/.test(text) ? 5 : -5];
    await using service = open({
      richer: async () => {
        await loaded;
        return new EmbeddingFeatures({ name: 'toy', size: 3, embed });
      },
    });
    assert.deepEqual(await chosenBy(service, 'write a story about the sea'), ['draft']);
    assert.equal((await service.weights()).features, 'ngrams-1/8192');
    resolve();
    await service.train();
    assert.equal((await service.weights()).features, 'ngrams-1/8192+toy/3');
    assert.deepEqual(await chosenBy(service, 'write a story about the sea'), ['draft']);
    const { skills } = await service.explain('write a story', 1000);
    assert.ok(skills[0]?.features.some(({ feature }) => feature === '(meaning)'));

    const failures: string[] = [];
    await using alone = open({
      richer: () => Promise.reject(new Error('no model')),
      observer: { failed: ({ message }) => failures.push(message) },
    });
    await alone.train();
    assert.deepEqual(await chosenBy(alone, 'write a story about the sea'), ['draft']);
    assert.deepEqual(failures, ['no model']);
  });
});
