import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { EntityMemory, fold, MemoryInputError } from './index.ts';

let folder: string;
let memory: EntityMemory;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-search-'));
  memory = new EntityMemory({ path: join(folder, 'memory.db') });
});
afterEach(async () => {
  await memory.close();
  rmSync(folder, { recursive: true });
});

const found = async (text: string, limit?: number) =>
  (await memory.recall({ text, limit })).triples.map(({ subject, verb, object }) => `${subject} ${verb} ${object}`);

describe('EntityMemory: search', () => {
  it('finds what contains a text anywhere, and nothing else, best first', async () => {
    const word = fc.constantFrom('Ana', 'Málaga', 'vive_en', 'madre', 'ÑANDÚ', '100%', "o'_x");
    // Verbs that may have several objects at a time: all that is stored is true now.
    const verb = fc.constantFrom('habla', 'conoce_a', 'MÁLAGA', '100%');
    const fact = fc.record({ subject: word, verb, object: word, confidence: fc.constantFrom(0.2, 0.5, 0.9) });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fact, { maxLength: 12, selector: (each) => [each.subject, each.verb, each.object].join('|') }),
        fc.constantFrom('a', 'MÁLA', 'vive en', '%', '_', 'ñ', "'", 'zz'),
        async (facts, text) => {
          await memory.forget({}, { everything: true });
          if (facts.length > 0) await memory.storeMany(facts);
          const { triples } = await memory.recall({ text });
          const key = (parts: { subject: string; verb: string; object: string }) =>
            [parts.subject, parts.verb, parts.object].map(fold).join('|');
          const expected = facts.filter((each) =>
            [each.subject, each.verb, each.object].some((part) => fold(part).includes(fold(text))),
          );
          assert.deepEqual(triples.map(key).sort(), [...new Set(expected.map(key))].sort());
          assert.deepEqual(
            triples.map(({ confidence }) => confidence),
            triples.map(({ confidence }) => confidence).toSorted((a, b) => b - a),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('finds only what is true now, up to the limit', async () => {
    await memory.storeSvo('Ana', 'vive_en', 'Lugo', { at: 1000 });
    await memory.storeSvo('Ana', 'vive_en', 'Roma', { at: 2000 });
    await memory.storeSvo('Ana', 'habla', 'gallego', { at: 1500 });
    assert.deepEqual(await found('ana'), ['Ana vive_en Roma', 'Ana habla gallego']);
    assert.deepEqual(await found('lugo'), []);
    assert.equal((await found('ana', 1)).length, 1);
  });

  it('takes no other pattern, and no empty text', async () => {
    await assert.rejects(memory.recall({ text: 'a', subject: 'b' }), MemoryInputError);
    await assert.rejects(memory.recall({ text: '' }), MemoryInputError);
  });
});

describe('EntityMemory: corrections', () => {
  const madrid = { subject: 'hermana', verb: 'vive_en', object: 'Madrid' };
  const roma = { ...madrid, object: 'Roma' };
  const history = async () =>
    (await memory.history({ subject: 'hermana' })).triples.map(({ object, validTo }) => [object, validTo === null]);

  it('forget what was wrong', async () => {
    await memory.storeMany([{ ...madrid, confidence: 0.5 }]);
    assert.equal(await memory.correct({ from: madrid, to: roma, wasWrong: true }), true);
    assert.deepEqual(await history(), [['Roma', true]]);
  });

  it('keep in the history what was true until now', async () => {
    await memory.storeMany([{ ...madrid, at: 1000 }]);
    assert.equal(await memory.correct({ from: madrid, to: roma, wasWrong: false }), true);
    assert.deepEqual(await history(), [
      ['Roma', true],
      ['Madrid', false],
    ]);
    assert.equal((await memory.recall({ subject: 'hermana', asOf: 2000 })).triples[0]?.object, 'Madrid');
  });

  it('change the spelling, and change nothing when there is no such fact or the new one is none', async () => {
    await memory.storeMany([{ ...madrid, object: 'madrid' }]);
    assert.equal(await memory.correct({ from: madrid, to: madrid, wasWrong: true }), true);
    assert.deepEqual(await history(), [['Madrid', true]]);
    assert.equal(await memory.correct({ from: roma, to: madrid, wasWrong: true }), false);
    await assert.rejects(
      memory.correct({ from: madrid, to: { ...roma, object: ' ' }, wasWrong: true }),
      MemoryInputError,
    );
    assert.deepEqual(await history(), [['Madrid', true]]);
  });
});
