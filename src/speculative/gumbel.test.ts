import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gumbelChoice, philox4x32, uniform } from './gumbel.ts';

// kat_vectors of the Random123 library 1.14, by the authors of Philox.
const KNOWN = [
  ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
  ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
  ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
] as const;

test('Philox gives the published answers', () => {
  const parse = (text: string) => text.split(' ').map((word) => Number.parseInt(word, 16));
  for (const [counter, key, expected] of KNOWN) {
    const words = Uint32Array.from(parse(counter));
    const [low = 0, high = 0] = parse(key);
    philox4x32(words, low, high);
    assert.deepEqual([...words], parse(expected));
  }
});

test('a uniform number is between 0 and 1 and depends on every argument', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.nat(200_000), fc.nat(200_000), (seed, position, token) => {
      const u = uniform(seed, position, token);
      assert.ok(u > 0 && u < 1);
      assert.equal(u, uniform(seed, position, token));
      assert.notEqual(u, uniform(seed, position + 1, token));
      assert.notEqual(u, uniform(seed, position, token + 1));
      const other = seed === Number.MAX_SAFE_INTEGER ? seed - 1 : seed + 1;
      assert.notEqual(u, uniform(other, position, token));
    }),
  );
});

test('seeds that differ only above 32 bits are different seeds', () => {
  assert.notEqual(uniform(7, 3, 1), uniform(7 + 2 ** 32, 3, 1));
});

test('uniform numbers fill the interval evenly', () => {
  const counts = new Array<number>(64).fill(0);
  const draws = 64_000;
  for (let n = 0; n < draws; n++) {
    const bin = Math.floor(uniform(42, n >> 6, n & 63) * 64);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const expected = draws / 64;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  assert.ok(chiSquare < 116, `chi-square ${chiSquare} with 63 degrees of freedom: above 116 by chance once in 20,000`);
});

test('the choice does not depend on the order or the scale of the probabilities', () => {
  const weights = fc.uniqueArray(fc.tuple(fc.nat(1000), fc.double({ min: 0.001, max: 1, noNaN: true })), {
    selector: ([token]) => token,
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(weights, fc.maxSafeInteger(), fc.nat(5000), (probabilities, seed, position) => {
      const chosen = gumbelChoice(probabilities, seed, position);
      assert.equal(gumbelChoice(probabilities.toReversed(), seed, position), chosen);
      assert.equal(
        gumbelChoice(
          probabilities.map(([token, p]) => [token, p / 4] as const),
          seed,
          position,
        ),
        chosen,
      );
    }),
  );
});

test('no probability above 0 is an error', () => {
  assert.throws(() => gumbelChoice([[3, 0]], 1, 9), /position 9/);
});
