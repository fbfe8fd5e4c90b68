import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readCatalog } from '../manifest/index.ts';
import { heldOutCorpus, trainingCorpus } from './corpus.ts';
import { foldText, HashedFeatures } from './features.ts';
import { similarityTo } from './weights.ts';

const SKILLS = join(import.meta.dirname, '../../skills');
/** More than this (cosine), and a request is another one's copy. */
const COPY = 0.8;

const held = heldOutCorpus();
const trained = trainingCorpus();
const manifests = [...readCatalog([SKILLS]).skills.values()];

describe('the corpus', () => {
  it('is always the same, with no place left to fill', () => {
    assert.deepEqual(trainingCorpus(), trained);
    for (const { text, language } of [...trained, ...held])
      if (language) assert.doesNotMatch(text, /[|]|\b(TABLE|FIELD|PERSON|PLACE|WHO|FILE|TOPIC|WORLD|ABOUTME)\b/);
  });

  it('has requests for every skill that comes with Phoenix and for none, in both languages', () => {
    for (const part of [trained, held]) {
      for (const language of ['es', 'en'] as const) {
        const count = (skill?: string) =>
          part.filter(
            (each) => each.language === language && (skill ? each.skills.includes(skill) : each.skills.length === 0),
          ).length;
        for (const skill of ['sql', 'draft', 'patch-sandbox']) assert.ok(count(skill) >= 25, `${skill} ${language}`);
        assert.ok(count() >= 30, `none ${language}`);
        assert.ok(part.some((each) => each.language === language && each.skills.length > 1));
      }
    }
    for (const { name, examples } of manifests)
      for (const language of ['es', 'en'])
        assert.ok(examples.filter((each) => each.language === language).length >= 10, `${name} ${language}`);
  });

  it('judges by no request that it trains with, nor by a copy of one', () => {
    const features = new HashedFeatures();
    const own = manifests.flatMap(({ examples }) => examples);
    const known = [...trained, ...own].map(({ text }) => ({ text, vector: features.featurize(text) }));
    const folded = new Set(known.map(({ text }) => foldText(text)));
    for (const { text } of held) {
      assert.ok(!folded.has(foldText(text)), text);
      const similarity = similarityTo(features.featurize(text), features.dimension);
      for (const other of known) assert.ok(similarity(other.vector) < COPY, `${text} | ${other.text}`);
    }
  });
});
