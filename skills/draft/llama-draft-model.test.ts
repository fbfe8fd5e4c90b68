import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import { CallMetrics } from '../../src/skill/call-metrics.ts';
import { DraftService } from '../../src/skill/draft-service.ts';
import {
  DEFAULT_SAMPLER,
  LlamaTarget,
  LocalDraft,
  probe,
  RemoteDraft,
  type SpeculationProfile,
  SpeculativeDecoder,
} from '../../src/speculative/index.ts';
import { wiredSource } from '../../test/support/draft-wire.ts';
import { patient } from '../../test/support/drafts.ts';
import { isNanoThere, NANO_DRAFT, NANO_TARGET, nanoPrompt, sentence, testLlama } from '../../test/support/nano.ts';
import { isMissing } from '../../test/support/requirements.ts';
import { ModelDrafter } from './drafting.ts';
import { LlamaDraftModel } from './llama-draft-model.ts';

const CONTEXT = 256;

describe('a GGUF model that drafts', { skip: isMissing('the nano models in models/nano', isNanoThere) }, () => {
  let llama: Llama;
  let models: Record<'target' | 'draft', LlamaModel>;
  let target: LlamaTarget;
  let profile: SpeculationProfile;

  before(async () => {
    llama = await testLlama();
    const [targetModel, draftModel] = await Promise.all([
      llama.loadModel({ modelPath: NANO_TARGET }),
      llama.loadModel({ modelPath: NANO_DRAFT }),
    ]);
    models = { target: targetModel, draft: draftModel };
    target = await LlamaTarget.create(targetModel, { contextSize: CONTEXT, threads: 1 });
    profile = await probe(target);
  });
  after(() => llama.dispose());

  /** Generates with a drafting stream to this model. @returns the text and how often it was right */
  async function generate(which: keyof typeof models, temperature: number) {
    const model = await LlamaDraftModel.create('nano', models[which], {
      contextSize: CONTEXT,
      sequences: 1,
      threads: 1,
    });
    const drafter = new ModelDrafter(model);
    const config = { skill: 'draft', concurrency: 1, streamIdleMs: 60_000 };
    const service = new DraftService(() => ({ infer: () => '', drafter }), config, new CallMetrics());
    const draft = new RemoteDraft(wiredSource(service.handle, () => 0));
    const outcome = await run({ draft: patient(draft), draftTokens: 4, ngram: false }, temperature);
    await drafter.idle();
    await model.dispose();
    return outcome;
  }

  async function run(
    options: Partial<ConstructorParameters<typeof SpeculativeDecoder>[0]>,
    temperature: number,
  ): Promise<{ texts: string[]; acceptance: number | undefined }> {
    const decoder = new SpeculativeDecoder({ target, profile, ...options });
    const texts: string[] = [];
    for (let n = 0; n < 40; n++) {
      const prompt = nanoPrompt(models.target, 'extract', sentence(n));
      const settings = { ...DEFAULT_SAMPLER, temperature, seed: n, maxTokens: 60 };
      const tokens = await Array.fromAsync(decoder.generate(prompt, settings));
      texts.push(tokens.map(({ text }) => text).join(''));
    }
    const [source] = Object.values(decoder.stats.snapshot().sources);
    return { texts, acceptance: source?.acceptanceRate };
  }

  for (const temperature of [0, 0.9]) {
    it(`is always right where it is the target itself, at temperature ${temperature}`, async () => {
      const { texts, acceptance } = await generate('target', temperature);
      assert.deepEqual(texts, (await run({ mode: 'off' }, temperature)).texts);
      // Its batches are of other widths, and then the last bits may differ.
      assert.ok((acceptance ?? 0) > 0.99, `${acceptance} were accepted`);
    });

    it(`is as good as the same model in the same process, at temperature ${temperature}`, async () => {
      const draftTarget = await LlamaTarget.create(models.draft, { contextSize: CONTEXT, threads: 1 });
      const local = await run(
        { draft: patient(new LocalDraft(draftTarget)), draftTokens: 4, ngram: false },
        temperature,
      );
      const remote = await generate('draft', temperature);
      assert.deepEqual(remote.texts, local.texts);
      const [a = 0, b = 0] = [remote.acceptance, local.acceptance];
      assert.ok(a > 0.2 && Math.abs(a - b) < 0.1, `accepted: ${a} remote, ${b} local`);
      await draftTarget.dispose();
    });
  }
});
