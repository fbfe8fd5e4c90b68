import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nonsense, oracle, scriptedDraft } from '../../test/support/drafts.ts';
import { SyntheticTarget } from '../../test/support/synthetic-target.ts';
import { type DecoderOptions, type GenerateSettings, SpeculativeDecoder } from './decoder.ts';
import type { SpeculationProfile } from './probe.ts';
import { DEFAULT_SAMPLER } from './sampler.ts';
import { ContextOverflowError } from './target.ts';

/** Verifying is nearly free: speculation always pays. */
const CHEAP: SpeculationProfile = { exactWidth: 9, verifyMs: Array.from({ length: 9 }, (_, n) => 10 + n) };
const PROMPT = [1, 2, 3];

function decoder(target: SyntheticTarget, options: Partial<DecoderOptions> = {}) {
  // Each look at the clock takes a millisecond, whatever else the machine does.
  let ms = 0;
  const now = () => ms++;
  return new SpeculativeDecoder({ target, profile: CHEAP, ngram: false, now, ...options });
}

async function generate(it: SpeculativeDecoder, settings: Partial<GenerateSettings> = {}, prompt = PROMPT) {
  return await Array.fromAsync(it.generate(prompt, { ...DEFAULT_SAMPLER, maxTokens: 40, ...settings }));
}

const tokensOf = (generated: { token: number }[]) => generated.map(({ token }) => token);
const textOf = (generated: { text: string }[]) => generated.map(({ text }) => text).join('');

const settings = fc.record({
  temperature: fc.constantFrom(0, 0.7, 1.3),
  seed: fc.maxSafeInteger(),
  maxTokens: fc.integer({ min: 1, max: 50 }),
  penalties: fc.option(fc.record({ presence: fc.constantFrom(0.5, 2) }), { nil: undefined }),
  stop: fc.constantFrom([], ['ca', 'hh'], ['bbbbbb']),
});

test('the tokens are the same with any draft, any number of proposals and any fallback', async () => {
  const property = fc.asyncProperty(
    settings,
    fc.nat(1000),
    fc.constantFrom<number | 'adaptive'>(1, 2, 3, 5, 8, 'adaptive'),
    fc.constantFrom('oracle', 'often right', 'nonsense', 'dying', 'ngram'),
    async (chosen, seed, draftTokens, kind) => {
      const target = new SyntheticTarget({ seed });
      const plain = await generate(decoder(target, { mode: 'off' }), chosen);
      const text = [...PROMPT, ...tokensOf(plain)];
      const size = target.vocabularySize;
      const draft = {
        oracle: scriptedDraft(kind, oracle(text, size)),
        'often right': scriptedDraft(kind, oracle(text, size, 0.7)),
        nonsense: scriptedDraft(kind, nonsense(size)),
        dying: scriptedDraft(kind, oracle(text, size, 0.9), { livesFor: 3 }),
        ngram: undefined,
      }[kind];
      const it = decoder(target, { draft, draftTokens, ngram: kind === 'ngram' });
      const generated = await generate(it, chosen);
      assert.deepEqual(
        generated.map(({ origin, ...rest }) => rest),
        plain.map(({ origin, ...rest }) => rest),
      );
      assert.equal(target.inUse, 0);
      assert.equal(draft?.opened, draft?.closed);
    },
  );
  await fc.assert(property, { numRuns: 300 });
});

test('an oracle gives k + 1 tokens for each evaluation', async () => {
  const target = new SyntheticTarget({ endless: true, seed: 4 });
  const plain = await generate(decoder(target, { mode: 'off' }), { temperature: 1, maxTokens: 36, seed: 8 });
  const text = [...PROMPT, ...tokensOf(plain)];
  assert.equal(plain.length, 36, 'this text must not end by itself');
  for (const k of [1, 2, 3, 5, 8]) {
    target.widths.length = 0;
    const it = decoder(target, { draft: scriptedDraft('oracle', oracle(text, 12)), draftTokens: k });
    await generate(it, { temperature: 1, maxTokens: 36, seed: 8 });
    assert.equal(target.widths.length, Math.ceil(36 / (k + 1)), `k = ${k}`);
    assert.equal(it.stats.snapshot().sources['oracle/any']?.acceptanceRate, 1);
  }
});

test('every token says where it comes from', async () => {
  const target = new SyntheticTarget({ endless: true, seed: 4 });
  const plain = await generate(decoder(target, { mode: 'off' }), { maxTokens: 6 });
  const [a, b, c, d, e, f] = tokensOf(plain).map((token) => token % 12);
  // Not 11, which is the end.
  const wrong = ((c ?? 0) + 1) % 11;
  const rounds = [[a, b, wrong, d], [], [e]].map((tokens) => tokens.map((token) => token ?? 0));
  const draft = scriptedDraft('script', () => rounds.shift() ?? []);
  const generated = await generate(decoder(target, { draft, draftTokens: 4 }), { maxTokens: 6 });
  assert.deepEqual(tokensOf(generated), [a, b, c, d, e, f]);
  assert.deepEqual(
    generated.map(({ origin }) => origin),
    ['draft', 'draft', 'corrected', 'target', 'draft', 'target'],
  );
});

test('exact mode keeps to the widths whose bits are those of width 1, and without it the text may differ', async () => {
  const settings = { temperature: 1.3, maxTokens: 60 };
  let differing = 0;
  for (let seed = 0; seed < 20; seed++) {
    const target = new SyntheticTarget({ endless: true, seed, exactWidth: 3, sharpness: 3 });
    const profile = { ...CHEAP, exactWidth: 3 };
    const plain = await generate(decoder(target, { mode: 'off' }), settings);
    const draft = scriptedDraft('oracle', oracle([...PROMPT, ...tokensOf(plain)], 12));
    target.widths.length = 0;
    const exact = await generate(decoder(target, { draft, draftTokens: 8, profile }), settings);
    assert.ok(Math.max(...target.widths) <= 3);
    assert.deepEqual(tokensOf(exact), tokensOf(plain));
    const loose = await generate(decoder(target, { draft, draftTokens: 8, profile, mode: 'distribution' }), settings);
    if (tokensOf(loose).join() !== tokensOf(plain).join()) differing++;
  }
  assert.ok(differing > 0, 'the widths of this target do not differ: nothing was tested');
});

test('a model whose bits differ at width 2 is decoded plainly in exact mode, and that is counted', async () => {
  const target = new SyntheticTarget();
  const draft = scriptedDraft('oracle', oracle([], 12));
  const it = decoder(target, { draft, profile: { ...CHEAP, exactWidth: 1 } });
  await generate(it);
  assert.equal(Math.max(...target.widths), 1);
  assert.equal(draft.asked, 0);
  assert.equal(it.stats.snapshot().fallbacks.inexact, 1);
});

test('speculation that cannot pay is not begun', async () => {
  const target = new SyntheticTarget();
  const draft = scriptedDraft('oracle', oracle([], 12));
  const it = decoder(target, { draft, profile: { exactWidth: 4, verifyMs: [10, 20, 30, 40] } });
  await generate(it);
  assert.equal(draft.opened, 0);
  assert.equal(it.stats.snapshot().fallbacks.gain, 1);
});

test('a draft that is mostly wrong is no longer asked, then tried again', async () => {
  const target = new SyntheticTarget({
    endless: true,
    seed: 11,
    contextSize: 4000,
    vocabularySize: 200,
    sharpness: 20,
  });
  const draft = scriptedDraft('wrong', (_, count) => Array.from({ length: count }, () => 7));
  const it = decoder(target, { draft });
  const generated = await generate(it, { maxTokens: 700, temperature: 1, seed: 1 });
  assert.equal(generated.length, 700, 'this text must not end by itself');
  const { fallbacks, sources } = it.stats.snapshot();
  // 32 rounds, 256 plain tokens, 32 rounds, 512 plain tokens: the generation ends in those.
  assert.equal(fallbacks.acceptance, 2);
  assert.ok((sources['wrong/any']?.rounds ?? 0) < 80, `${sources['wrong/any']?.rounds} rounds`);
});

test('a draft that never answers in time is no longer asked', async () => {
  const target = new SyntheticTarget({ endless: true, seed: 4, vocabularySize: 200, sharpness: 20 });
  const draft = scriptedDraft('late', () => [1], { delayMs: 1e6 });
  const it = decoder(target, { draft, profile: { exactWidth: 3, verifyMs: [1, 1.1, 1.2] } });
  await generate(it, { maxTokens: 100, temperature: 1 });
  assert.equal(it.stats.snapshot().fallbacks.slow, 1);
  assert.ok(draft.asked > 0 && draft.asked <= 16, `asked ${draft.asked} times`);
});

test('a draft that dies is counted once and not asked again', async () => {
  const target = new SyntheticTarget({ endless: true, seed: 4 });
  const draft = scriptedDraft('dying', () => [], { livesFor: 2 });
  const it = decoder(target, { draft });
  await generate(it);
  assert.equal(it.stats.snapshot().fallbacks.lost, 1);
  assert.equal(draft.asked, 2);
});

test('a stop sequence ends the text wherever the borders of tokens and rounds are', async () => {
  const property = fc.asyncProperty(
    fc.nat(500),
    fc.nat(30),
    fc.integer({ min: 1, max: 4 }),
    async (seed, from, length) => {
      const target = new SyntheticTarget({ seed });
      const whole = textOf(await generate(decoder(target, { mode: 'off' })));
      const stop = whole.slice(from, from + length);
      fc.pre(stop.length === length);
      const draft = scriptedDraft('often right', oracle([...PROMPT, ...whole].map(Number), 12, 0.5));
      const generated = await generate(decoder(target, { draft }), { stop: [stop] });
      assert.equal(textOf(generated), whole.slice(0, whole.indexOf(stop)));
      assert.equal(generated.at(-1)?.finish, 'stop');
    },
  );
  await fc.assert(property, { numRuns: 100 });
});

test('the last token says why it is the last', async () => {
  const target = new SyntheticTarget({ seed: 2 });
  const draft = () => scriptedDraft('often right', nonsense(12));
  const finishes = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const generated = await generate(decoder(target, { draft: draft() }), { seed, temperature: 1, maxTokens: 12 });
    const last = generated.at(-1);
    assert.ok(generated.slice(0, -1).every(({ finish }) => finish === undefined));
    assert.equal(last?.finish, last?.token === 11 ? 'end' : 'length');
    finishes.add(last?.finish ?? '');
  }
  assert.deepEqual([...finishes].sort(), ['end', 'length']);
});

test('aborting, and leaving the loop, stop a generation and give its sequence back', async () => {
  const target = new SyntheticTarget({ endless: true, seed: 4 });
  const draft = scriptedDraft('nonsense', nonsense(12));
  const it = decoder(target, { draft, draftTokens: 3 });
  const controller = new AbortController();
  const aborted = (async () => {
    for await (const _ of it.generate(PROMPT, DEFAULT_SAMPLER, { signal: controller.signal })) controller.abort();
  })();
  await assert.rejects(aborted, { name: 'AbortError' });
  for await (const _ of it.generate(PROMPT, DEFAULT_SAMPLER)) break;
  assert.equal(target.inUse, 0);
  assert.equal(draft.closed, draft.opened);
  assert.ok(draft.opened > 0);
});

test('what cannot be generated is refused before anything is done', () => {
  const target = new SyntheticTarget({ contextSize: 64 });
  const it = decoder(target);
  const run = (settings: Partial<GenerateSettings>, prompt = PROMPT) =>
    it.generate(prompt, { ...DEFAULT_SAMPLER, ...settings });
  assert.throws(() => run({ maxTokens: 62 }), ContextOverflowError);
  assert.throws(() => run({}, Array(65).fill(1)), /65 tokens and 1 to generate do not fit into a context of 64/);
  assert.throws(() => run({ maxTokens: 0 }), /maxTokens/);
  assert.throws(() => run({}, []), /prompt/);
  assert.throws(() => run({}, [12]), /prompt/);
  assert.throws(() => run({ temperature: -1 }), /temperature must be from 0 to 100, not -1/);
  assert.throws(() => run({ topK: 201 }), /topK must be a whole number from 1 to 200/);
  assert.throws(() => run({ seed: 0.5 }), /seed/);
  assert.throws(() => run({ stop: [''] }), /stop sequence/);
  assert.throws(() => run({ penalties: { repeat: 0 } }), /repeat penalty/);
  assert.equal(target.inUse, 0);
});
