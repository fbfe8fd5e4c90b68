import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EvaluationCosts } from './costs.ts';
import { GATE_LIMITS } from './policy.ts';
import { DEFAULT_SAMPLER } from './sampler.ts';
import { Source } from './source.ts';
import { Speculation } from './speculation.ts';
import { SpeculationStats } from './stats.ts';

const PLAIN_MS = 1;

test('a plain round behind one of another width is at the cost of who proposed, and says nothing about plain decoding', async () => {
  let ms = 0;
  const costs = new EvaluationCosts({ exactWidth: 2, verifyMs: [PLAIN_MS, 1.2] });
  const stats = new SpeculationStats();
  const ngram = new Source('ngram', 'ngram', 'any', costs, stats, GATE_LIMITS);
  const speculation = new Speculation({
    prompt: [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3],
    draft: undefined,
    draftOptions: { ...DEFAULT_SAMPLER, vocabularyHash: '' },
    sources: { ngram },
    costs,
    most: 1,
    draftTokens: 'adaptive',
    minGain: GATE_LIMITS.minGain,
    vocabularySize: 10,
    isEnd: () => false,
    stats,
    now: () => ms,
  });
  let next = 3;
  const round = async (most: number, takesMs: number) => {
    const proposal = await speculation.propose(most);
    const tokens = Array.from({ length: proposal.tokens.length + 1 }, () => 1 + (next++ % 4));
    assert.deepEqual(proposal.tokens, tokens.slice(0, -1));
    ms += takesMs;
    speculation.settle(proposal, proposal.tokens.length, tokens);
    return proposal.kind;
  };
  while (costs.isStale) await round(1, PLAIN_MS);
  for (let n = 0; n < 40 && ngram.isOpen; n++) {
    assert.equal(await round(1, 1.2), 'ngram');
    assert.equal(await round(0, 4), undefined);
  }
  assert.equal(costs.ms(1, 0), PLAIN_MS);
  assert.deepEqual(stats.snapshot().fallbacks, { gain: 1 });
});
