/** Drafting streams through the pool, to skills in every runtime that this machine offers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientDuplexStream, credentials, status } from '@grpc/grpc-js';
import { type DraftOpen, type DraftRequest, type DraftResponse, SkillServiceClient } from '../src/contract/index.ts';
import { type CallObservation, type ModelPool, SkillCallError } from '../src/pool/index.ts';
import { DEFAULT_SAMPLER, type DraftStream, RemoteDraft, SpeculativeDecoder } from '../src/speculative/index.ts';
import { chainNext, VOCABULARY } from './fixtures/skills/chain-draft/chain-model.ts';
import { killSkill, skillProcesses } from './support/kill.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { scopedPool, until } from './support/scoped-pool.ts';
import { SyntheticTarget } from './support/synthetic-target.ts';

const OPTIONS = { seed: 11, temperature: 0, topK: 40, topP: 1, minP: 0, vocabularyHash: VOCABULARY.vocabularyHash };
const LONG_MS = 10_000;

/** Generates as a target would that agrees with the chain, and makes it say something else now and then. */
async function generate(stream: DraftStream, certain: number[], rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const proposed = await stream.propose(1 + (round % 6), LONG_MS);
    assert.ok(proposed.length > 0, `round ${round}: nothing was proposed`);
    const expected: number[] = [];
    for (const _ of proposed) expected.push(chainNext([...certain, ...expected], OPTIONS.seed));
    assert.deepEqual(proposed, expected);
    const tokens = round % 3 === 0 ? [...proposed, round % 100] : proposed.slice(0, 1 + (round % 3));
    stream.commit(tokens);
    certain.push(...tokens);
  }
}

/** Says what the chain says, but for every eleventh token. */
class ChainTarget extends SyntheticTarget {
  override readonly vocabularyHash = VOCABULARY.vocabularyHash;

  override distribution(tokens: readonly number[]): number[] {
    const isOther = tokens.length % 11 === 0 ? 1 : 0;
    const next = (chainNext(tokens, OPTIONS.seed) + isOther) % (this.vocabularySize - 1);
    return Array.from({ length: this.vocabularySize }, (_, token) => (token === next ? 0.9 : 0.001));
  }
}

/** The calls that a pool has told of. */
function observed(pool: ModelPool): CallObservation[] {
  const calls: CallObservation[] = [];
  pool.on('call', (call) => calls.push(call));
  return calls;
}

async function openStreams(pool: ModelPool): Promise<number | undefined> {
  return (await pool.client('chain-draft').metrics()).draft?.open;
}

const runtimes = await availableRuntimes();

for (const runtime of runtimes) {
  describe(`drafting streams with ${runtime}`, () => {
    const { pool, paths, cleanUp } = createTestPool(runtime);
    after(cleanUp);
    const draft = new RemoteDraft(pool.client('chain-draft'));

    it('launches the skill while the generation goes on, and then proposes what follows', async () => {
      const calls = observed(pool);
      const certain = [1, 2, 3];
      const stream = draft.open(certain, OPTIONS);
      for (let n = 0; n < 20; n++) {
        stream.commit([n]);
        certain.push(n);
        await sleep(5);
      }
      await generate(stream, certain, 60);
      stream.close();
      await until('the end of the stream', async () => (await openStreams(pool)) === 0);
      assert.deepEqual(calls, [{ skill: 'chain-draft', seconds: undefined, code: 'OK' }]);
      const metrics = await pool.client('chain-draft').metrics();
      assert.deepEqual(metrics.errorsTotal, {});
      assert.ok(Number(metrics.draft?.proposedTokensTotal) > 100);
    });

    it('serves as many generations as it has memory for, and refuses the others without harm', async () => {
      const calls = observed(pool);
      const streams = Array.from({ length: 8 }, (_, n) => ({ certain: [n, 1], stream: draft.open([n, 1], OPTIONS) }));
      await Promise.all(streams.map(({ stream }) => stream.propose(1, LONG_MS)));
      const served = streams.filter(({ stream }) => stream.alive);
      assert.equal(served.length, 3);
      await Promise.all(served.map(({ stream, certain }) => generate(stream, certain, 30)));
      const refused = streams.filter(({ stream }) => !stream.alive).map(({ stream }) => stream);
      await until('the reasons', () => refused.every(({ reason }) => reason?.startsWith('skill chain-draft: ')));
      assert.equal(calls.filter(({ code }) => code === 'RESOURCE_EXHAUSTED').length, 5);
      for (const { stream } of streams) stream.close();
      await until('the end of the streams', async () => (await openStreams(pool)) === 0);
      const again = draft.open([9], OPTIONS);
      await generate(again, [9], 5);
      again.close();
    });

    it('keeps the decoder waiting no longer than it may while the skill stands still, and is right afterwards', async () => {
      const certain = [4, 5];
      const stream = draft.open(certain, OPTIONS);
      await generate(stream, certain, 5);
      const processes = skillProcesses(paths, 'chain-draft');
      for (const pid of processes) process.kill(pid, 'SIGSTOP');
      try {
        stream.commit([1]);
        certain.push(1);
        // What was on its way may still come.
        await stream.propose(8, 100);
        for (const waitMs of [0, 1, 10, 50]) {
          stream.commit([50]);
          certain.push(50);
          const started = performance.now();
          assert.deepEqual(await stream.propose(4, waitMs), []);
          const took = performance.now() - started;
          assert.ok(took < waitMs + 50, `${took} ms instead of ${waitMs}`);
        }
      } finally {
        for (const pid of processes) process.kill(pid, 'SIGCONT');
      }
      await generate(stream, certain, 10);
      stream.close();
    });

    it('loses the stream, not the generation, when the skill is killed, and drafts again for the next one', async () => {
      const calls = observed(pool);
      const certain = [6, 7];
      const stream = draft.open(certain, OPTIONS);
      await generate(stream, certain, 5);
      stream.commit([98]);
      assert.ok(killSkill(paths, 'chain-draft', 'innermost'));
      const started = performance.now();
      while (stream.alive && performance.now() - started < LONG_MS) {
        await stream.propose(1, 50);
        stream.commit([99]);
      }
      assert.equal(stream.alive, false);
      assert.deepEqual(await stream.propose(4, LONG_MS), []);
      await until('the reason', () => stream.reason?.startsWith('skill chain-draft: ') === true);
      assert.match(stream.reason ?? '', /the connection broke .* ended by SIGKILL/);
      assert.deepEqual(calls, [{ skill: 'chain-draft', seconds: undefined, code: 'UNAVAILABLE' }]);
      stream.close();
      const next = draft.open([8], OPTIONS);
      await generate(next, [8], 10);
      next.close();
    });

    it('changes no letter of a text, even when it is killed in the middle of it', async () => {
      const { vocabularySize } = VOCABULARY;
      const target = new ChainTarget({ vocabularySize, costMs: (width) => 2 + width * 0.05 });
      const profile = { exactWidth: 9, verifyMs: Array.from({ length: 9 }, (_, n) => 2 + n * 0.05) };
      const settings = { ...DEFAULT_SAMPLER, seed: OPTIONS.seed, maxTokens: 300 };
      const plain = new SpeculativeDecoder({ target, profile, mode: 'off' });
      const expected = await Array.fromAsync(plain.generate([1, 2, 3], settings));
      const decoder = new SpeculativeDecoder({ target, profile, draft, draftTokens: 4, ngram: false });
      await pool.getSkillClient('chain-draft');
      for (const kills of [true, false]) {
        const tokens: number[] = [];
        let drafted = 0;
        for await (const { token, origin } of decoder.generate([1, 2, 3], settings)) {
          tokens.push(token);
          if (origin === 'draft') drafted++;
          if (kills && tokens.length === 150) assert.ok(killSkill(paths, 'chain-draft', 'innermost'));
        }
        assert.deepEqual(
          tokens,
          expected.map(({ token }) => token),
        );
        assert.ok(drafted > (kills ? 50 : 150), `${drafted} tokens were drafted`);
        assert.equal(decoder.stats.snapshot().fallbacks.lost, 1);
        await pool.getSkillClient('chain-draft');
      }
    });

    it('ends at once when the skill is stopped or reloaded, and is back with the next generation', async () => {
      for (const end of ['stop', 'reload'] as const) {
        const certain = [1];
        const stream = draft.open(certain, OPTIONS);
        await generate(stream, certain, 5);
        const started = performance.now();
        await pool[end]('chain-draft');
        await until('the end of the stream', () => !stream.alive);
        assert.ok(performance.now() - started < 4000, 'it was not waited for');
        stream.close();
      }
      const stream = draft.open([2], OPTIONS);
      await generate(stream, [2], 5);
      stream.close();
    });

    it('is busy while a stream is open: neither stopped for being idle nor for another skill', async () => {
      await using test = scopedPool(runtime, { idleTtlMs: 200, maxLoaded: 1 });
      const certain = [1];
      const stream = new RemoteDraft(test.pool.client('chain-draft')).open(certain, OPTIONS);
      await generate(stream, certain, 5);
      await sleep(500);
      await assert.rejects(test.pool.getSkillClient('echo'), /none of them is idle/);
      await generate(stream, certain, 5);
      stream.close();
      await until('the idle stop', async () => (await test.pool.status('chain-draft'))[0]?.state === 'stopped');
    });

    it('is told by the pool why there is no stream', async () => {
      const listener = { onResponse: () => {}, onDrain: () => {}, onEnd: () => {} };
      const line = await pool.client('echo').draft(listener);
      const error = await line.ended;
      assert.ok(error instanceof SkillCallError);
      assert.equal(error.code, 'UNIMPLEMENTED');
      await assert.rejects(pool.client('broken-start').draft(listener), /no luck today/);
    });

    for (let seed = 1; seed <= 8; seed++) {
      it(`ends the stream of a skill that misbehaves (${seed}), and nothing else`, async () => {
        const stream = new RemoteDraft(pool.client('rogue-draft')).open([1, 2, 3], { ...OPTIONS, seed });
        await until('the end of the stream', () => !stream.alive);
        await until('the reason', () => stream.reason?.startsWith('skill rogue-draft: ') === true);
        assert.deepEqual(await stream.propose(4, 0), []);
        stream.commit([1]);
        stream.close();
      });
    }
  });
}

describe('a drafting stream of any client', () => {
  const [runtime = 'process'] = runtimes;
  const { pool, paths, cleanUp } = createTestPool(runtime);
  let client: SkillServiceClient;
  before(async () => {
    await pool.getSkillClient('chain-draft');
    const socket = join(paths.socketDir('chain-draft'), 'skill.sock');
    client = new SkillServiceClient(`unix:${socket}`, credentials.createInsecure());
  });
  after(async () => {
    client.close();
    await cleanUp();
  });

  const open: DraftOpen = { ...OPTIONS, seed: 11n, prompt: [1, 2, 3], runAhead: 4 };
  const opening = (changes: Partial<DraftOpen>): DraftRequest => ({ open: { ...open, ...changes }, commit: undefined });
  const committing = (position: number, ...tokens: number[]): DraftRequest => ({
    open: undefined,
    commit: { position, tokens },
  });
  /** The code with which a stream ends. */
  const ending = (stream: ClientDuplexStream<DraftRequest, DraftResponse>) =>
    new Promise<number>((resolve) => {
      stream.on('error', () => {});
      stream.on('data', () => {});
      stream.on('status', ({ code }) => resolve(code));
    });

  const refused: [what: string, code: number, requests: DraftRequest[]][] = [
    ['a commit before it is open', status.INVALID_ARGUMENT, [committing(0, 1)]],
    ['nothing', status.INVALID_ARGUMENT, [{ open: undefined, commit: undefined }]],
    ['opening twice', status.INVALID_ARGUMENT, [opening({}), opening({})]],
    ['another vocabulary', status.FAILED_PRECONDITION, [opening({ vocabularyHash: 'x' })]],
    ['no prompt', status.INVALID_ARGUMENT, [opening({ prompt: [] })]],
    ['a prompt that is longer than the context', status.OUT_OF_RANGE, [opening({ prompt: new Array(513).fill(1) })]],
    ['a prompt of what are no tokens', status.INVALID_ARGUMENT, [opening({ prompt: [1, 100] })]],
    ['too far ahead', status.INVALID_ARGUMENT, [opening({ runAhead: 65 })]],
    ['not ahead', status.INVALID_ARGUMENT, [opening({ runAhead: 0 })]],
    ['a temperature that is none', status.INVALID_ARGUMENT, [opening({ temperature: Number.NaN })]],
    ['a seed that is not exact', status.INVALID_ARGUMENT, [opening({ seed: 2n ** 60n })]],
    ['a commit of what are no tokens', status.INVALID_ARGUMENT, [opening({}), committing(3, 5, 4_000_000_000)]],
    ['a commit at the wrong place', status.INVALID_ARGUMENT, [opening({}), committing(4, 5)]],
    ['a commit beyond the context', status.OUT_OF_RANGE, [opening({}), committing(3, ...new Array(510).fill(1))]],
  ];
  for (const [what, code, requests] of refused) {
    it(`refuses ${what}`, async () => {
      const stream = client.draft();
      const ended = ending(stream);
      for (const request of requests) stream.write(request);
      assert.equal(await ended, code);
    });
  }

  it('is ended when it is silent, whether it was open or not, and gives its memory back', async () => {
    for (const requests of [[], [opening({})]]) {
      const stream = client.draft();
      const ended = ending(stream);
      for (const request of requests) stream.write(request);
      assert.equal(await ended, status.DEADLINE_EXCEEDED);
    }
    assert.equal(await openStreams(pool), 0);
  });

  it('frees what it used when it is cancelled', async () => {
    for (let n = 0; n < 10; n++) {
      const stream = client.draft();
      const ended = ending(stream);
      stream.write(opening({}));
      await new Promise((resolve) => stream.once('data', resolve));
      stream.cancel();
      assert.equal(await ended, status.CANCELLED);
      await until('the end of the stream', async () => (await openStreams(pool)) === 0);
    }
  });
});
