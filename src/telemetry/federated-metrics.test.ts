import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { Registry } from 'prom-client';
import { PrivacyLedger, spendingReader } from '../federated/index.ts';
import { FederatedMetrics } from './federated-metrics.ts';

it('epsilon comes from the ledger, names what it bounds, and is infinite when that is damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-ledger-'));
  try {
    const registry = new Registry();
    const metrics = new FederatedMetrics(registry, spendingReader(folder));
    const lines = async () => {
      metrics.refresh();
      return (await registry.metrics()).split('\n').filter((line) => line.startsWith('sarai_fl'));
    };
    assert.deepEqual(await lines(), []);
    const ledger = PrivacyLedger.open(folder);
    ledger.setPolicy({ epsilon: 2, delta: 1e-5, adjacency: 'add_remove', unit: 'client' });
    ledger.append({ round: 1, mode: 'full', noise: 4, rate: 1, dimension: 10, clip: 1, divisor: 5 });
    const labels = '{delta="1e-5",adjacency="add_remove",unit="client",mode="full"}';
    assert.deepEqual(await lines(), [
      `sarai_fl_epsilon${labels} ${ledger.spending().epsilon}`,
      'sarai_fl_epsilon_budget{delta="1e-5"} 2',
      'sarai_fl_rounds 1',
    ]);
    ledger.markUnaccounted('a model that nobody wrote down');
    assert.equal((await lines())[0], `sarai_fl_epsilon${labels} +Inf`);
    writeFileSync(join(folder, 'ledger.jsonl'), '');
    assert.match((await lines())[0] ?? '', /mode="unknown"} \+Inf$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
