import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LlamaModel } from 'node-llama-cpp';
import { leftOf, masks, parallelDraftingOf } from './parallel.ts';

const withMetadata = (metadata: unknown) => ({ fileInfo: { metadata } }) as LlamaModel;

test('a model says in its file how many tokens it guesses at once, and what does not make sense counts as nothing', () => {
  const said = (mask_token_id: unknown, parallel_tokens: unknown) =>
    parallelDraftingOf(withMetadata({ phoenix: { draft: { mask_token_id, parallel_tokens } } }), 100);
  assert.deepEqual(said(5, 8), { maskToken: 5, tokens: 8 });
  assert.deepEqual(said(5n, 8n), { maskToken: 5, tokens: 8 });
  for (const [mask, tokens] of [[5], [undefined, 8], [100, 8], [-1, 8], [5, 1], [5, 1.5], ['a', 8], [5, 'b']] as const)
    assert.equal(said(mask, tokens), undefined, `${mask}, ${tokens}`);
  assert.equal(parallelDraftingOf(withMetadata({}), 100), undefined);
});

test('behind the last token stands a mask for each further one', () => {
  assert.deepEqual(masks({ maskToken: 7, tokens: 8 }, 3), [7, 7]);
  assert.deepEqual(masks({ maskToken: 7, tokens: 8 }, 1), []);
  assert.deepEqual(masks(undefined, 1), []);
});

test('of what was drafted remains what continues the tokens that became certain', () => {
  assert.deepEqual(leftOf([1, 2, 3], []), [1, 2, 3]);
  assert.deepEqual(leftOf([1, 2, 3], [1, 2]), [3]);
  assert.deepEqual(leftOf([1, 2, 3], [1, 4]), []);
  assert.deepEqual(leftOf([1], [1, 2]), []);
});
