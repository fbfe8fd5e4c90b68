import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fold } from './fold.ts';

describe('fold', () => {
  const same: [string, string][] = [
    ['Lucía', 'LUCIA'],
    ['vive_en', 'Vive  en'],
    ['café', 'cafe\u0301'],
    ['Straße', 'STRASSE'],
    ['Ελλάδα', 'ΕΛΛΑΔΑ'],
    [' Madrid ', 'madrid'],
    ['ＡＢＣ', 'ａｂｃ'],
  ];
  for (const [a, b] of same) it(`"${a}" matches "${b}"`, () => assert.equal(fold(a), fold(b)));

  const different: [string, string][] = [
    ['año', 'ano'],
    ['हिंदी', 'हद'],
    ['й', 'и'],
    ['👩🏽', '👩🏿'],
    ['a', 'b'],
  ];
  for (const [a, b] of different) it(`"${a}" does not match "${b}"`, () => assert.notEqual(fold(a), fold(b)));

  it('does not change what is folded, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const key = fold(text);
        assert.ok(key.length <= 256);
        if (text !== '') assert.notEqual(key, '');
        if (text.length < 60) assert.equal(fold(key), key);
      }),
    );
  });

  it('tells long texts apart by their ends', () => {
    assert.notEqual(fold(`${'x'.repeat(60_000)}a`), fold(`${'x'.repeat(60_000)}b`));
  });
});
