/** The rules that Prometheus is given: promtool evaluates each alert, firing and not firing. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { PROMETHEUS_CONFIG, prometheusMissing, promtool, RULES, readRules } from './support/prometheus.ts';

const CASES = join(import.meta.dirname, 'fixtures/prometheus/alerts.yml');

interface Case {
  alert_rule_test?: { alertname: string; exp_alerts: unknown[] }[];
}

const { alerts, recorded } = readRules();

describe('the rules of Prometheus', { skip: prometheusMissing() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-rules-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are right, and part of the configuration', () => {
    for (const args of [
      ['check', 'rules', ...Object.values(RULES)],
      ['check', 'config', '--syntax-only', PROMETHEUS_CONFIG],
    ]) {
      const { code, output } = promtool(args);
      assert.equal(code, 0, output);
      assert.match(output, /SUCCESS/);
    }
    const { rule_files } = parse(readFileSync(PROMETHEUS_CONFIG, 'utf8')) as { rule_files: string[] };
    assert.deepEqual(rule_files, ['rules/*.yml']);
  });

  it('fire and keep quiet as they should', () => {
    const { code, output } = promtool(['test', 'rules', CASES]);
    assert.equal(code, 0, output);
  });

  it('are all tested: each alert firing and not firing', () => {
    const { tests } = parse(readFileSync(CASES, 'utf8')) as { tests: Case[] };
    const expectations = tests.flatMap(({ alert_rule_test }) => alert_rule_test ?? []);
    for (const { alert } of alerts) {
      const own = expectations.filter(({ alertname }) => alertname === alert);
      assert.ok(
        own.some(({ exp_alerts }) => exp_alerts.length > 0),
        `${alert} is never seen firing`,
      );
      assert.ok(
        own.some(({ exp_alerts }) => exp_alerts.length === 0),
        `${alert} is never seen quiet`,
      );
    }
    const text = readFileSync(CASES, 'utf8');
    for (const { record } of recorded) assert.ok(text.includes(record), `${record} is not tested`);
  });

  it('are explained: what to do stands in docs/metrics.md', () => {
    const document = readFileSync(join(import.meta.dirname, '../docs/metrics.md'), 'utf8');
    const [, section = ''] = document.split('\n## Alerts\n');
    const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
    assert.deepEqual(
      rows,
      alerts.map(({ alert }) => alert),
    );
  });

  it('would be noticed if they were wrong', () => {
    // The same cases against thresholds that are a little different.
    const cases = readFileSync(CASES, 'utf8').replace('../../../deploy/prometheus/rules', folder);
    writeFileSync(join(folder, 'cases.yaml'), cases);
    writeFileSync(join(folder, 'recording.yml'), readFileSync(RULES.recording, 'utf8'));
    const right = readFileSync(RULES.alerts, 'utf8');
    const run = (rules: string) => {
      writeFileSync(join(folder, 'alerts.yml'), rules);
      return promtool(['test', 'rules', join(folder, 'cases.yaml')]);
    };
    const { code, output } = run(right);
    assert.equal(code, 0, output);
    for (const [was, is] of [
      ['< 40', '< 41'],
      ['>= 10', '>= 5'],
      ['up{job="sarai"} == 0', 'up{job="sarai"} == 2'],
      ['skill_expected_up == 1', 'skill_expected_up >= 0'],
      ['< 0.6', '<= 0.6'],
      ['>= 256', '>= 0'],
      ['sarai_fl_epsilon >', 'sarai_fl_epsilon >='],
      ['used_bytes >', 'used_bytes <'],
      ['> 0.9', '> 0.4'],
      ['== 0\n        for: 5m', '>= 0\n        for: 5m'],
    ] as const) {
      assert.ok(right.includes(was), was);
      assert.notEqual(run(right.replace(was, is)).code, 0, `nobody notices ${is} instead of ${was}`);
    }
  });
});
