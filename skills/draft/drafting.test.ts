import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { DraftCall, DraftSettings, SkillError } from 'phoenix/skill';
import { ChainModel, chainNext } from '../../test/fixtures/skills/chain-draft/chain-model.ts';
import { ModelDrafter } from './drafting.ts';

const SETTINGS = { seed: 7, temperature: 0, topK: 40, topP: 1, minP: 0, runAhead: 8 };

/** One generation, and what its drafter must say: whatever follows what is certain and was proposed before. */
class Generation {
  /** Tokens that are certain, and those that were proposed since, as far as they have not turned out wrong. */
  readonly branch: number[];
  certain: number;
  readonly settings: DraftSettings;
  readonly #ending = new AbortController();
  readonly #session;
  error: unknown;
  messages = 0;

  constructor(drafter: ModelDrafter, prompt: readonly number[], settings: Partial<DraftSettings> = {}) {
    this.settings = { ...SETTINGS, prompt, ...settings };
    this.branch = prompt.slice();
    this.certain = prompt.length;
    const call: DraftCall = {
      signal: this.#ending.signal,
      propose: (position, tokens) => this.#check(position, tokens),
      fail: (error) => {
        this.error = error;
        this.#ending.abort();
      },
    };
    this.#session = drafter.open(this.settings, call);
  }

  /** Tokens that are proposed now. */
  get ahead(): number[] {
    return this.branch.slice(this.certain);
  }

  commit(tokens: readonly number[]): void {
    for (const token of tokens) {
      if (this.branch[this.certain] !== token) {
        this.branch.length = this.certain;
        this.branch.push(token);
      }
      this.certain++;
    }
    this.#session.commit(tokens);
  }

  end(): void {
    this.#ending.abort();
  }

  async untilAhead(count: number): Promise<void> {
    for (let turns = 0; this.ahead.length < count && turns < 5000; turns++) await sleep(0);
    assert.equal(this.ahead.length, count, String(this.error));
  }

  #check(position: number, tokens: readonly number[]): void {
    try {
      assert.equal(this.#ending.signal.aborted, false, 'it proposes after the end');
      assert.equal(position, this.branch.length);
      assert.ok(tokens.length > 0);
      for (const token of tokens) {
        assert.equal(token, chainNext(this.branch, this.settings.seed));
        this.branch.push(token);
      }
      this.messages++;
      assert.ok(this.ahead.length <= this.settings.runAhead, `${this.ahead.length} ahead`);
    } catch (error) {
      this.error ??= error;
    }
  }
}

describe('drafting', () => {
  it('always continues what is certain, whatever becomes certain while it works', async () => {
    const step = fc.record({
      /** Of what was proposed, this much is right. */
      right: fc.nat(10),
      other: fc.array(fc.nat(99), { maxLength: 3 }),
      turns: fc.nat(12),
    });
    const property = fc.asyncProperty(
      fc.array(fc.nat(99), { minLength: 1, maxLength: 600 }),
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 8 }),
      async (prompt, steps, runAhead, atOnce) => {
        const model = new ChainModel({ sequences: 1, atOnce });
        const drafter = new ModelDrafter(model);
        const generation = new Generation(drafter, prompt, { runAhead });
        for (const { right, other, turns } of steps) {
          for (let n = 0; n < turns; n++) await new Promise(setImmediate);
          generation.commit([...generation.ahead.slice(0, right), ...other]);
        }
        await generation.untilAhead(runAhead);
        generation.end();
        await drafter.idle();
        assert.equal(generation.error, undefined);
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it('evaluates no token twice while it is right', async () => {
    const model = new ChainModel({ sequences: 1 });
    const generation = new Generation(new ModelDrafter(model), [1, 2, 3]);
    for (let round = 0; round < 20; round++) {
      await generation.untilAhead(8);
      generation.commit(generation.ahead.slice(0, 1 + (round % 8)));
    }
    await generation.untilAhead(8);
    // All but the last one, whose successor is not wanted yet.
    assert.equal(model.sequences[0]?.evaluated, generation.branch.length - 1);
    generation.end();
  });

  it('gives a sequence to the generation that begins as it does, and reads only the rest', async () => {
    const model = new ChainModel({ sequences: 2 });
    const drafter = new ModelDrafter(model);
    const [talk, other] = [1, 50].map((from) => Array.from({ length: 300 }, (_, n) => (from + n) % 100));
    for (const prompt of [talk, other]) {
      const generation = new Generation(drafter, prompt ?? []);
      await generation.untilAhead(8);
      generation.end();
      await drafter.idle();
    }
    const before = model.sequences.map(({ evaluated }) => evaluated);
    for (const prompt of [talk, other]) {
      const generation = new Generation(drafter, [...(prompt ?? []), 3, 4, 5], { runAhead: 1 });
      await generation.untilAhead(1);
      generation.end();
      await drafter.idle();
      assert.equal(generation.error, undefined);
    }
    const read = model.sequences.map(({ evaluated }, n) => evaluated - (before[n] ?? 0));
    assert.deepEqual(read, [3, 3]);
  });

  it('refuses more generations than it has memory for, until one ends, even in the middle of its prompt', async () => {
    const drafter = new ModelDrafter(new ChainModel({ sequences: 1, tokenMs: () => 2 }));
    const first = new Generation(
      drafter,
      Array.from({ length: 2000 }, (_, n) => n % 100),
    );
    const isExhausted = (error: SkillError) => error.status === 'RESOURCE_EXHAUSTED';
    assert.throws(() => new Generation(drafter, [1]), isExhausted);
    first.end();
    // It is still at work.
    assert.throws(() => new Generation(drafter, [1]), isExhausted);
    await drafter.idle();
    const next = new Generation(drafter, [5, 6]);
    await next.untilAhead(8);
    next.end();
    await drafter.idle();
    assert.equal(next.error, undefined);
  });

  it('sends tokens of a fast model together, and each of a slow one at once', async () => {
    const messages = async (tokenMs: number) => {
      const generation = new Generation(new ModelDrafter(new ChainModel({ tokenMs: () => tokenMs })), [1, 2, 3]);
      await generation.untilAhead(8);
      generation.end();
      return generation.messages;
    };
    // A busy machine may make the fast model a slow one.
    const few = [await messages(0), await messages(0), await messages(0)];
    assert.ok(Math.min(...few) < 4, `${few} messages`);
    assert.equal(await messages(3), 8);
  });

  it('uses the rest of what it guessed when some of it became certain meanwhile', async () => {
    const prompt = [1, 2, 3];
    const model = new ChainModel({ sequences: 1, atOnce: 8, tokenMs: () => 20 });
    const generation = new Generation(new ModelDrafter(model), prompt);
    await sleep(5);
    const first = chainNext(prompt, SETTINGS.seed);
    generation.commit([first, chainNext([...prompt, first], SETTINGS.seed)]);
    await generation.untilAhead(8);
    // Six tokens of the first evaluation, and two of another.
    assert.equal(generation.messages, 2);
    generation.end();
    assert.equal(generation.error, undefined);
  });

  it('stops where the context ends', async () => {
    const generation = new Generation(new ModelDrafter(new ChainModel({ contextSize: 6 })), [1, 2, 3]);
    await generation.untilAhead(3);
    await sleep(10);
    assert.equal(generation.branch.length, 6);
    assert.equal(generation.error, undefined);
    generation.end();
  });

  it('says so when the model fails, and begins anew with that sequence', async () => {
    const model = new ChainModel({ sequences: 1 });
    const drafter = new ModelDrafter(model);
    const [sequence] = model.sequences;
    assert.ok(sequence);
    const { next } = sequence;
    sequence.next = () => Promise.reject(new Error('out of memory'));
    const failing = new Generation(drafter, [1, 2, 3]);
    await drafter.idle();
    assert.match(String(failing.error), /out of memory/);
    sequence.next = next;
    const generation = new Generation(drafter, [1, 2, 3]);
    await generation.untilAhead(8);
    assert.equal(generation.error, undefined);
    generation.end();
  });
});
