/** Tokens per second with and without speculation, beside node-llama-cpp's own, on nano and on twins that cost more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Llama, LlamaModel } from 'node-llama-cpp';
import type { SkillClient } from '../src/pool/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { LlamaTarget, probe, type SpeculationProfile, type SpeculationSnapshot } from '../src/speculative/index.ts';
import { type VariantOptions, writeVariant } from '../test/support/gguf.ts';
import { isNanoThere, NANO_DRAFT, NANO_TARGET, nanoPrompt, sentence, testLlama } from '../test/support/nano.ts';
import { createTestPool } from '../test/support/pool.ts';
import { Figures, median, report } from './measure.ts';
import { benchCatalog, benchRuntime, engineRuntime } from './pool.ts';
import { bound, type Text } from './speculative-bound.ts';
import {
  CONTENDERS,
  CONTEXT,
  type Contender,
  OWN,
  remoteContenders,
  remoteName,
  type Setup,
  WARM_CONTENDERS,
} from './speculative-contenders.ts';

const MAX_TOKENS = 150;
/** Until what runs is compiled, and a draft that was given up while it was not is tried again. */
const WARM_UP_ROUNDS = 4;
/** A text that fills a long context, for which the bits of the widths are compared too. */
const LONG_TEXT = 2048;

/** The same tokens at the cost of a larger model: 34 and 115 million parameters more. */
const MODELS: Record<string, VariantOptions> = {
  'nano Q8_0': { type: 'q8_0' },
  'nano Q4_0': { type: 'q4_0' },
  'twin Q8_0': { type: 'q8_0', extraLayers: 12, width: 1536 },
  'twin Q4_0': { type: 'q4_0', extraLayers: 12, width: 1536 },
  'large twin Q8_0': { type: 'q8_0', extraLayers: 24, width: 3072 },
  'large twin Q4_0': { type: 'q4_0', extraLayers: 24, width: 3072 },
};

const QUICK_MODELS = ['nano Q8_0', 'large twin Q8_0'];

interface Choice {
  quick: boolean;
  /** Models and ways to generate, by name; all when there are none. Plain decoding is always there. */
  only: readonly string[];
}

export async function benchSpeculative(choice: Choice): Promise<Figures> {
  const figures = new Figures();
  const models = chosen(MODELS, choice.only, (name) => !choice.quick || QUICK_MODELS.includes(name));
  if (!isNanoThere) {
    process.stdout.write('speculative: left out, there are no nano models in models/nano\n\n');
    return figures;
  }
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
  const llama = await testLlama();
  const stack = new AsyncDisposableStack();
  try {
    const skills = await launchDrafts(stack);
    const draftModel = await llama.loadModel({ modelPath: NANO_DRAFT });
    for (const [name, variant] of Object.entries(models)) {
      const modelPath = join(folder, 'target.gguf');
      writeVariant(NANO_TARGET, modelPath, variant);
      const lines = await benchModel(llama, name, modelPath, { draftModel, skills }, figures, choice);
      const its = figures.all().filter((figure) => figure.name.startsWith(`${name}: `));
      process.stdout.write(report(`speculative, ${name}`, its, lines));
      rmSync(modelPath);
    }
  } finally {
    await stack.disposeAsync();
    await llama.dispose();
    rmSync(folder, { recursive: true });
  }
  return figures;
}

/** The draft skill in the strongest runtime without an engine, and with an engine in a container. */
async function launchDrafts(stack: AsyncDisposableStack): Promise<Map<RuntimeName, SkillClient>> {
  const skills = new Map<RuntimeName, SkillClient>();
  for (const runtime of [await benchRuntime(), ...(await engineRuntime())]) {
    const { pool, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
    stack.defer(cleanUp);
    skills.set(runtime, await pool.getSkillClient('draft'));
  }
  return skills;
}

async function benchModel(
  llama: Llama,
  name: string,
  modelPath: string,
  { draftModel, skills }: Pick<Setup, 'draftModel' | 'skills'>,
  figures: Figures,
  choice: Choice,
): Promise<string[]> {
  const model = await llama.loadModel({ modelPath });
  const target = await LlamaTarget.create(model, { contextSize: CONTEXT, threads: 1 });
  const draftTarget = await LlamaTarget.create(draftModel, { contextSize: CONTEXT, threads: 1 });
  const profile = await probe(target);
  const [skill] = skills.values();
  const besideDraft = skill === undefined ? profile : await whileDrafting(skill, () => probe(target));
  const setup: Setup = { model, target, profile, besideDraft, draftModel, draftTarget, skills };
  const lines = [`${costs(profile, profile)}; exact up to width ${profile.exactWidth}`];
  if (skill !== undefined) lines.push(`beside a draft that is at work: ${costs(besideDraft, profile)}`);
  if (!choice.quick && choice.only.length === 0 && name.startsWith('nano')) lines.push(await longText(model));
  for (const contenders of [{ ...CONTENDERS, ...remoteContenders(skills.keys()) }, WARM_CONTENDERS]) {
    const its = chosen(contenders, choice.only, () => true);
    if (Object.keys(its).length > 1) lines.push(...(await race(name, its, setup, figures, choice.quick)));
  }
  const rateOf = (kind: string) => median(figures.get(`${name}: ${kind}, undisturbed`)?.rounds ?? []);
  const own = Math.max(
    ...Object.keys(CONTENDERS)
      .filter((kind) => kind.startsWith(OWN))
      .map(rateOf),
  );
  const inProcess = rateOf('draft in-process');
  const compare = (what: string, of: number, with_: number) => {
    if (of > 0 && with_ > 0) lines.push(`${what}: ${(of / with_).toFixed(2)}x`);
  };
  compare(`draft in-process over the better of node-llama-cpp's own`, inProcess, own);
  for (const runtime of skills.keys()) {
    compare(`draft in ${runtime} over in-process`, rateOf(remoteName(runtime)), inProcess);
  }
  await target.dispose();
  await draftTarget.dispose();
  await model.dispose();
  return lines;
}

/** All contenders take turns, prompt by prompt, so that whatever else the machine does meets all of them. */
async function race(name: string, kinds: typeof CONTENDERS, setup: Setup, figures: Figures, quick: boolean) {
  const prompts = Array.from({ length: quick ? 4 : 6 }, (_, n) => nanoPrompt(setup.model, 'extract', sentence(n * 7)));
  const contenders = new Map<string, Contender>();
  /** What is measured of each prompt's text: what comes behind the first token. */
  const texts: Text[] = [];
  for (const [kind, make] of Object.entries(kinds)) contenders.set(kind, await make(setup));
  const differing = new Set<string>();
  /** Milliseconds for each prompt when nothing else was going on, the fastest of all rounds: for one token, and for all. */
  const fastest = new Map(
    Array.from(contenders.keys(), (kind) => [kind, prompts.map(() => ({ one: Infinity, all: Infinity }))]),
  );
  // The first rounds warm up: what is learnt about the draft is kept, as it is between requests.
  const rounds = quick ? 2 : name.startsWith('nano') ? 36 : 12;
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const totals = new Map(Array.from(contenders.keys(), (kind) => [kind, { count: 0, ms: 0 }]));
    for (const [n, prompt] of prompts.entries()) {
      let expected: string | undefined;
      for (const [kind, contender] of contenders) {
        const started = performance.now();
        await contender.generate(prompt, 1);
        const first = performance.now();
        const tokens = await contender.generate(prompt, MAX_TOKENS);
        const total = totals.get(kind);
        if (total === undefined) continue;
        // Without reading the prompt and the first token.
        const all = performance.now() - first;
        total.ms += all - (first - started);
        const times = fastest.get(kind)?.[n];
        if (round >= 0 && times !== undefined) {
          times.one = Math.min(times.one, first - started);
          times.all = Math.min(times.all, all);
        }
        total.count += tokens.length - 1;
        expected ??= tokens.join();
        texts[n] ??= { before: prompt.length, tokens: tokens.length - 1 };
        if (tokens.join() !== expected) differing.add(kind);
      }
    }
    if (round < 0) continue;
    let plainRate: number | undefined;
    for (const [kind, { count, ms }] of totals) {
      const rate = count / (ms / 1000);
      figures.add(`${name}: ${kind}`, 'tokens/s', rate);
      if (plainRate !== undefined) figures.add(`${name}: ${kind}, relative`, 'x plain', rate / plainRate);
      plainRate ??= rate;
    }
  }
  const totalMs = (kind: string) => (fastest.get(kind) ?? []).reduce((sum, { one, all }) => sum + all - one, 0);
  const [plain = ''] = contenders.keys();
  for (const kind of contenders.keys()) {
    if (kind !== plain) figures.add(`${name}: ${kind}, undisturbed`, 'x plain', totalMs(plain) / totalMs(kind));
  }
  const lines = [...differing].map((kind) => `${kind}: NOT the text of plain decoding`);
  for (const [kind, contender] of contenders) {
    const snapshot = contender.stats?.();
    if (snapshot !== undefined && snapshot.verifyCalls > 0) {
      const isRemote = setup.skills.keys().some((runtime) => kind === remoteName(runtime));
      const profiles = [setup.profile, isRemote ? setup.besideDraft : setup.profile] as const;
      lines.push(reached(kind, snapshot, texts, profiles, figures.get(`${name}: ${kind}, undisturbed`)?.rounds));
    }
    await contender.dispose?.();
  }
  return lines;
}

/** Relative to the first of the other profile. */
function costs({ verifyMs, perTokenMs = [] }: SpeculationProfile, to: SpeculationProfile): string {
  const behind = (position: number) => {
    const all = verifyMs.map((ms, n) => ms + position * (perTokenMs[n] ?? 0));
    const plainMs = (to.verifyMs[0] ?? 0) + position * (to.perTokenMs?.[0] ?? 0);
    return `${all.map((ms) => (ms / plainMs).toFixed(2)).join(' ')} (1 is ${plainMs.toFixed(2)} ms)`;
  };
  return `verify cost for 1, 2, ... tokens: ${behind(16)} behind 16 tokens, ${behind(100)} behind 100`;
}

/** Runs something while the draft skill writes without a pause. */
async function whileDrafting<T>(skill: SkillClient, run: () => Promise<T>): Promise<T> {
  let isOver = false;
  const drafting = (async () => {
    while (!isOver) await skill.infer({ prompt: 'Mi hermana vive en Madrid.', maxTokens: 400 });
  })();
  drafting.catch(() => undefined);
  try {
    return await run();
  } finally {
    isOver = true;
    // Throws what became of it.
    await drafting;
  }
}

/**
 * What was reached of what costs and acceptance allow: with a draft that costs nothing, and with the time that its tokens were waited for
 * and, for a draft of its own process, evaluations beside it.
 */
function reached(
  kind: string,
  { sources, fallbacks, tokensPerVerify, verifyCalls, plainCalls }: SpeculationSnapshot,
  texts: readonly Text[],
  [profile, verifying]: readonly [SpeculationProfile, SpeculationProfile],
  ratios: readonly number[] = [],
): string {
  const its = Object.values(sources);
  const sum = (key: 'accepted' | 'tested' | 'drafted' | 'waitMs') =>
    its.reduce((total, source) => total + source[key], 0);
  const rate = sum('accepted') / sum('tested');
  const waitMs = sum('waitMs') / Math.max(1, sum('drafted'));
  const ratio = median(ratios);
  const bounds = {
    'with a free draft': bound(texts, profile, rate, 0),
    waited: bound(texts, profile, rate, waitMs),
    ...(verifying !== profile && { 'waited, beside it': bound(texts, profile, rate, waitMs, verifying) }),
  };
  const stopped = Object.entries(fallbacks).map(([reason, count]) => `${reason} ${count}`);
  return (
    `${kind}: acceptance ${rate.toFixed(2)} per tested token, ${tokensPerVerify?.toFixed(2)} tokens per verify, ` +
    `${((100 * verifyCalls) / (verifyCalls + plainCalls)).toFixed(0)}% of the rounds; undisturbed ${ratio.toFixed(2)}x; bound ` +
    Object.entries(bounds)
      .map(([what, of]) => `${what} ${of.toFixed(2)}x (reached ${((100 * ratio) / of).toFixed(0)}%)`)
      .join(', ') +
    (stopped.length > 0 ? `; fallbacks: ${stopped.join(', ')}` : '')
  );
}

/** What was named, of those that count without; the first is always there. */
function chosen<T>(all: Record<string, T>, only: readonly string[], byDefault: (name: string) => boolean) {
  const names = Object.keys(all);
  const named = names.filter((name) => only.includes(name));
  const isPlain = (name: string) => name === names[0] && !(name in MODELS);
  return Object.fromEntries(
    Object.entries(all).filter(([name]) =>
      named.length > 0 ? named.includes(name) || isPlain(name) : byDefault(name),
    ),
  );
}

async function longText(model: LlamaModel): Promise<string> {
  const target = await LlamaTarget.create(model, { contextSize: LONG_TEXT + 64, threads: 1 });
  const { exactWidth } = await probe(target, { textLength: LONG_TEXT, budgetMs: 600_000 });
  await target.dispose();
  return `over ${LONG_TEXT} tokens: exact up to width ${exactWidth}`;
}
