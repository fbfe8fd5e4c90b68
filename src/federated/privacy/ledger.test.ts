import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { epsilonOf } from './accountant.ts';
import { type LedgerRelease, type Policy, PrivacyLedger, readSpending } from './ledger.ts';

const POLICY: Policy = { epsilon: 2, delta: 1e-5, adjacency: 'add_remove', unit: 'client' };
const release = (round: number, more: Partial<LedgerRelease> = {}): LedgerRelease => ({
  ...{ round, mode: 'poisson', noise: 4, rate: 0.2, dimension: 1000, clip: 1, divisor: 10 },
  ...more,
});

describe('a ledger', () => {
  let folder: string;
  let file: string;
  let head: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-ledger-'));
    file = join(folder, 'ledger.jsonl');
    head = join(folder, 'ledger.head.json');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function filled(rounds = 3): PrivacyLedger {
    const ledger = PrivacyLedger.open(folder);
    ledger.setPolicy(POLICY);
    for (let round = 1; round <= rounds; round++) ledger.append(release(round));
    return ledger;
  }

  it('knows after a restart what was spent', () => {
    const before = filled(5).spending();
    const expected = epsilonOf([{ mode: 'poisson', noise: 4, rate: 0.2, rounds: 5 }], 1e-5).epsilon;
    assert.ok(before.epsilon >= expected && before.epsilon < expected * 1.001, `${before.epsilon} ${expected}`);
    const again = PrivacyLedger.open(folder);
    assert.deepEqual(again.spending(), before);
    assert.deepEqual(readSpending(folder), before);
    assert.deepEqual(before, {
      ...before,
      budget: 2,
      delta: 1e-5,
      adjacency: 'add_remove',
      unit: 'client',
      mode: 'poisson',
      rounds: 5,
    });
    assert.deepEqual(
      again.releases.map(({ round }) => round),
      [1, 2, 3, 4, 5],
    );
  });

  it('counts secure aggregation like everybody in every round, and says that who takes part is known', () => {
    const ledger = filled(1);
    const before = ledger.spending();
    for (const round of [2, 3]) ledger.append(release(round, { mode: 'secure', rate: 1, noise: 8, shares: 67 }));
    const rounds = [
      { mode: 'poisson', noise: 4, rate: 0.2, rounds: 1 },
      { mode: 'full', noise: 8, rounds: 2 },
    ] as const;
    const expected = epsilonOf(rounds, 1e-5).epsilon;
    const spending = PrivacyLedger.open(folder).spending();
    assert.ok(spending.epsilon >= expected && spending.epsilon < expected * 1.001, `${spending.epsilon} ${expected}`);
    assert.deepEqual([before.adjacency, spending.adjacency, spending.mode], ['add_remove', 'zero_out', 'mixed']);
  });

  it('refuses a round that would cost more than there is, and writes nothing', () => {
    const ledger = filled();
    const before = readFileSync(file, 'utf8');
    assert.throws(() => ledger.append(release(4, { noise: 0.5, rate: 1, mode: 'full' })), {
      name: 'BudgetError',
      message: /round 4 would bring epsilon to .* at delta 0.00001, and the budget is 2: it is not released/,
    });
    assert.equal(readFileSync(file, 'utf8'), before);
    ledger.append(release(4));
    // More may be allowed later, by somebody who says so.
    ledger.setPolicy({ ...POLICY, epsilon: 30 });
    ledger.append(release(5, { noise: 0.5, rate: 1, mode: 'full' }));
    assert.equal(ledger.spending().mode, 'mixed');
    assert.throws(() => ledger.append(release(5)), /round 5 cannot follow round 5/);
  });

  it('needs a budget first, and no budget twice', () => {
    const ledger = PrivacyLedger.open(folder);
    assert.throws(() => ledger.append(release(1)), { name: 'LedgerError', message: /there is no budget yet/ });
    assert.equal(readSpending(folder), undefined);
    ledger.setPolicy(POLICY);
    ledger.setPolicy({ ...POLICY });
    assert.equal(readFileSync(file, 'utf8').trim().split('\n').length, 1);
    assert.equal(ledger.spending().mode, 'none');
  });

  it('is infinite from a release on that was not written down', () => {
    filled().markUnaccounted('model 9 is not in the ledger');
    const ledger = PrivacyLedger.open(folder);
    assert.equal(ledger.spending().epsilon, Number.POSITIVE_INFINITY);
    assert.equal(readSpending(folder)?.epsilon, Number.POSITIVE_INFINITY);
    assert.throws(() => ledger.append(release(4)), { name: 'BudgetError' });
  });

  const damages: [what: string, damage: () => void, expected: RegExp][] = [
    ['edited', () => edit((text) => text.replace('"noise":4', '"noise":9')), /ledger\.jsonl:2: the entry was edited/],
    ['without a line', () => edit((text) => text.split('\n').toSpliced(2, 1).join('\n')), /:3: the entry was edited/],
    ['with lines exchanged', () => edit(exchanged), /:2: the entry was edited/],
    [
      'shortened',
      () => edit((text) => `${text.split('\n').slice(0, 3).join('\n')}\n`),
      /shortened or replaced: entry 4/,
    ],
    ['emptied', () => truncateSync(file, 0), /shortened or replaced: entry 4/],
    ['lost', () => rmSync(file), /is lost, and it had 4 entries/],
    ['no JSON', () => edit((text) => `{}\n${text}`), /:1: this is no entry of a ledger/],
    [
      'with another head',
      () => writeFileSync(head, '{"format":1,"sequence":2,"hash":"00"}'),
      /shortened or replaced: entry 2/,
    ],
    ['with a head that is none', () => writeFileSync(head, 'x'), /head\.json cannot be read/],
    ['without a head', () => rmSync(head), /has 4 entries that were not written here/],
  ];
  function edit(change: (text: string) => string): void {
    writeFileSync(file, change(readFileSync(file, 'utf8')));
  }
  function exchanged(text: string): string {
    const [a = '', b = '', c = '', ...rest] = text.split('\n');
    return [a, c, b, ...rest].join('\n');
  }
  for (const [what, damage, expected] of damages) {
    it(`that is ${what} is noticed, and goes on for nobody`, () => {
      filled();
      damage();
      assert.throws(() => PrivacyLedger.open(folder), { name: 'LedgerError', message: expected });
      assert.equal(readSpending(folder)?.epsilon, Number.POSITIVE_INFINITY);
    });
  }

  it('that was replaced as a whole is noticed by who remembers it', () => {
    const { head: known } = filled();
    for (const path of [file, head]) rmSync(path);
    assert.throws(() => PrivacyLedger.open(folder, known), /a model was released after entry 4, which is not in it/);
    filled(5);
    assert.throws(() => PrivacyLedger.open(folder, known), /replaced or shortened/);
  });

  it('that says less than its releases cost is noticed', () => {
    const ledger = filled(1);
    // An entry whose hash fits, but with another epsilon: as somebody would write it who replaces the whole chain.
    const cheap = Object.assign(release(2), { epsilon: 0.01 });
    const honest = ledger.epsilonAfter;
    ledger.epsilonAfter = () => 0.01;
    ledger.append(cheap);
    ledger.epsilonAfter = honest;
    assert.throws(() => PrivacyLedger.open(folder), /entry 3 says epsilon 0.01, but its releases cost/);
  });

  it('goes on after a machine that stopped in the middle of a line, or before the head', () => {
    const ledger = filled();
    const whole = readFileSync(file, 'utf8');
    appendFileSync(file, '{"format":1,"sequence":5,"at":"2026-');
    assert.equal(readSpending(folder)?.rounds, 3);
    assert.equal(PrivacyLedger.open(folder).releases.length, 3);
    assert.equal(readFileSync(file, 'utf8'), whole);

    const oldHead = readFileSync(head, 'utf8');
    ledger.append(release(4));
    writeFileSync(head, oldHead);
    const again = PrivacyLedger.open(folder);
    assert.equal(again.releases.length, 4);
    assert.deepEqual(JSON.parse(readFileSync(head, 'utf8')), { format: 1, ...again.head });
  });
});
