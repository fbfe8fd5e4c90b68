/** Random faults under load, in short; `npm run test:chaos` goes on for as long as you like (docs/chaos.md). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ledger } from './chaos/ledger.ts';
import { toText } from './chaos/report.ts';
import { runChaos } from './chaos/run.ts';
import { canMount } from './chaos/system.ts';
import { canStartEngine } from './support/engine.ts';
import { availableRuntimes } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const [runtime = 'process'] = await availableRuntimes();
const mounts = isMissing('the right to mount a tmpfs', canMount());
const engine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());

describe('chaos', () => {
  it(`every kind of fault, with skills in the strongest isolation without an engine`, { skip: mounts }, async () => {
    const report = await runChaos({ runtime, seed: 1, faults: 14 });
    assert.deepEqual(report.violations, [], toText(report));
    assert.equal(Object.keys(report.faults).length, 14);
    assert.ok(report.acknowledged > 50 && report.answered > 200, toText(report));
  });

  it('the engine, with skills in containers', { skip: engine }, async () => {
    const kinds = ['restart-engine', 'stop-engine'];
    const report = await runChaos({ runtime: 'docker', seed: 1, faults: 2, kinds });
    assert.deepEqual(report.violations, [], toText(report));
    assert.equal(Object.keys(report.faults).length, 2);
  });

  it('notices an assistant that loses, doubles, answers wrongly or late, and leaves things behind', async () => {
    const preload = [join(import.meta.dirname, 'chaos/sabotage.ts')];
    const { violations } = await runChaos({ runtime, seed: 1, faults: 0, preload });
    const details = violations.filter(({ invariant }) => invariant === 'leak').map(({ detail }) => detail);
    for (const detail of details) {
      const pid = /^process (\d+): sleep/.exec(detail)?.[1];
      if (pid !== undefined) process.kill(Number(pid), 'SIGKILL');
    }
    const seen = new Set(violations.map(({ invariant }) => invariant));
    for (const invariant of ['lost', 'doubled', 'wrong', 'late', 'leak'] as const)
      assert.ok(seen.has(invariant), invariant);
    assert.ok(details.some((detail) => detail.startsWith('temporary folder left-behind-')));
    assert.ok(details.some((detail) => detail.startsWith('process ')));
  });
});

describe('the ledger', () => {
  const facts = (...objects: string[]) =>
    objects.map((object, n) => ({ subject: 'Ana', object, count: 1, isPresent: n === objects.length - 1 }));
  const of = (violations: { invariant: string }[]) => violations.map(({ invariant }) => invariant);

  it('wants what was acknowledged once, and what was not at most once', () => {
    const ledger = new Ledger();
    ledger.fact('Ana', 'told', 'acknowledged');
    ledger.fact('Ana', 'perhaps', 'unknown');
    assert.deepEqual(ledger.checkFacts(facts('told'), ''), []);
    assert.deepEqual(ledger.checkFacts(facts('told', 'perhaps'), ''), []);
    assert.deepEqual(of(ledger.checkFacts(facts('perhaps'), '')), ['lost']);
    assert.deepEqual(of(ledger.checkFacts(facts('told', 'perhaps', 'perhaps'), '')), ['doubled']);
    assert.deepEqual(of(ledger.checkFacts(facts('told', 'never'), '')), ['wrong']);
    assert.deepEqual(of(ledger.checkFacts([{ ...facts('told')[0], count: 2 } as never], '')), ['doubled']);
  });

  it('wants the last acknowledged place, or one that was told after it', () => {
    const ledger = new Ledger();
    ledger.move('Ana', 'Roma', 'acknowledged');
    ledger.move('Ana', 'Lugo', 'acknowledged');
    ledger.move('Ana', 'Oslo', 'unknown');
    assert.deepEqual(ledger.checkFacts(facts('Roma', 'Lugo'), ''), []);
    assert.deepEqual(ledger.checkFacts(facts('Roma', 'Lugo', 'Oslo'), ''), []);
    assert.deepEqual(of(ledger.checkFacts(facts('Lugo', 'Roma'), '')), ['wrong']);
  });

  it('does not ask for rows that had one copy only, and still not twice for any', () => {
    const ledger = new Ledger();
    ledger.row(1, 'acknowledged');
    assert.deepEqual(of(ledger.checkRows([])), ['lost']);
    ledger.rowsMayBeLost();
    assert.deepEqual(ledger.checkRows([]), []);
    assert.deepEqual(of(ledger.checkRows([{ n: 1, times: 2 }])), ['doubled']);
  });
});
