/** `phoenix verify`: the lines that this machine can check pass, and those that fail say so, also by the exit code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { CheckResult } from '../src/verify/index.ts';
import { phoenix, temporaryFolder } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { isMissing } from './support/requirements.ts';

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
// The tests may run beside an engine: skills are launched without it.
const environment = { PHOENIX_STATE_DIR: join(folder, 'state'), DOCKER_HOST: `unix://${join(folder, 'no.sock')}` };
const verify = (...args: string[]) => {
  const { code, stdout, stderr } = phoenix(['verify', '--json', ...args], environment);
  const { checks = [] } = JSON.parse(stdout || '{}') as { checks?: CheckResult[] };
  return {
    code,
    stderr,
    results: Object.fromEntries(checks.map(({ id, result, detail }) => [id, `${result}: ${detail}`])),
  };
};

describe('phoenix verify', () => {
  it('passes the tests of the source document, and says what is not possible here', () => {
    const { code, results, stderr } = verify('patch-1', 'patch-3', 'test_', 'health');
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(results, undefined, 2)}`);
    for (const id of [
      'patch-1',
      'patch-3',
      'test_get_skill_client_launches_container/health',
      'test_get_skill_client_reuses_existing',
      'test_store_svo_via_skill',
      'test_fallback_to_local_if_skill_unavailable',
    ])
      assert.match(results[id] ?? '', /^pass: /, id);
    assert.match(
      results['test_get_skill_client_launches_container/up'] ?? '',
      /^impossible: skills run in the (sandbox|process)/,
    );
    assert.match(results.health ?? '', /^impossible: /);
    assert.equal(verify('health', '--strict').code, 1);
  });

  it('finds every metric of the dashboard, epsilon included', () => {
    const { code, results, stderr } = verify('patch-4');
    assert.equal(code, 0, `${stderr}\n${JSON.stringify(results, undefined, 2)}`);
    for (const id of ['patch-4', 'patch-4/panels', 'patch-4/sarai_fl_epsilon', 'patch-4/up'])
      assert.match(results[id] ?? '', /^pass: /, id);
  });

  it('prints the checklist for people, and its exit code says whether a line failed', () => {
    const report = join(folder, 'report.json');
    const spread = { p50: 1e9, p90: 1e9, p95: 1e9, p99: 9.6e9, max: 9.7e9 };
    const machine = { cpu: 'x', cores: 1, memoryBytes: 1, node: 'v24', runtime: 'sandbox' };
    const memory = { intervalMs: 250, samples: 9, total: spread, assistant: spread, skills: {}, growthPerHour: null };
    const rest = {
      hitRate: null,
      acceptance: null,
      errors: { count: 0, share: 0 },
      limits: [],
      series: { memory: [], latency: {} },
    };
    const run = { scenario: 'mixed', startedAt: '2025-01-01', seconds: 300, load: 1, seed: 1 };
    const write = (p99: number) =>
      writeFileSync(
        report,
        JSON.stringify({
          format: 1,
          phoenix: '1',
          ...run,
          machine,
          operations: {},
          memory: { ...memory, total: { ...spread, p99 } },
          ...rest,
        }),
      );
    write(9.6e9);
    const failed = phoenix(['verify', 'benchmark', '--bench', report], environment);
    assert.equal(failed.code, 1);
    assert.match(
      failed.stdout,
      /^\nValidation checklist\n\[ \] Benchmark: .*RAM P99 < 9\.5 GB\n {6}FAIL: RAM P50 1\.00 GB, P99 9\.60 GB.*\n\n0 passed, 1 failed/,
    );
    write(9.4e9);
    const passed = phoenix(['verify', 'benchmark', '--bench', report], environment);
    assert.deepEqual([passed.code, passed.stdout.includes('[x] Benchmark')], [0, true]);
    assert.match(
      phoenix(['verify', 'benchmark', '--bench', join(folder, 'no.json')], environment).stdout,
      /FAIL: ENOENT/,
    );
    assert.match(phoenix(['verify', 'nothing'], environment).stderr, /there is no check nothing/);
  });
});

const noEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());
describe('phoenix verify with an engine', { skip: noEngine }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  it('sees the container, deploys for the line about health, and takes all of it down again', () => {
    const args = ['verify', '--json', 'test_get', 'health', '--deploy'];
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      encoding: 'utf8',
      env: { ...process.env, PHOENIX_STATE_DIR: join(folder, 'docker') },
    });
    const { checks } = JSON.parse(stdout) as { checks: CheckResult[] };
    for (const { id, result, detail } of checks) assert.equal(result, 'pass', `${id}: ${detail}\n${stderr}`);
    assert.match(checks.find(({ id }) => id === 'health')?.detail ?? '', /saraiskill\.sql healthy/);
    assert.match(checks.find(({ id }) => id.endsWith('/up'))?.detail ?? '', /: Up /);
    const left = spawnSync('docker', ['ps', '--all', '--quiet'], { encoding: 'utf8' });
    assert.deepEqual([left.status, left.stdout], [0, '']);
  });
});
