import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatReference, type ModelReference, parseReference } from './reference.ts';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,20}$/);
const file = fc
  .tuple(fc.array(name, { maxLength: 2 }), name)
  .map(([folders, last]) => [...folders, `${last}.gguf`].join('/'));
const reference: fc.Arbitrary<ModelReference> = fc.oneof(
  fc.constantFrom<ModelReference>({ kind: 'none' }, { kind: 'nano' }),
  file.map((path): ModelReference => ({ kind: 'path', path: `/models/${path}` })),
  file.map((path): ModelReference => ({ kind: 'url', url: `https://example.org/${path}` })),
  fc.record({ kind: fc.constant('hub' as const), owner: name, repo: name, file }, { noNullPrototype: true }),
  fc.record(
    { kind: fc.constant('hub' as const), owner: name, repo: name, quantization: name },
    { noNullPrototype: true },
  ),
);

describe('parseReference', () => {
  it('reads what formatReference writes', () => {
    fc.assert(fc.property(reference, (it) => assert.deepEqual(parseReference(formatReference(it)), it)));
  });

  it('reads anything as a reference, or says how one looks', () => {
    const anything = fc.oneof(
      fc.string(),
      fc.string().map((text) => `hf:${text}`),
      fc.webUrl(),
    );
    fc.assert(
      fc.property(anything, (text) => {
        try {
          parseReference(text);
        } catch (error) {
          assert.match((error as Error).message, /hf:OWNER\/REPO|no password/);
          assert.equal((error as Error).name, 'ModelError');
        }
      }),
    );
  });

  for (const [what, text] of [
    ['a name that is none of ours', 'nanoo'],
    ['an address that is not encrypted', 'http://example.org/a.gguf'],
    ['an address of something else', 'https://example.org/a.bin'],
    ['a path out of the repository', 'hf:owner/repo/../other/a.gguf'],
    ['a repository without a file', 'hf:owner/repo'],
    ['an unknown protocol', 'ftp://example.org/a.gguf'],
  ] as const) {
    it(`refuses ${what}`, () => assert.throws(() => parseReference(text), { name: 'ModelError' }));
  }

  it('keeps a password in an address to itself', () => {
    for (const text of ['https://me:secret@example.org/a.gguf', 'http://me:secret@example.org/a.gguf']) {
      assert.throws(
        () => parseReference(text),
        ({ message }: Error) => !message.includes('secret'),
      );
    }
  });
});
