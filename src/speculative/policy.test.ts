import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  BUDGET,
  booked,
  earned,
  expectedTokens,
  GATE_LIMITS,
  type Gate,
  type GateEvent,
  nextGate,
  openGate,
  plan,
} from './policy.ts';

test('expected tokens are the sum of the chances that each place is reached', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(10), (rate, count) => {
      let sum = 0;
      for (let n = 0; n <= count; n++) sum += rate ** n;
      assert.ok(Math.abs(expectedTokens(rate, count) - sum) < 1e-6);
    }),
  );
});

test('the plan is the best number of proposals, and its budget is what it can gain', () => {
  const ms = fc.double({ min: 0.1, max: 10, noNaN: true });
  const rounds = fc.array(fc.record({ verifyMs: ms, elseMs: fc.double({ min: 0, max: 2, noNaN: true }) }), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), ms, rounds, fc.nat(10), (rate, plainMs, its, most) => {
      const verifyMs = its.map((round) => round.verifyMs);
      const roundMs = its.map((round) => round.verifyMs + round.elseMs);
      const { count, gain, budgetMs } = plan(rate, { plainMs, verifyMs, roundMs }, most);
      assert.ok(count <= most && count <= its.length);
      for (let n = 1; n <= Math.min(most, its.length); n++) {
        assert.ok((expectedTokens(rate, n) * plainMs) / (roundMs[n - 1] ?? 0) <= gain + 1e-9);
      }
      // Having waited as long as the budget allows, the round is as fast as plain decoding, not slower.
      if (budgetMs > 0) {
        assert.ok((verifyMs[count - 1] ?? 0) + budgetMs <= expectedTokens(rate, count) * plainMs * (1 + 1e-9));
      }
    }),
  );
});

test('known plans', () => {
  const plans = (verifyMs: number[], waitMs = 0) => {
    const roundMs = verifyMs.map((ms, n) => ms + waitMs * (n + 1));
    return (rate: number, most = 8) => plan(rate, { plainMs: 1, verifyMs, roundMs }, most);
  };
  // A processor that is busy computing: speculation pays for good drafts, a few tokens far.
  const compute = plans([1.4, 1.7, 2.1, 2.5, 2.9, 3.3, 3.5, 3.9]);
  assert.equal(compute(0).count, 1);
  assert.ok(compute(0).gain < 1);
  assert.equal(compute(0.8).count, 2);
  assert.equal(compute(1).count, 8);
  assert.equal(compute(1, 3).count, 3);
  assert.deepEqual(compute(1, 0), { count: 0, gain: 0, budgetMs: 0 });
  // A memory-bound machine: as far as it goes.
  assert.equal(plans(Array(8).fill(1))(0.9).count, 8);
  // A slow draft: less far.
  assert.ok(plans(Array(8).fill(1), 0.5)(0.9).count < 8);
});

test('what a source may lose is at most what it began with, what it gained, and its share of the tokens', () => {
  const step = fc.record({ tokens: fc.nat(9), loss: fc.double({ min: -8, max: 40, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      let balance: number = BUDGET.initial;
      let lost = 0;
      let tokens = 0;
      for (const step of steps) {
        // It is asked for as long as there is something to lose.
        if (balance > 0) {
          balance = booked(balance, step.loss);
          lost += step.loss;
        }
        balance = earned(balance, step.tokens);
        tokens += step.tokens;
        assert.ok(lost <= BUDGET.initial + BUDGET.share * tokens + 40);
        assert.ok(balance <= BUDGET.saved);
      }
    }),
  );
});

const closed = (reason: 'acceptance' | 'gain' | 'slow', left: number, retryAfter: number): Gate => ({
  t: 'closed',
  reason,
  left,
  retryAfter,
});
const open = (gate: Partial<Gate> = {}): Gate => ({ ...openGate(GATE_LIMITS), ...gate }) as Gate;
const tested = (count: number, acceptance: number, gain = 1.5, bestGain = 2): GateEvent => ({
  t: 'tested',
  count,
  acceptance,
  gain,
  bestGain,
});

const generated = (count: number, canAfford = true): GateEvent => ({ t: 'generated', count, canAfford });

const TABLE: [what: string, from: Gate, event: GateEvent, to: Gate][] = [
  ['little is known yet', open(), tested(5, 0), open({ rounds: 1, tested: 5 })],
  ['a good draft stays', open({ tested: 30, rounds: 8 }), tested(2, 0.8), open()],
  ['too often wrong', open({ tested: 30 }), tested(2, 0.59), closed('acceptance', 256, 512)],
  ['right, but it does not pay', open({ tested: 30 }), tested(2, 0.9, 1.04), closed('gain', 256, 512)],
  ['just enough', open({ tested: 30 }), tested(2, 0.6, 1.05), open()],
  ['cannot pay: not yet sure', open({ rounds: 2 }), tested(1, 1, 0.9, 0.9), open({ rounds: 3, tested: 1 })],
  ['cannot pay', open({ rounds: 7, tested: 7 }), tested(1, 1, 0.9, 0.9), closed('gain', 256, 512)],
  ['nothing proposed', open({ tested: 7 }), { t: 'empty' }, open({ tested: 7, empty: 1 })],
  ['nothing proposed for long', open({ empty: 7 }), { t: 'empty' }, closed('slow', 256, 512)],
  ['a proposal after all', open({ empty: 7 }), tested(3, 1), open({ rounds: 1, tested: 3 })],
  ['tokens do not matter while open', open({ tested: 7 }), generated(9), open({ tested: 7 })],
  ['closed', closed('gain', 256, 512), generated(5), closed('gain', 251, 512)],
  ['late news while closed', closed('gain', 9, 512), tested(5, 1), closed('gain', 9, 512)],
  ['tried again', closed('gain', 3, 512), generated(5), open({ retryAfter: 512 })],
  ['nothing to lose', closed('gain', 3, 512), generated(5, false), closed('gain', 0, 512)],
  ['something to lose again', closed('gain', 0, 512), generated(1), open({ retryAfter: 512 })],
  ['lost too much', open({ tested: 7 }), { t: 'overdrawn', reason: 'gain' }, closed('gain', 256, 512)],
  ['lost too much while closed', closed('gain', 9, 512), { t: 'overdrawn', reason: 'gain' }, closed('gain', 9, 512)],
  ['in vain', open({ tested: 30, retryAfter: 512 }), tested(2, 0), closed('acceptance', 512, 1024)],
  [
    'in vain at most so rarely',
    open({ tested: 30, retryAfter: 16384 }),
    tested(2, 0),
    closed('acceptance', 16384, 16384),
  ],
  ['with success', open({ tested: 30, retryAfter: 4096 }), tested(2, 0.9), open()],
];

for (const [what, from, event, to] of TABLE) {
  test(`gate: ${what}`, () => assert.deepEqual(nextGate(from, event, GATE_LIMITS), to));
}
