import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { writeVariant } from '../../test/support/gguf.ts';
import { NANO_DRAFT, NANO_TARGET } from '../../test/support/nano.ts';
import { differences } from './compatibility.ts';
import { checkModel, inspectModel, readVocabulary } from './inspect.ts';

const folder = mkdtempSync(join(tmpdir(), 'phoenix-models-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const damaged = join(folder, 'damaged.gguf');
const draft = readFileSync(NANO_DRAFT);
const isModelError = (error: Error) => error.name === 'ModelError' && error.message.includes(damaged);

describe('inspectModel', () => {
  it('says what a model is', () => {
    const facts = inspectModel(NANO_DRAFT);
    assert.equal(facts.architecture, 'llama');
    assert.equal(facts.quantization, 'Q8_0');
    assert.equal(facts.size, draft.length);
    // 8 bits and a scale of 16 for each 32 parameters, and the rest of the file.
    assert.ok(
      facts.parameters * 1.0625 <= facts.size && facts.parameters * 1.0625 > facts.size / 2,
      `${facts.parameters}`,
    );
    assert.ok((facts.contextLength ?? 0) >= 256);
    assert.equal(facts.parallelTokens, 8);
    assert.equal(inspectModel(NANO_TARGET).parallelTokens, undefined);
    assert.ok(facts.vocabulary.size > 256);
    assert.match(facts.vocabulary.hash, /^[0-9a-f]{64}$/);
  });

  it('finds every truncation before native code does', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: draft.length - 64 }), (length) => {
        writeFileSync(damaged, draft.subarray(0, length));
        assert.throws(() => checkModel(damaged), isModelError);
      }),
      { numRuns: 200 },
    );
  });

  it('survives any damage of the header', () => {
    const changes = fc.array(fc.tuple(fc.integer({ min: 0, max: 4000 }), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(changes, (all) => {
        const bytes = Buffer.from(draft);
        for (const [at, value] of all) bytes[at] = value;
        writeFileSync(damaged, bytes);
        try {
          inspectModel(damaged);
        } catch (error) {
          assert.ok(isModelError(error as Error), `${(error as Error).stack}`);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('names what is missing or is something else', () => {
    assert.throws(() => checkModel(join(folder, 'none.gguf')), /there is no model file .*none\.gguf/);
    assert.throws(() => checkModel(folder), /is no file|EISDIR/);
    writeFileSync(damaged, '<html>404</html>');
    assert.throws(() => checkModel(damaged), /is no GGUF file/);
    for (const key of ['llama.attention.head_count', 'llama.embedding_length', 'llama.block_count']) {
      const without = Buffer.from(draft);
      without.write('x', without.indexOf(key));
      writeFileSync(damaged, without);
      assert.throws(() => checkModel(damaged), new RegExp(`its header has no ${key}`));
    }
    const part = Buffer.from(draft);
    part.writeUInt32LE(9, 4);
    writeFileSync(damaged, part);
    assert.throws(() => checkModel(damaged), /GGUF version 9/);
  });
});

describe('differences', () => {
  it('finds none in a pair that was made for each other, however it is stored', () => {
    assert.deepEqual(differences(readVocabulary(NANO_TARGET), readVocabulary(NANO_DRAFT)), []);
    const other = join(folder, 'f16.gguf');
    writeVariant(NANO_DRAFT, other, { type: 'f16' });
    assert.deepEqual(differences(readVocabulary(NANO_TARGET), readVocabulary(other)), []);
  });

  it('names any token that differs, and the special ones', () => {
    const target = readVocabulary(NANO_TARGET);
    fc.assert(
      fc.property(fc.nat(target.size - 1), (id) => {
        const texts = target.texts.with(id, `${target.texts[id]}'`);
        const [found = ''] = differences(target, { ...target, texts, hash: 'other' });
        assert.match(found, new RegExp(`^texts of 1 tokens: token ${id} is `));
      }),
    );
    assert.deepEqual(differences(target, { ...target, eos: 7, addBos: true, hash: 'other' }), [
      `token that ends a text: ${target.eos} in the target, 7 in the draft`,
      `whether texts begin with that token: ${target.addBos} in the target, true in the draft`,
    ]);
    const shorter = {
      ...target,
      size: target.size - 1,
      texts: target.texts.slice(0, -1),
      types: target.types.slice(0, -1),
      hash: 'other',
    };
    assert.deepEqual(differences(target, shorter), [
      `number of tokens: ${target.size} in the target, ${target.size - 1} in the draft`,
    ]);
  });
});
