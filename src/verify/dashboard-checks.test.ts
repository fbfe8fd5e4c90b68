import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadConfig } from '../config/index.ts';
import type { VerifyContext } from './check.ts';
import { dashboardCheck, dashboardDetails } from './dashboard-checks.ts';

const ROOT = join(import.meta.dirname, '../..');

let home: string;
let context: VerifyContext;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'phoenix-home-'));
  cpSync(join(ROOT, 'deploy/prometheus'), join(home, 'deploy/prometheus'), { recursive: true });
  const environment = { PHOENIX_STATE_DIR: join(home, 'state'), PHOENIX_MODELS_TARGET: 'none' };
  const config = { ...loadConfig(undefined, environment), skill_runtime: 'process' as const };
  context = { config, home, folder: home } as VerifyContext;
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const dashboard = (panels: object[]) => {
  mkdirSync(join(home, 'deploy/grafana/dashboards'), { recursive: true });
  writeFileSync(join(home, 'deploy/grafana/dashboards/phoenix-skills.json'), JSON.stringify({ panels }));
};
const panel = (title: string, expr: string) => ({ title, targets: [{ expr }] });

describe('the check of the dashboard', () => {
  it('fails without a dashboard, without the panel, and with a panel that asks for what nothing exports', async () => {
    assert.match((await dashboardCheck.run(context)).detail, /phoenix-skills\.json is not there/);
    dashboard([panel('Other', 'up')]);
    const missing = await dashboardCheck.run(context);
    assert.deepEqual([missing.result, /has no panel.*it has: Other/.test(missing.detail)], ['fail', true]);
    dashboard([panel('Skill Hit Rate (%)', 'rate(skill_requests_total[5m]) / rate(sarai_made_up_total[5m])')]);
    const wrong = await dashboardCheck.run(context);
    assert.deepEqual(
      [wrong.result, /asks for sarai_made_up_total, which nothing exports/.test(wrong.detail)],
      ['fail', true],
    );
  });

  it('passes with metrics that an assistant exports or a rule records, in rows, too', async () => {
    writeFileSync(
      join(home, 'deploy/prometheus/more.yml'),
      'groups: [{ name: x, rules: [{ record: "sarai:hit_rate:ratio5m", expr: "vector(1)" }] }]',
    );
    const expression =
      'sarai:hit_rate:ratio5m + sum by (le, skill_name) (rate(skill_latency_seconds_bucket{skill_name="sql"}[5m]))';
    dashboard([{ title: 'row', panels: [panel('Skill Hit Rate (%)', expression)] }]);
    assert.equal((await dashboardCheck.run(context)).result, 'pass');
    const requests = dashboardDetails.find(({ id }) => id === 'patch-4/skill_requests_total');
    assert.equal((await requests?.run(context))?.result, 'pass');
    const acceptance = dashboardDetails.find(({ id }) => id === 'patch-4/sarai_speculative_acceptance_rate');
    assert.equal((await acceptance?.run(context))?.result, 'impossible');
  });
});
