import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ModelDrafter } from '../../skills/draft/drafting.ts';
import { ChainModel, chainNext, VOCABULARY } from '../../test/fixtures/skills/chain-draft/chain-model.ts';
import { ScriptedSource, wiredSource } from '../../test/support/draft-wire.ts';
import type { DraftResponse } from '../contract/index.ts';
import { CallMetrics } from '../skill/call-metrics.ts';
import { DraftService } from '../skill/draft-service.ts';
import { RemoteDraft } from './remote-draft.ts';

const OPTIONS = { seed: 3, temperature: 0, topK: 40, topP: 1, minP: 0, vocabularyHash: VOCABULARY.vocabularyHash };
const OPENED: DraftResponse = { opened: { model: 'm', ...VOCABULARY, contextSize: 1000 }, proposal: undefined };
const LONG_MS = 10_000;

function proposal(basis: number, position: number, ...tokens: number[]): DraftResponse {
  return { opened: undefined, proposal: { basis, position, tokens } };
}

/** What the chain says after these tokens, so many of it. */
function chain(tokens: readonly number[], count: number, seed = OPTIONS.seed): number[] {
  const all = tokens.slice();
  for (let n = 0; n < count; n++) all.push(chainNext(all, seed));
  return all.slice(tokens.length);
}

/** A stream with the prompt 1, 2, 3 to a skill that the test plays; it is open. */
async function scripted(runAhead = 4) {
  const source = new ScriptedSource();
  const stream = new RemoteDraft(source, { runAhead }).open([1, 2, 3], OPTIONS);
  await new Promise(setImmediate);
  const say = (response: DraftResponse) => source.listener?.onResponse(response);
  say(OPENED);
  return { source, stream, say };
}

describe('a remote draft', () => {
  it('proposes what continues the certain tokens and nothing else, whatever is late and whatever turns out wrong', async () => {
    const step = fc.record({
      right: fc.nat(10),
      other: fc.array(fc.nat(99), { maxLength: 3 }),
      ask: fc.nat(8),
      /** Waits until it has what it asks for, some turns of the event loop, or not at all. */
      wait: fc.constantFrom('long', 'turns', 'not'),
    });
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(fc.nat(6), { minLength: 1, maxLength: 50 }),
      fc.integer({ min: 1, max: 10 }),
      async (steps, delays, runAhead) => {
        let n = 0;
        const delay = () => delays[n++ % delays.length] ?? 0;
        const metrics = new CallMetrics();
        const drafter = new ModelDrafter(new ChainModel({ sequences: 1 }));
        const handler = { infer: () => '', drafter };
        const service = new DraftService(() => handler, { skill: 's', concurrency: 1, streamIdleMs: 60_000 }, metrics);
        const certain = [1, 2, 3];
        const stream = new RemoteDraft(wiredSource(service.handle, delay), { runAhead }).open(certain, OPTIONS);
        for (const { right, other, ask, wait } of steps) {
          const found = await stream.propose(ask, wait === 'long' ? LONG_MS : 0);
          assert.ok(stream.alive, stream.reason);
          assert.deepEqual(found, chain(certain, found.length));
          assert.ok(found.length <= ask);
          if (wait === 'long') assert.equal(found.length, Math.min(ask, runAhead));
          for (let turns = wait === 'turns' ? delay() : 0; turns > 0; turns--) await new Promise(setImmediate);
          const tokens = [...chain(certain, right), ...other];
          stream.commit(tokens);
          certain.push(...tokens);
        }
        stream.close();
        while (metrics.snapshot(0, 0).draft?.open) await new Promise(setImmediate);
        await drafter.idle();
        assert.deepEqual(metrics.snapshot(0, 0).errorsTotal, {});
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it('drops what was proposed before the skill knew better, and only that', async () => {
    const { stream, say } = await scripted();
    say(proposal(3, 3, 10));
    say(proposal(3, 4, 11));
    assert.deepEqual(await stream.propose(4, 0), [10, 11]);
    stream.commit([10, 99]);
    // Made before it knew of the 99.
    say(proposal(3, 5, 12));
    assert.deepEqual(await stream.propose(4, 0), []);
    say(proposal(5, 5, 20));
    say(proposal(5, 6, 21));
    assert.deepEqual(await stream.propose(4, 0), [20, 21]);
    // What becomes certain as it was proposed makes nothing stale.
    stream.commit([20]);
    say(proposal(5, 7, 22));
    assert.deepEqual(await stream.propose(4, 0), [21, 22]);
    // On its way while more became certain than was proposed: the part that is right, and the part that is left of it.
    stream.commit([21, 22, 23]);
    say(proposal(6, 8, 23, 24));
    assert.deepEqual(await stream.propose(4, 0), [24]);
    stream.commit([24, 25]);
    say(proposal(9, 10, 77));
    assert.deepEqual(await stream.propose(4, 0), []);
    say(proposal(11, 11, 26));
    assert.deepEqual(await stream.propose(4, 0), [26]);
    assert.ok(stream.alive);
  });

  it('sends what became certain while the skill was launched as part of the prompt, and then each token once', async () => {
    const source = new ScriptedSource();
    const stream = new RemoteDraft(source).open([1, 2, 3], OPTIONS);
    stream.commit([4, 5]);
    assert.deepEqual(await stream.propose(2, 0), []);
    await new Promise(setImmediate);
    stream.commit([6]);
    source.isWritable = false;
    stream.commit([7]);
    // It waits for the skill to read, and then goes in one message.
    stream.commit([8]);
    stream.commit([9, 10]);
    source.isWritable = true;
    source.listener?.onDrain();
    assert.deepEqual(source.sent[0]?.open?.prompt, [1, 2, 3, 4, 5]);
    assert.deepEqual(
      source.sent.slice(1).map(({ commit }) => commit),
      [
        { position: 5, tokens: [6] },
        { position: 6, tokens: [7] },
        { position: 7, tokens: [8, 9, 10] },
      ],
    );
    stream.close();
    assert.equal(source.end, 'close');
    assert.equal(stream.alive, false);
    stream.commit([11]);
    assert.equal(source.sent.length, 4);
  });

  const nonsense: Record<string, DraftResponse[]> = {
    'another vocabulary': [{ opened: { ...OPENED.opened, vocabularyHash: 'x' } as never, proposal: undefined }],
    'a token that there is not': [OPENED, proposal(3, 3, 100)],
    'a proposal before the stream is open': [proposal(3, 3, 1)],
    'opening twice': [OPENED, OPENED],
    'an empty message': [OPENED, { opened: undefined, proposal: undefined }],
    'no tokens': [OPENED, proposal(3, 3)],
    'tokens for what is certain': [OPENED, proposal(3, 2, 3)],
    'a gap': [OPENED, proposal(3, 4, 1)],
    'a token twice': [OPENED, proposal(3, 3, 1), proposal(3, 3, 1)],
    'more than it may': [OPENED, proposal(3, 3, 1, 2, 3, 4, 5)],
    'more than it may, one by one': [OPENED, ...[3, 4, 5, 6, 7].map((position) => proposal(3, position, 1))],
    'knowing what it was not told': [OPENED, proposal(4, 4, 1)],
    'knowing less than before': [OPENED, proposal(2, 3, 1)],
  };
  for (const [what, responses] of Object.entries(nonsense)) {
    it(`ends a stream that sends nonsense: ${what}`, async () => {
      const source = new ScriptedSource();
      const stream = new RemoteDraft(source, { runAhead: 4 }).open([1, 2, 3], OPTIONS);
      await new Promise(setImmediate);
      for (const response of responses) source.listener?.onResponse(response);
      assert.equal(stream.alive, false);
      assert.equal(source.end, stream.reason);
      assert.match(stream.reason ?? '', /vocabulary|no sense/);
      assert.deepEqual(await stream.propose(4, LONG_MS), []);
    });
  }

  it('ends a stream that floods it with what is too late to be of use', async () => {
    const { source, stream, say } = await scripted();
    say(proposal(3, 3, 10));
    stream.commit([99]);
    let count = 0;
    while (stream.alive && count < 1000) say(proposal(3, 4 + (count++ % 3), 1));
    assert.ok(count <= 10, `${count} proposals were let in`);
    assert.match(source.end ?? '', /no sense/);
  });

  it('survives whatever a skill may send, and holds no more of it than it may', async () => {
    const small = fc.nat(12);
    const anything = fc.oneof(
      fc.record({ commit: fc.array(fc.nat(3), { maxLength: 3 }) }),
      fc.record({ basis: small, position: small, tokens: fc.array(fc.nat(3), { maxLength: 4 }) }),
      fc.record({
        basis: fc.nat(2 ** 32 - 1),
        position: fc.nat(2 ** 32 - 1),
        tokens: fc.array(fc.nat(2 ** 32 - 1)),
      }),
    );
    const property = fc.asyncProperty(fc.array(anything, { maxLength: 40 }), async (events) => {
      const { stream, say } = await scripted();
      for (const event of events) {
        if ('commit' in event) stream.commit(event.commit);
        else say(proposal(event.basis, event.position, ...event.tokens));
        const found = await stream.propose(100, 0);
        assert.ok(found.length <= 4);
        assert.ok(found.every((token) => token < 100));
      }
    });
    await fc.assert(property, { numRuns: 500 });
  });

  it('waits no longer than it may, and no longer than it takes', async () => {
    const { stream, say } = await scripted();
    for (const waitMs of [0, 1, 5, 30]) {
      const started = performance.now();
      assert.deepEqual(await stream.propose(2, waitMs), []);
      const took = performance.now() - started;
      assert.ok(took >= waitMs * 0.9, `${took} ms of ${waitMs}`);
    }
    const started = performance.now();
    setTimeout(() => say(proposal(3, 3, 7, 8)), 10);
    assert.deepEqual(await stream.propose(2, LONG_MS), [7, 8]);
    assert.ok(performance.now() - started < LONG_MS / 2);
    // More than it may have is not waited for.
    say(proposal(3, 5, 9, 10));
    assert.deepEqual(await stream.propose(9, LONG_MS), [7, 8, 9, 10]);
  });

  it('is dead when the skill cannot be had, and says why', async () => {
    const refusing = { skill: 's', draft: () => Promise.reject(new Error('it does not start')) };
    const stream = new RemoteDraft(refusing).open([1], OPTIONS);
    assert.ok(stream.alive);
    assert.deepEqual(await stream.propose(3, LONG_MS), []);
    assert.equal(stream.alive, false);
    assert.equal(stream.reason, 'it does not start');
    stream.commit([1]);
    stream.close();
  });

  it('gives up a launch that is no longer needed', async () => {
    let aborted = false;
    const launching = {
      skill: 's',
      draft: (_: unknown, { signal }: { signal?: AbortSignal } = {}) =>
        new Promise<never>((_, reject) => {
          signal?.addEventListener('abort', () => {
            aborted = true;
            reject(signal.reason);
          });
        }),
    };
    const stream = new RemoteDraft(launching).open([1], OPTIONS);
    stream.close();
    await new Promise(setImmediate);
    assert.ok(aborted);
    assert.equal(stream.reason, undefined);
  });
});
