/** The memory that the draft skill has is enough for a model of half a billion parameters, where the limit is a real one. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ModelStore, modelFiles } from '../src/models/index.ts';
import { LlamaTarget, RemoteDraft } from '../src/speculative/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { writeVariant } from './support/gguf.ts';
import { NANO_DRAFT, testLlama } from './support/nano.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const MIB = 1024 ** 2;
const LIMIT = 800 * MIB;
/** A twin of nano's draft: 40 layers, 0.5 billion parameters. */
const SIZE = { type: 'q8_0', extraLayers: 37, width: 32_768 } as const;
const TIMEOUT = { timeoutMs: 120_000 };

const folder = mkdtempSync(join(tmpdir(), 'phoenix-memory-'));
const draft = join(folder, 'half-billion.gguf');
after(() => rmSync(folder, { recursive: true, force: true }));
const engine = new TestEngine();
before(async () => {
  writeVariant(NANO_DRAFT, draft, SIZE);
  assert.ok(statSync(draft).size > 500e6);
  if (canStartEngine()) await engine.start();
});
after(() => engine.remove());
const vocabularyHash = await hashOfVocabulary();
const isSandboxThere = (await availableRuntimes()).includes('sandbox');

const runtimes = [
  ['docker', isMissing('a Docker engine (dockerd, as root)', canStartEngine())],
  ['sandbox', isMissing('bubblewrap', isSandboxThere)],
] as const;
async function hashOfVocabulary(): Promise<string> {
  await using llama = await testLlama();
  const model = await llama.loadModel({ modelPath: NANO_DRAFT });
  const target = await LlamaTarget.create(model, { contextSize: 64, threads: 1 });
  return target.vocabularyHash;
}

for (const [runtime, skip] of runtimes) {
  describe(`the draft skill with 0.5 billion parameters and ${runtime}`, { skip }, () => {
    it('writes and drafts within 800 MiB', async () => {
      const modelFile = modelFiles({ target: 'none', draft }, new ModelStore(join(folder, 'models')));
      const { pool, cleanUp } = createTestPool(runtime, { modelFile, bundleDir: join(folder, 'bundles') });
      try {
        const events: string[] = [];
        pool.on('event', ({ t }) => events.push(t));
        const skill = await pool.getSkillClient('draft');
        const prompt = '<|extract|>Mi hermana Ana vive en Madrid.<|out|>';
        const written = await skill.infer({ prompt, maxTokens: 4, context: { special_tokens: 'true' } }, TIMEOUT);
        assert.equal(written.tokensGenerated, 4);
        const options = { seed: 1, temperature: 0, topK: 1, topP: 1, minP: 0, vocabularyHash };
        const stream = new RemoteDraft(skill).open([1, 2, 3], options);
        assert.equal((await stream.propose(2, TIMEOUT.timeoutMs)).length, 2, stream.reason);
        stream.close();
        const [status] = await pool.status('draft');
        const used = status?.memoryBytes ?? 0;
        // The weights are pages of the model's file, which count as far as they are in memory.
        assert.ok(used > 50 * MIB && used <= LIMIT, `${Math.round(used / MIB)} MiB`);
        assert.deepEqual(events, ['launching', 'ready']);
      } finally {
        await cleanUp();
      }
    });
  });
}
