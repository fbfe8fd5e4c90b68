/** Every input that was once handled wrongly is handled right, and so are others, for a moment; `npm run fuzz` takes longer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCorpus } from './corpus.ts';
import { fuzz } from './supervise.ts';
import { targets } from './targets/index.ts';

const SECONDS = 0.5;
/** Fixed: a run that fails here fails everywhere. */
const SEED = 1;

describe('fuzzing', { concurrency: 2 }, () => {
  for (const definition of targets) {
    it(`${definition.name}: ${definition.about}`, async () => {
      const { findings, runs, outcomes } = await fuzz(definition, { seconds: SECONDS, seed: SEED });
      assert.deepEqual(
        findings.map(({ what, input }) => `${what} (input in base64: ${input.toString('base64').slice(0, 2000)})`),
        [],
      );
      const { length } = readCorpus(definition.name);
      assert.ok(length > 0 && runs > length, `${runs} inputs, ${length} of them of the corpus`);
      assert.ok(outcomes > 1, `${outcomes} different outcomes: the target sees no difference`);
    });
  }
});
