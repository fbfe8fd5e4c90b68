/** The draft skill with the model that comes with Phoenix, in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readManifest } from '../src/manifest/index.ts';
import { ModelStore, modelFiles } from '../src/models/index.ts';
import { type ModelPool, type SkillClient, SkillLaunchError } from '../src/pool/index.ts';
import { nodeFlags } from '../src/runtimes/node-flags.ts';
import { batchStarter } from '../src/runtimes/priority.ts';
import { DEFAULT_SAMPLER, LlamaTarget, RemoteDraft, SpeculativeDecoder } from '../src/speculative/index.ts';
import { patient } from './support/drafts.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { attempt, IT_WORKED } from './support/inside.ts';
import { NANO_DRAFT, NANO_TARGET, nanoPrompt, sentence, testLlama } from './support/nano.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const TIMEOUT = { timeoutMs: 30_000 };
const folder = mkdtempSync(join(tmpdir(), 'phoenix-draft-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const QUESTION = {
  prompt: '<|extract|>Mi hermana Ana vive en Madrid.<|out|>',
  maxTokens: 48,
  context: { special_tokens: 'true' },
};

const { resources } = readManifest(join(import.meta.dirname, '../skills/draft/skill.yaml'));

/** The number of the policy for batch work, sched(7). */
const SCHED_BATCH = 3;

/** The processes of Node on this machine that were started with this flag, those of other tests included. */
function nodesWith(flag: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    const [program = '', ...words] = (attemptRead(`/proc/${pid}/cmdline`) ?? '').split('\0');
    return program.endsWith('/node') && words.includes(flag);
  });
}

/** By which policy the threads of a process get a processor: field 41 of stat, proc_pid_stat(5). */
function policiesOf(pid: string): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const stat = attemptRead(`/proc/${pid}/task/${thread}/stat`);
    return stat === undefined ? [] : [Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[41 - 3])];
  });
}

/** @returns undefined when it has ended meanwhile */
function attemptRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The models of a configuration that has this draft. */
function withDraft(draft: string) {
  return { modelFile: modelFiles({ target: 'none', draft }, new ModelStore(join(folder, 'models'))) };
}

async function launchError(pool: ModelPool): Promise<SkillLaunchError> {
  try {
    await pool.getSkillClient('draft');
  } catch (error) {
    assert.ok(error instanceof SkillLaunchError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was launched' });
}

const engine = new TestEngine();
before(() => (canStartEngine() ? engine.start() : undefined));
after(() => engine.remove());
const withoutEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());

for (const runtime of ['docker' as const, ...(await availableRuntimes())]) {
  const options = { skip: runtime === 'docker' && withoutEngine };

  describe(`the draft skill with ${runtime}`, options, () => {
    let test: ReturnType<typeof createTestPool>;
    let skill: SkillClient;
    before(async () => {
      test = createTestPool(runtime);
      skill = await test.pool.getSkillClient('draft');
    });
    after(() => test.cleanUp());

    it('writes what its model writes', async () => {
      const answer = await skill.infer(QUESTION, TIMEOUT);
      assert.match(answer.text, /hermana/);
      assert.equal(answer.finishReason, 'stop');
      assert.match(answer.model, /nano.* Q8_0$/);
      assert.ok(answer.tokensGenerated > 4 && answer.tokensGenerated < QUESTION.maxTokens);
      assert.ok(answer.confidence > 0.2 && answer.confidence <= 1, `${answer.confidence}`);
      assert.deepEqual((await skill.infer(QUESTION, TIMEOUT)).text, answer.text);
    });

    const withoutStarter = isMissing('chrt (util-linux)', batchStarter({ resources }) !== undefined);
    it('never takes a processor from what is running', { skip: withoutStarter }, () => {
      const [flag = ''] = nodeFlags(resources.memory);
      const policies = nodesWith(flag).flatMap(policiesOf);
      assert.ok(policies.length > 0, `no process was started with ${flag}`);
      assert.deepEqual(
        policies.filter((policy) => policy !== SCHED_BATCH),
        [],
      );
    });

    it('writes the same piece by piece', async () => {
      const whole = await skill.infer(QUESTION, TIMEOUT);
      const pieces = await Array.fromAsync(skill.inferStream(QUESTION, TIMEOUT));
      assert.ok(pieces.length > 4);
      assert.equal(pieces.map(({ text }) => text).join(''), whole.text);
      assert.deepEqual(
        pieces.map(({ finishReason }) => finishReason),
        [...pieces.slice(1).map(() => ''), 'stop'],
      );
      assert.equal(pieces.at(-1)?.tokensGenerated, whole.tokensGenerated);
    });

    it('generates nothing, or no more than it is asked for', async () => {
      const none = await skill.infer({ ...QUESTION, maxTokens: 0 }, TIMEOUT);
      assert.deepEqual([none.text, none.tokensGenerated, none.finishReason], ['', 0, 'length']);
      const three = await skill.infer({ ...QUESTION, maxTokens: 3 }, TIMEOUT);
      assert.deepEqual([three.tokensGenerated, three.finishReason], [3, 'length']);
      const { text } = await skill.infer({ ...QUESTION, stop: ['ana'] }, TIMEOUT);
      assert.match(text, /herm$/);
    });

    it('draws with the seed of the request, and another one draws something else', async () => {
      const draw = async (seed: number) => {
        const context = { ...QUESTION.context, seed: String(seed) };
        return (await skill.infer({ ...QUESTION, temperature: 3, topP: 1, context }, TIMEOUT)).text;
      };
      const first = await draw(1);
      assert.equal(await draw(1), first);
      assert.notEqual(await draw(2), first);
    });

    it('refuses what makes no sense or does not fit', async () => {
      const refused: [request: Parameters<SkillClient['infer']>[0], reason: RegExp][] = [
        [{ prompt: 'x '.repeat(3000), maxTokens: 8 }, /do not fit into a context of \d+: shorten the prompt/],
        [{ prompt: '', maxTokens: 8 }, /the prompt is empty/],
        [{ prompt: 'a', maxTokens: -1 }, /max_tokens must be a whole number/],
        [{ prompt: 'a', maxTokens: 8, temperature: -1 }, /temperature must be from 0/],
        [{ prompt: 'a', maxTokens: 8, topP: 2 }, /topP must be from/],
        [{ prompt: 'a', maxTokens: 8, stop: [''] }, /stop sequence must not be empty/],
        [{ prompt: 'a', maxTokens: 8, context: { seed: 'one' } }, /context\.seed must be a whole number, not "one"/],
      ];
      for (const [request, message] of refused)
        await assert.rejects(skill.infer(request, TIMEOUT), { code: 'INVALID_ARGUMENT', message });
      // What users write is never a control token unless the caller says so.
      const { text } = await skill.infer({ ...QUESTION, context: {} }, TIMEOUT);
      assert.notEqual(text, (await skill.infer(QUESTION, TIMEOUT)).text);
    });

    it('drafts for a larger model, which writes what it would write alone', async () => {
      await using llama = await testLlama();
      const model = await llama.loadModel({ modelPath: NANO_TARGET });
      const target = await LlamaTarget.create(model, { contextSize: 256, threads: 1 });
      const profile = { exactWidth: 8, verifyMs: [1, 1, 1, 1, 1, 1, 1, 1] };
      const draft = patient(new RemoteDraft(skill));
      const alone = new SpeculativeDecoder({ target, profile, mode: 'off' });
      const together = new SpeculativeDecoder({ target, profile, draft, ngram: false, draftTokens: 4 });
      for (let n = 0; n < 6; n++) {
        const prompt = nanoPrompt(model, 'extract', sentence(n));
        const settings = { ...DEFAULT_SAMPLER, temperature: (n % 2) * 0.8, seed: n, maxTokens: 48 };
        const write = async (decoder: SpeculativeDecoder) =>
          (await Array.fromAsync(decoder.generate(prompt, settings))).map(({ text }) => text).join('');
        assert.equal(await write(together), await write(alone));
      }
      const [source] = Object.values(together.stats.snapshot().sources);
      assert.ok((source?.acceptanceRate ?? 0) > 0.3, `${source?.acceptanceRate} of the proposed tokens were right`);
    });

    it('stops when the caller is gone, and serves many at once', async () => {
      const endless = { prompt: 'a', maxTokens: 400, temperature: 3, topP: 1 };
      const gone = new AbortController();
      const pieces = skill.inferStream(endless, { ...TIMEOUT, signal: gone.signal });
      await assert.rejects(async () => {
        for await (const _ of pieces) gone.abort();
      });
      const many = await Promise.all(Array.from({ length: 12 }, () => skill.infer(QUESTION, TIMEOUT)));
      assert.equal(new Set(many.map(({ text }) => text)).size, 1);
      const { inFlight, queued } = await skill.metrics();
      assert.deepEqual([inFlight, queued], [0, 0]);
    });
  });

  describe(`what a skill with ${runtime} may do with a model and a package`, options, () => {
    it('reads them and changes nothing', async () => {
      const path = join(folder, `${runtime}.gguf`);
      copyFileSync(NANO_DRAFT, path);
      const { pool, paths, cleanUp } = createTestPool(runtime, withDraft(path));
      try {
        const skill = await pool.getSkillClient('reader');
        const isAlone = runtime === 'process';
        const model = isAlone ? path : '/models/draft.gguf';
        const code = isAlone ? join(paths.run('reader'), 'code') : '/app';
        const library = join(code, 'node_modules/node-llama-cpp/package.json');
        for (const file of [model, library]) {
          const tryFs = (call: string) => attempt(skill, `require('fs').${call}`);
          assert.equal(await tryFs(`readFileSync('${file}')`), IT_WORKED, file);
          for (const call of [
            `appendFileSync('${file}', 'x')`,
            `closeSync(require('fs').openSync('${file}', 'r+'))`,
            `unlinkSync('${file}')`,
            `chmodSync('${file}', 0o777)`,
            `truncateSync('${file}', 0)`,
            `writeFileSync('${file}.other', 'x')`,
          ]) {
            assert.match(await tryFs(call), /^(EROFS|EACCES|EPERM|EBUSY|ERR_ACCESS_DENIED)$/, `${call} of ${file}`);
          }
        }
        assert.deepEqual(readFileSync(path), readFileSync(NANO_DRAFT));
        assert.equal(await attempt(skill, "await import('node-llama-cpp')"), IT_WORKED);
        const others = isAlone ? [NANO_TARGET, NANO_DRAFT] : [path, NANO_TARGET, '/models/target.gguf'];
        for (const other of others) {
          assert.match(await attempt(skill, `require('fs').readFileSync('${other}')`), /^(ENOENT|ERR_ACCESS_DENIED)$/);
        }
      } finally {
        await cleanUp();
      }
    });
  });

  describe(`models that the draft skill cannot use, with ${runtime}`, options, () => {
    const cases: [what: string, draft: () => string, expected: RegExp][] = [
      ['none', () => 'none', /models\.draft is "none"/],
      ['one that is not there', () => join(folder, 'gone.gguf'), /there is no model file .*gone\.gguf/],
      ['one that was not pulled', () => 'hf:owner/repo:Q8_0', /run "phoenix models pull hf:owner\/repo:Q8_0"/],
      [
        'a part of one',
        () => {
          writeFileSync(join(folder, 'part.gguf'), readFileSync(NANO_DRAFT).subarray(0, 200_000));
          return join(folder, 'part.gguf');
        },
        /part\.gguf is not complete: it ends after 200000 of \d+ bytes/,
      ],
    ];
    for (const [what, draft, expected] of cases) {
      it(`says so of ${what}`, async () => {
        const { pool, cleanUp } = createTestPool(runtime, withDraft(draft()));
        try {
          assert.match((await launchError(pool)).message, expected);
        } finally {
          await cleanUp();
        }
      });
    }

    it('says so of one that only llama.cpp finds wrong', async () => {
      const wrong = readFileSync(NANO_DRAFT);
      wrong.write('x', wrong.indexOf('llama.feed_forward_length'));
      writeFileSync(join(folder, 'wrong.gguf'), wrong);
      const { pool, cleanUp } = createTestPool(runtime, withDraft(join(folder, 'wrong.gguf')));
      try {
        assert.match((await launchError(pool)).message, /could not be loaded|ended by SIGABRT|exited with code 134/);
      } finally {
        await cleanUp();
      }
    });

    it('is launched anew when the file of the model has changed', async () => {
      const path = join(folder, 'mine.gguf');
      copyFileSync(NANO_DRAFT, path);
      const { pool, stateDir, cleanUp } = createTestPool(runtime, withDraft(path));
      try {
        const skill = await pool.getSkillClient('draft');
        const first = await skill.infer(QUESTION, TIMEOUT);
        await pool.close({ keepRunning: true });
        utimesSync(path, new Date(), new Date(0));
        const next = createTestPool(runtime, withDraft(path), stateDir);
        try {
          const launched: string[] = [];
          next.pool.on('event', (event) => {
            if (event.t === 'ready') launched.push(event.kind);
          });
          const again = await (await next.pool.getSkillClient('draft')).infer(QUESTION, TIMEOUT);
          assert.equal(again.text, first.text);
          assert.deepEqual(launched, ['cold']);
        } finally {
          await next.pool.close();
        }
      } finally {
        await cleanUp();
      }
    });
  });
}
