import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { foldText, HashedFeatures } from './features.ts';
import { similarityTo } from './weights.ts';

const features = new HashedFeatures();
const EXPECTED = {
  indices: [0, 4574, 4387, 7891, 7522, 7863],
  values: [1, 0.225471, -0.086784, -0.086784, -0.086784, -0.086784],
};
const plain = (text: string) => {
  const { indices, values } = features.featurize(text);
  return { indices: [...indices], values: [...values] };
};
/** Texts of all kinds: letters of several scripts, marks, emoji, white space, signs, halves of surrogate pairs. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'aábcñÑEé ?¿.;=1 \n\t😀你а'), maxLength: 60 }),
  fc.string({ maxLength: 2000 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 40 }).map((codes) => String.fromCharCode(...codes)),
);
const spanish = fc.string({ unit: fc.constantFrom(...'aábcdeéfghiíjlmnñoópqrstuúüvxyz ¿?,.'), maxLength: 60 });

describe('HashedFeatures', () => {
  it('are the same for ever: weights in files depend on it', () => {
    const { indices, values } = features.featurize('¿Qué tablas hay?');
    assert.equal(features.id, 'ngrams-1/8192');
    assert.deepEqual([...indices.slice(0, 6)], EXPECTED.indices);
    for (const [n, value] of EXPECTED.values.entries()) assert.ok(Math.abs((values[n] ?? 0) - value) < 1e-6, `${n}`);
  });

  it('make vectors of length 1 beside the bias, less for short texts, with each index once', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { indices, values } = features.featurize(text);
        assert.equal(indices.length, values.length);
        assert.equal(new Set(indices).size, indices.length);
        assert.deepEqual([indices[0], values[0]], [0, 1]);
        assert.ok(indices.every((index) => index < features.dimension) && values.every(Number.isFinite));
        const norm = Math.hypot(...values.subarray(1));
        const expected = Math.min(1, Math.sqrt((indices.length - 1) / 80));
        assert.ok(Math.abs(norm - expected) < 1e-5, `length ${norm}`);
      }),
    );
  });

  it('see no case, no accents and no white space beyond the first', () => {
    fc.assert(
      fc.property(spanish, (text) => {
        const expected = plain(text);
        assert.deepEqual(plain(text.toUpperCase()), expected);
        assert.deepEqual(plain(text.normalize('NFD')), expected);
        assert.deepEqual(plain(text.normalize('NFD').replaceAll(/\p{M}/gu, '')), expected);
        assert.deepEqual(plain(` ${text.replaceAll(' ', '  \n')}\t`), expected);
      }),
    );
    assert.equal(foldText('ÁRBOL Ñandú'), 'arbol nandu');
  });

  it('leave nothing behind for the next text', () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const expected = plain(text);
        features.featurize(other);
        assert.deepEqual(plain(text), expected);
      }),
    );
  });

  it('are described such that the pieces are the vector', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { indices, values } = features.featurize(text);
        const sums = new Map<number, number>();
        features.describe(text, (index, value) => sums.set(index, (sums.get(index) ?? 0) + value));
        for (const [n, index] of indices.entries())
          if (n > 0) assert.ok(Math.abs((sums.get(index) ?? 0) - (values[n] ?? 0)) < 1e-4);
        assert.ok([...sums.keys()].every((index) => indices.includes(index)));
      }),
      { numRuns: 50 },
    );
    const grams = new Set<string>();
    features.describe('¿Qué tablas hay en 2024?', (_index, _value, gram) => grams.add(gram));
    for (const gram of ['que', 'tablas', 'que tablas', '_tab', 'blas_', '0', '?', 'en 0'])
      assert.ok(grams.has(gram), gram);
  });

  it('share most of a word with a typo of it, and little with another word', () => {
    const similarity = (a: string, b: string) =>
      similarityTo(features.featurize(a), features.dimension)(features.featurize(b));
    assert.ok(similarity('inventario', 'inventraio') > 0.2);
    assert.ok(similarity('inventario', 'inventario') > 0.999);
    assert.ok(similarity('inventario', 'guitarra') < 0.1);
  });

  it('read the beginning and the end of a long text, in time that does not grow with it', () => {
    const long = `prueba este parche ${'x y z '.repeat(200_000)} y ejecuta los tests`;
    const grams = new Set<string>();
    features.describe(long, (_index, _value, gram) => grams.add(gram));
    assert.ok(grams.has('parche') && grams.has('tests'));
    assert.ok(features.featurize(long).indices.length < 2000);
  });

  it('refuse a dimension that is none', () => {
    for (const dimension of [0, 3, 1000, 131_072, Number.NaN])
      assert.throws(() => new HashedFeatures(dimension), RangeError);
  });
});
