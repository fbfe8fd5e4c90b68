import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SyntheticTarget } from '../../test/support/synthetic-target.ts';
import { probe } from './probe.ts';
import { loadProfile } from './profile-cache.ts';

const folder = mkdtempSync(join(tmpdir(), 'phoenix-probe-'));
after(() => rmSync(folder, { recursive: true }));

test('the probe finds the widest batch that gives the bits of width 1', async () => {
  for (const exactWidth of [1, 3, 8]) {
    const target = new SyntheticTarget({ exactWidth });
    assert.equal((await probe(target)).exactWidth, exactWidth);
    assert.equal(target.inUse, 0);
  }
  assert.equal((await probe(new SyntheticTarget(), { widest: 5 })).exactWidth, 5);
});

test('the probe measures what each width costs', async () => {
  const { verifyMs } = await probe(new SyntheticTarget({ costMs: (width) => 5 * width }), { widest: 6, budgetMs: 400 });
  assert.equal(verifyMs.length, 6);
  for (const [n, ms] of verifyMs.entries()) {
    // How much more it is depends on what else the machine does.
    assert.ok(ms >= 5 * (n + 1) - 1, `width ${n + 1} costs ${ms} ms, not ${5 * (n + 1)}`);
  }
});

test('a slow model is looked at with less text', async () => {
  const target = new SyntheticTarget({ costMs: (width) => 2 * width });
  await probe(target, { budgetMs: 100 });
  const tokens = target.widths.reduce((sum, width) => sum + width, 0);
  const quick = new SyntheticTarget();
  await probe(quick);
  assert.ok(tokens < quick.widths.reduce((sum, width) => sum + width, 0) / 2);
});

test('a profile is measured once per model file, and again when file or cache have changed', async () => {
  const modelFile = join(folder, 'model.gguf');
  const options = { modelFile, threads: 1, cacheFile: join(folder, 'state', 'profiles.json') };
  writeFileSync(modelFile, 'weights');
  const target = new SyntheticTarget({ exactWidth: 4 });
  const isMeasured = async () => {
    target.widths.length = 0;
    assert.equal((await loadProfile(target, options)).exactWidth, 4);
    return target.widths.length > 0;
  };
  assert.equal(await isMeasured(), true);
  assert.equal(await isMeasured(), false);
  assert.deepEqual(await loadProfile(target, options), await loadProfile(target, options));

  utimesSync(modelFile, 1000, 1000);
  assert.equal(await isMeasured(), true);
  assert.equal(await isMeasured(), false);

  const good = readFileSync(options.cacheFile, 'utf8');
  for (const bad of [
    '',
    '{',
    '[]',
    good.slice(0, -10),
    good.replace('"format": 2', '"format": 0'),
    good.replaceAll(/\d\.\d+/g, 'null'),
  ]) {
    writeFileSync(options.cacheFile, bad);
    assert.equal(await isMeasured(), true, `measured again after ${JSON.stringify(bad.slice(0, 40))}`);
    assert.equal(await isMeasured(), false);
  }
});
