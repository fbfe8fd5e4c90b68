/** The ways to generate that are compared. */
import { DraftSequenceTokenPredictor, type LlamaContextSequence, type LlamaModel, type Token } from 'node-llama-cpp';
import type { SkillClient } from '../src/pool/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import {
  DEFAULT_SAMPLER,
  type DecoderOptions,
  type LlamaTarget,
  LocalDraft,
  RemoteDraft,
  type SpeculationProfile,
  type SpeculationSnapshot,
  SpeculativeDecoder,
} from '../src/speculative/index.ts';

export const CONTEXT = 512;

export interface Setup {
  model: LlamaModel;
  target: LlamaTarget;
  profile: SpeculationProfile;
  /** What evaluating costs while the draft skill is at work. */
  besideDraft: SpeculationProfile;
  draftModel: LlamaModel;
  draftTarget: LlamaTarget;
  /** The draft skill, by the runtime that it runs in. */
  skills: ReadonlyMap<RuntimeName, SkillClient>;
}

/** One way to generate. */
export interface Contender {
  generate(prompt: readonly number[], maxTokens: number): Promise<number[]>;
  stats?(): SpeculationSnapshot;
  dispose?(): Promise<void>;
}

const ours =
  (options: (setup: Setup) => Partial<DecoderOptions>, temperature = 0) =>
  async (setup: Setup): Promise<Contender> => {
    const decoder = new SpeculativeDecoder({ target: setup.target, profile: setup.profile, ...options(setup) });
    return {
      async generate(prompt, maxTokens) {
        const settings = { ...DEFAULT_SAMPLER, temperature, seed: 1, maxTokens };
        return (await Array.fromAsync(decoder.generate(prompt, settings))).map(({ token }) => token);
      },
      stats: () => decoder.stats.snapshot(),
    };
  };

/** Its predictor now and then waits for itself for ever; a generation takes less than a second. */
const HANGS_AFTER_MS = 20_000;

const theirs =
  (predictor?: { minTokens: number; maxTokens: number }) =>
  async (setup: Setup): Promise<Contender> => {
    const options = { contextSize: CONTEXT, threads: 1, flashAttention: true };
    const open = async () => {
      const context = await setup.model.createContext(options);
      const draftContext = predictor && (await setup.draftModel.createContext(options));
      const tokenPredictor = draftContext && new DraftSequenceTokenPredictor(draftContext.getSequence(), predictor);
      return { context, draftContext, sequence: context.getSequence({ tokenPredictor }) };
    };
    let opened = await open();
    return {
      async generate(prompt, maxTokens) {
        while (true) {
          let timer: NodeJS.Timeout | undefined;
          const late = new Promise<undefined>((resolve) => {
            timer = setTimeout(() => resolve(undefined), HANGS_AFTER_MS);
          });
          const tokens = await Promise.race([evaluate(opened.sequence, prompt, maxTokens), late]);
          clearTimeout(timer);
          if (tokens !== undefined) return tokens;
          process.stdout.write('node-llama-cpp hangs, and begins anew\n');
          // What hangs cannot be disposed of.
          opened = await open();
        }
      },
      async dispose() {
        await opened.context.dispose();
        await opened.draftContext?.dispose();
      },
    };
  };

async function evaluate(sequence: LlamaContextSequence, prompt: readonly number[], maxTokens: number) {
  await sequence.clearHistory();
  const tokens: number[] = [];
  for await (const token of sequence.evaluate(prompt as Token[], { temperature: 0, yieldEogToken: true })) {
    tokens.push(token);
    if (tokens.length === maxTokens || sequence.model.isEogToken(token)) break;
  }
  return tokens;
}

/** What the names of node-llama-cpp's own begin with. */
export const OWN = 'node-llama-cpp';
const local = (setup: Setup, runAhead: number) => new LocalDraft(setup.draftTarget, { runAhead });

/** The first of each temperature is what the others are compared with. */
export const CONTENDERS: Record<string, (setup: Setup) => Promise<Contender>> = {
  plain: ours(() => ({ mode: 'off' })),
  'plain, node-llama-cpp': theirs(),
  [`${OWN}, 3 to 6 tokens`]: theirs({ minTokens: 3, maxTokens: 6 }),
  [`${OWN}, 1 token`]: theirs({ minTokens: 1, maxTokens: 1 }),
  'draft in-process': ours((setup) => ({ draft: local(setup, 0), ngram: false })),
  'draft in-process, running ahead': ours((setup) => ({ draft: local(setup, 8), ngram: false })),
  'n-grams, then draft': ours((setup) => ({ draft: local(setup, 0) })),
  'n-grams': ours(() => ({})),
  // What differs between two that do the same is the machine.
  'plain, again': ours(() => ({ mode: 'off' })),
};

export const remoteName = (runtime: RuntimeName) => `draft in ${runtime}`;

/** The draft in a process of its own, in each runtime. */
export function remoteContenders(runtimes: Iterable<RuntimeName>): typeof CONTENDERS {
  return Object.fromEntries(
    Array.from(runtimes, (runtime) => [
      remoteName(runtime),
      ours(({ skills }) => {
        const skill = skills.get(runtime);
        return { draft: skill && new RemoteDraft(skill), ngram: false };
      }),
    ]),
  );
}

export const WARM_CONTENDERS: typeof CONTENDERS = {
  'plain, T = 0.8': ours(() => ({ mode: 'off' }), 0.8),
  'draft in-process, T = 0.8': ours((setup) => ({ draft: local(setup, 0), ngram: false }), 0.8),
};
