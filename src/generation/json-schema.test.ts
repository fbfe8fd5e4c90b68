import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { GenerationError } from './error.ts';
import { grammarSchema } from './json-schema.ts';

describe('grammarSchema', () => {
  it('keeps what a grammar can hold to, and takes anyOf for oneOf', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        b: { type: 'array', items: { enum: [1, 2] } },
      },
      required: ['a'],
      $defs: { c: { type: ['string', 'null'] } },
    };
    assert.deepEqual(grammarSchema(schema), {
      ...schema,
      properties: {
        a: { oneOf: [{ type: 'string' }, { type: 'null' }] },
        b: { type: 'array', items: { enum: [1, 2] } },
      },
    });
  });

  it('names what it cannot hold to, and where', () => {
    const wrong: [unknown, RegExp][] = [
      [{ type: 'nothing' }, /\/: there is no type "nothing"/],
      [{ type: 'object', properties: { a: { type: 'array', items: { not: {} } } } }, /\/properties\/a\/items: "not"/],
      [{ oneOf: [] }, /"oneOf" must be a list/],
      [{ $ref: 'https://example.com/schema' }, /is not in #\/\$defs/],
      [{ properties: 3 }, /"properties" must be an object/],
      ['text', /it is no schema/],
      [Array.from({ length: 40 }).reduce((inner) => ({ items: inner }), {}), /more than 32 levels/],
    ];
    for (const [schema, message] of wrong) {
      assert.throws(() => grammarSchema(schema), { name: 'GenerationError', code: 'invalid', message });
    }
  });

  it('never fails in another way', () => {
    fc.assert(
      fc.property(fc.anything(), (schema) => {
        try {
          grammarSchema(schema);
        } catch (error) {
          assert.ok(error instanceof GenerationError);
        }
      }),
    );
  });
});
