import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TextStream } from './text-stream.ts';

/** Tokens are bytes: characters beyond ASCII take several. */
const bytes = (tokens: readonly number[]) => Buffer.from(tokens).toString('utf8');

function run(text: string, stops: string[]) {
  const stream = new TextStream(bytes, stops);
  const pieces: string[] = [];
  for (const byte of Buffer.from(text)) {
    const { text: piece, stopped } = stream.push(byte);
    pieces.push(piece);
    if (stopped) return { text: pieces.join(''), stopped, pieces };
  }
  pieces.push(stream.flush());
  return { text: pieces.join(''), stopped: false, pieces };
}

test('characters come whole, whatever the tokens', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), (text) => {
      const { text: streamed, pieces } = run(text, []);
      assert.equal(streamed, text);
      if (!text.includes('\uFFFD')) assert.ok(pieces.every((piece) => !piece.includes('\uFFFD')));
    }),
    { examples: [['\uFFFDñ'], ['a\uFFFD\uFFFD🙂'], ['\uFFFD']] },
  );
});

test('text ends where a stop sequence begins, and no part of that is shown before', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'ñ', '🙂'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', 'ñ', '🙂'), maxLength: 40 }), word, (text, stop) => {
      const at = text.indexOf(stop);
      const { text: streamed, stopped } = run(text, [stop]);
      assert.equal(stopped, at >= 0);
      assert.equal(streamed, at >= 0 ? text.slice(0, at) : text);
    }),
    { numRuns: 500 },
  );
});

test('text is held back only as long as a stop sequence may be coming', () => {
  assert.deepEqual(run('ab<x', ['<end>']).pieces, ['a', 'b', '', '<x', '']);
  assert.deepEqual(run('ab<end>c', ['<end>']).text, 'ab');
  assert.deepEqual(run('ab<en', ['<end>']).text, 'ab<en');
});

test('bytes that never become a character do not hold up the text', () => {
  const stream = new TextStream(bytes, []);
  const texts = [0xff, 0xff, 0xff, 0xff, 65].map((byte) => stream.push(byte).text);
  assert.equal(texts.join('').at(-1), 'A');
  assert.equal(new TextStream(bytes, []).flush(), '');
  const open = new TextStream(bytes, []);
  open.push(0xc3);
  assert.equal(open.flush(), '\uFFFD');
});
