import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BROKEN_DECODERS } from '../../test/support/broken-decoders.ts';
import { chiSquare } from '../../test/support/chi-square.ts';
import { patient } from '../../test/support/drafts.ts';
import { SyntheticTarget } from '../../test/support/synthetic-target.ts';
import { SpeculativeDecoder } from './decoder.ts';
import { LocalDraft } from './local-draft.ts';
import { DEFAULT_SAMPLER } from './sampler.ts';

/** Three tokens over many seeds, against the product of their probabilities. */
async function threeTokens(Decoder: typeof SpeculativeDecoder, seeds: number, temperature: number) {
  const target = new SyntheticTarget({ vocabularySize: 5, sharpness: 2, endless: true, seed: 5 });
  const model = new SyntheticTarget({ vocabularySize: 5, sharpness: 2, endless: true, seed: 6 });
  const draft = patient(new LocalDraft(model));
  const profile = { exactWidth: 4, verifyMs: [100, 101, 102, 103] };
  const decoder = new Decoder({ target, profile, draft, draftTokens: 3, ngram: false });
  const settings = { ...DEFAULT_SAMPLER, temperature, topK: 3, maxTokens: 3 };
  const counts = new Map<string, number>();
  for (let seed = 0; seed < seeds; seed++) {
    const key = (await Array.fromAsync(decoder.generate([1, 2], { ...settings, seed })))
      .map(({ token }) => token)
      .join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const expected = new Map<string, number>();
  const sequence = await target.acquire();
  const extend = async (tokens: number[], probability: number): Promise<void> => {
    if (tokens.length === 5) return void expected.set(tokens.slice(2).join(), probability * seeds);
    await sequence.prefill(tokens.slice(0, -1));
    const [row] = await sequence.evaluate(tokens.slice(-1), { settings, rows: 'all' });
    for (const [token, share] of row?.probabilities ?? []) await extend([...tokens, token], probability * share);
  };
  await extend([1, 2], 1);
  return { ...chiSquare(counts, expected), stats: decoder.stats.snapshot() };
}

test('several tokens together have the distribution of the target, and broken rules are caught by that', async () => {
  for (const temperature of [0.7, 1.4]) {
    const { statistic, limit, degrees, stats } = await threeTokens(SpeculativeDecoder, 5000, temperature);
    assert.ok(degrees > 20);
    assert.ok(stats.tokens.draft > 1000 && stats.tokens.corrected > 1000, 'the draft was hardly tested');
    assert.ok(statistic < limit, `chi-square ${statistic} is above ${limit}`);
  }
  for (const Broken of BROKEN_DECODERS) {
    const { statistic, limit } = await threeTokens(Broken, 2000, 1.4);
    assert.ok(statistic > limit, `${Broken.name} has chi-square ${statistic}, below ${limit}`);
  }
});
