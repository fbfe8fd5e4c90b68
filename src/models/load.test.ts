import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { NANO_DRAFT, NANO_TARGET } from '../../test/support/nano.ts';
import { inspectModel } from './inspect.ts';
import { defaultThreads, loadModel } from './load.ts';
import { estimateMemory } from './memory.ts';

const folder = mkdtempSync(join(tmpdir(), 'phoenix-load-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const options = { contextSize: 256, threads: 1 };

describe('loadModel', () => {
  it('loads a model that can be used until it is disposed of, more than one at a time', async () => {
    const target = await loadModel(NANO_TARGET, options);
    const draft = await loadModel(NANO_DRAFT, options);
    assert.ok(draft.memory.weights > 0 && draft.memory.context > 0);
    assert.equal(draft.facts.architecture, 'llama');
    await target[Symbol.asyncDispose]();
    assert.equal(draft.model.disposed, false);
    assert.ok(draft.model.tokenize('hola').length > 0);
    await draft[Symbol.asyncDispose]();
    assert.equal(draft.model.disposed, true);
    await using again = await loadModel(NANO_DRAFT, options);
    assert.ok(again.model.tokenize('hola').length > 0);
  });

  it('refuses what does not fit, with figures', async () => {
    await assert.rejects(loadModel(NANO_TARGET, { ...options, sequences: 4, availableBytes: 2 * 1024 ** 2 }), {
      name: 'ModelError',
      message:
        /needs about \d+ MiB \(\d+ MiB for the weights, \d+ MiB for 4 x 256 tokens of context\) and 2 MiB are free/,
    });
  });

  it('gives a context no longer than the model was trained for', async () => {
    await using short = await loadModel(NANO_TARGET, options);
    assert.equal(short.contextSize, 256);
    await using long = await loadModel(NANO_TARGET, { ...options, contextSize: 1_000_000 });
    assert.equal(long.contextSize, inspectModel(NANO_TARGET).contextLength);
  });

  it('refuses a damaged file before native code sees it', async () => {
    const truncated = join(folder, 'truncated.gguf');
    writeFileSync(truncated, readFileSync(NANO_DRAFT).subarray(0, 100_000));
    await assert.rejects(loadModel(truncated, options), {
      name: 'ModelError',
      message: /ends after 100000 of \d+ bytes/,
    });
  });

  it('can be given up', async () => {
    const reason = new Error('given up');
    await assert.rejects(loadModel(NANO_DRAFT, { ...options, signal: AbortSignal.abort(reason) }), reason);
  });

  it('leaves a processor for everything else', () => assert.ok(defaultThreads() >= 1));
});

describe('estimateMemory', () => {
  it('grows with the context and the sequences', async () => {
    const small = await estimateMemory(NANO_TARGET, { contextSize: 256 });
    const long = await estimateMemory(NANO_TARGET, { contextSize: 512 });
    const many = await estimateMemory(NANO_TARGET, { contextSize: 256, sequences: 4 });
    assert.ok(long.context > small.context && many.context > small.context);
    assert.equal(small.weights, long.weights);
    assert.equal(small.total, small.weights + small.context);
  });
});
