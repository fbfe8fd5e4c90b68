/** What speculation costs and gains, by a clock that only goes on where the simulation says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SyntheticTarget } from '../../test/support/synthetic-target.ts';
import { type DecoderOptions, SpeculativeDecoder } from './decoder.ts';
import type { Draft } from './draft.ts';
import { uniform } from './gumbel.ts';
import { DEFAULT_SAMPLER } from './sampler.ts';
import type { Evaluation, TargetSequence } from './target.ts';

const PROMPT = [1, 2, 3];
/** The clock of a simulation, in milliseconds. */
interface Clock {
  ms: number;
}

interface World {
  /** Share of proposed tokens that are right. */
  acceptance: number;
  /** Milliseconds that evaluating 1, 2, ... tokens took when it was measured. */
  verifyMs: readonly number[];
  /** What each token before them adds. */
  perTokenMs: number;
  /** A batch of several takes this much longer than was measured, and everything does while the draft is at work. */
  verifySlower: number;
  draftSlows: number;
  /** So does a batch behind one of another width. */
  changeSlower: number;
  /** Milliseconds for asking the draft, for each of its tokens, and for opening it. */
  callMs: number;
  tokenMs: number;
  openMs: number;
}

/** A target whose evaluations take simulated time. */
class TimedTarget extends SyntheticTarget {
  readonly clock: Clock = { ms: 0 };
  readonly world: World;
  isDrafting = false;
  #width = 1;

  constructor(world: World) {
    super({ endless: true, contextSize: 20_000, seed: 3 });
    this.world = world;
  }

  override async acquire(): Promise<TargetSequence> {
    const sequence = await super.acquire();
    const { evaluate } = sequence;
    sequence.evaluate = async (tokens: readonly number[], evaluation: Evaluation) => {
      this.clock.ms += this.msOf(tokens.length, sequence.length);
      return await evaluate.call(sequence, tokens, evaluation);
    };
    return sequence;
  }

  msOf(width: number, position: number): number {
    const { verifyMs, perTokenMs, verifySlower, draftSlows, changeSlower } = this.world;
    const ms = (verifyMs[width - 1] ?? Number.NaN) + width * perTokenMs * position;
    const isChange = width !== this.#width;
    this.#width = width;
    const { isDrafting } = this;
    // It comes to rest when it hears nothing more.
    this.isDrafting = false;
    return ms * (width > 1 ? verifySlower : 1) * (isDrafting ? draftSlows : 1) * (isChange ? changeSlower : 1);
  }

  plainMs(tokens: number): number {
    const { verifyMs, perTokenMs } = this.world;
    const positions = Array.from({ length: tokens }, (_, n) => PROMPT.length - 1 + n);
    return positions.reduce((sum, position) => sum + (verifyMs[0] ?? 0) + perTokenMs * position, 0);
  }

  profile() {
    const { verifyMs, perTokenMs } = this.world;
    return { exactWidth: verifyMs.length, verifyMs, perTokenMs: verifyMs.map((_, n) => (n + 1) * perTokenMs) };
  }
}

/** Knows the text, is wrong as often as the world says, and takes its time. */
function timedDraft(target: TimedTarget, text: readonly number[]): Draft {
  const { acceptance, callMs, tokenMs, openMs } = target.world;
  return {
    name: 'simulated',
    open(prompt) {
      let certain = prompt.length;
      target.clock.ms += openMs;
      target.isDrafting = true;
      return {
        alive: true,
        commit(tokens) {
          certain += tokens.length;
          target.isDrafting = true;
        },
        async propose(count, waitMs) {
          target.isDrafting = true;
          const ready = Math.min(count, Math.floor((waitMs - callMs) / tokenMs));
          target.clock.ms += ready < count ? waitMs : callMs + count * tokenMs;
          const its = text.slice(certain, certain + Math.max(0, ready));
          return its.map((token, n) => (uniform(99, certain + n, 0) < acceptance ? token : (token + 1) % 11));
        },
        close: () => {
          target.isDrafting = false;
        },
      };
    },
  };
}

/** Simulated milliseconds to generate so many tokens, in generations of `length`. */
async function timeOf(world: World, options: Partial<DecoderOptions>, tokens: number, length = tokens) {
  const target = new TimedTarget(world);
  const now = () => target.clock.ms;
  const plain = new SpeculativeDecoder({ target, profile: target.profile(), mode: 'off' });
  const settings = { ...DEFAULT_SAMPLER, temperature: 1, maxTokens: length };
  const text = await Array.fromAsync(plain.generate(PROMPT, settings));
  const draft = timedDraft(target, [...PROMPT, ...text.map(({ token }) => token)]);
  const decoder = new SpeculativeDecoder({ target, profile: target.profile(), draft, ngram: false, now, ...options });
  target.clock.ms = 0;
  const marks = [0];
  for (let n = 0; n < tokens; n += length) {
    assert.equal((await Array.fromAsync(decoder.generate(PROMPT, settings))).length, length);
    marks.push(target.clock.ms);
  }
  return { ms: target.clock.ms, plainMs: (target.plainMs(length) * tokens) / length, marks, decoder };
}

const WIDTHS = 9;
const share = (max: number) => fc.double({ min: 0, max, noNaN: true });
const world: fc.Arbitrary<World> = fc.record({
  acceptance: share(1),
  verifyMs: fc.tuple(share(1), share(1)).map(([first, rest]) =>
    // From "any number of tokens costs what one does" to "each costs as much as the first".
    Array.from({ length: WIDTHS }, (_, n) => 1 + (n > 0 ? first : 0) + Math.max(0, n - 1) * rest),
  ),
  perTokenMs: fc.constantFrom(0, 0.002),
  verifySlower: fc.double({ min: 0.9, max: 2, noNaN: true }),
  draftSlows: fc.double({ min: 1, max: 1.5, noNaN: true }),
  changeSlower: fc.double({ min: 1, max: 1.3, noNaN: true }),
  callMs: share(0.5),
  tokenMs: fc.double({ min: 0.01, max: 0.6, noNaN: true }),
  openMs: share(2),
});

/** Tokens of plain decoding that it may take to find out that nothing can be gained. */
const TRIAL = 40;

test('whatever a draft costs and however often it is wrong, all takes at most 3% longer than plain decoding, and a constant', async () => {
  const property = fc.asyncProperty(world, fc.constantFrom(30, 1500), async (its, length) => {
    const { ms, plainMs } = await timeOf(its, {}, 1500, length);
    const tokenMs = plainMs / 1500;
    assert.ok(ms <= 1.03 * plainMs + TRIAL * tokenMs, `${ms} ms instead of ${plainMs} ms`);
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true });
});

test('so do n-grams, alone and before a draft', async () => {
  const property = fc.asyncProperty(world, fc.boolean(), fc.constantFrom(30, 1500), async (its, alone, length) => {
    const options = { ngram: true, ...(alone ? { draft: undefined } : {}) };
    const { ms, plainMs } = await timeOf(its, options, 1500, length);
    const tokenMs = plainMs / 1500;
    assert.ok(ms <= 1.03 * plainMs + (alone ? 1 : 2) * TRIAL * tokenMs, `${ms} ms instead of ${plainMs} ms`);
  });
  await fc.assert(property, { numRuns: 100, endOnFailure: true });
});

test('a draft that is good is used nearly as well as by one who knows how many tokens to ask for', async () => {
  let good = 0;
  const property = fc.asyncProperty(world, async (its) => {
    fc.pre(its.acceptance > 0.7);
    const fixed: number[] = [];
    for (const draftTokens of [1, 2, 3, 4, 6, 8]) fixed.push((await timeOf(its, { draftTokens }, 300)).ms);
    const best = Math.min(...fixed);
    const { plainMs } = await timeOf(its, { mode: 'off' }, 300);
    // What gains less than a tenth may well be left alone.
    fc.pre(plainMs / best > 1.1);
    good++;
    // All is learnt in the first two.
    const { marks } = await timeOf(its, {}, 1500, 300);
    const later = ((marks[5] ?? 0) - (marks[2] ?? 0)) / 3;
    assert.ok(best / later >= 0.9, `${later} ms, and ${best} ms with the best number of tokens: ${fixed}`);
  });
  await fc.assert(property, { numRuns: 40, endOnFailure: true });
  assert.ok(good >= 40);
});
