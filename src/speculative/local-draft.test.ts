import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { SyntheticTarget } from '../../test/support/synthetic-target.ts';
import { SpeculativeDecoder } from './decoder.ts';
import { LocalDraft } from './local-draft.ts';
import { DEFAULT_SAMPLER } from './sampler.ts';

const PROFILE = { exactWidth: 9, verifyMs: Array.from({ length: 9 }, (_, n) => 100 + n) };
const OPTIONS = { ...DEFAULT_SAMPLER, vocabularyHash: 'synthetic' };
const LONG_MS = 5000;

/** Resolves when the evaluation that was under way is over and the model's sequence is free. */
async function released(model: SyntheticTarget) {
  for (let turns = 0; turns < 100 && model.inUse > 0; turns++) await turn();
  assert.equal(model.inUse, 0);
}

/** What the target itself would write. */
async function written(target: SyntheticTarget, prompt: number[], settings = DEFAULT_SAMPLER, maxTokens = 40) {
  const plain = new SpeculativeDecoder({ target, profile: PROFILE, mode: 'off' });
  return (await Array.fromAsync(plain.generate(prompt, { ...settings, maxTokens }))).map(({ token }) => token);
}

test('a draft that is the target itself is always right, at any temperature, ahead or not', async () => {
  for (const [runAhead, parallel] of [[0], [6], [0, 3], [6, 8]] as const) {
    for (const temperature of [0, 0.8, 1.5]) {
      const target = new SyntheticTarget({ endless: true, seed: 3 });
      const model = new SyntheticTarget({ endless: true, seed: 3, parallel });
      const settings = { ...DEFAULT_SAMPLER, temperature, seed: 17, maxTokens: 100 };
      const draft = new LocalDraft(model, { runAhead });
      const it = new SpeculativeDecoder({ target, profile: PROFILE, draft, draftTokens: 4, ngram: false });
      assert.equal((await Array.fromAsync(it.generate([1, 2, 3], settings))).length, 100);
      const { sources, tokensPerVerify = 0 } = it.stats.snapshot();
      assert.equal(sources['local/any']?.acceptanceRate, 1);
      assert.ok(tokensPerVerify > 4, `${tokensPerVerify} tokens for each evaluation`);
      await released(model);
    }
  }
});

test('whatever was proposed and turned out wrong, it goes on from what is certain', async () => {
  const step = fc.record({
    commit: fc.array(fc.nat(10), { maxLength: 6 }),
    ask: fc.nat(6),
    waitMs: fc.constantFrom(0, LONG_MS),
  });
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 12 }),
    fc.constantFrom(0, 3),
    fc.constantFrom(undefined, 2, 5),
    async (steps, runAhead, parallel) => {
      const model = new SyntheticTarget({ endless: true, parallel });
      const certain = [1, 2, 3];
      const stream = new LocalDraft(model, { runAhead }).open(certain, OPTIONS);
      for (const { commit, ask, waitMs } of steps) {
        stream.commit(commit);
        certain.push(...commit);
        const proposed = await stream.propose(ask, waitMs);
        const expected = ask === 0 ? [] : await written(model, certain, DEFAULT_SAMPLER, ask);
        assert.deepEqual(proposed, expected.slice(0, proposed.length));
        if (waitMs > 0) assert.equal(proposed.length, ask);
      }
      assert.ok(stream.alive);
      stream.close();
      await new Promise((resolve) => setTimeout(resolve, 2));
      await released(model);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test('what is not ready in time is not waited for, and is there the next time', async () => {
  const model = new SyntheticTarget({ endless: true, costMs: () => 30 });
  const stream = new LocalDraft(model).open([1, 2, 3], OPTIONS);
  assert.deepEqual(await stream.propose(1, 0), []);
  const expected = await written(new SyntheticTarget({ endless: true }), [1, 2, 3], DEFAULT_SAMPLER, 1);
  assert.deepEqual(await stream.propose(1, LONG_MS), expected);
  stream.close();
});

test('it does not speak another vocabulary', async () => {
  const stream = new LocalDraft(new SyntheticTarget()).open([1], { ...OPTIONS, vocabularyHash: 'other' });
  assert.equal(stream.alive, false);
  assert.deepEqual(await stream.propose(3, LONG_MS), []);
});

test('a full context and a model that fails end it, and nothing is thrown', async () => {
  const full = new LocalDraft(new SyntheticTarget({ contextSize: 5 })).open([1, 2, 3, 4, 5], OPTIONS);
  assert.deepEqual(await full.propose(3, LONG_MS), []);
  assert.equal(full.alive, false);
  const failing = new SyntheticTarget();
  failing.distribution = () => {
    throw new Error('out of memory');
  };
  const stream = new LocalDraft(failing).open([1], OPTIONS);
  assert.deepEqual(await stream.propose(3, LONG_MS), []);
  assert.equal(stream.alive, false);
  assert.equal(failing.inUse, 0);
  stream.commit([1]);
  stream.close();
  assert.equal(failing.inUse, 0);
});

test('tokens that are guessed in one evaluation are of use, too, when some became certain meanwhile', async () => {
  const model = new SyntheticTarget({ endless: true, parallel: 8 });
  const prompt = [1, 2, 3];
  const next = await written(model, prompt, DEFAULT_SAMPLER, 5);
  const stream = new LocalDraft(model, { runAhead: 0 }).open(prompt, OPTIONS);
  const asked = stream.propose(5, 50);
  // It is at work.
  while (!model.widths.includes(5)) await turn();
  stream.commit(next.slice(0, 2));
  assert.deepEqual(await stream.propose(3, LONG_MS), next.slice(2));
  assert.deepEqual(await asked, next.slice(2));
  assert.equal(model.widths.filter((width) => width === 5).length, 1);
  stream.close();
  await released(model);
});
