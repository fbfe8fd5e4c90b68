/** What Grafana is given: right by its own schema, and by rules of our own. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { DASHBOARD, filledIn, GRAFANA, panelsOf, readDashboard } from './support/grafana.ts';
import { typeErrors } from './support/grafana-types.ts';
import { prometheusMissing, promtool, readRules } from './support/prometheus.ts';

const ROOT = join(import.meta.dirname, '..');
const dashboard = readDashboard();
const panels = panelsOf(dashboard);
const { alerts, recorded } = readRules();
const yaml = <Content>(path: string) => parse(readFileSync(path, 'utf8')) as Content;

describe('the dashboard', () => {
  const text = readFileSync(DASHBOARD, 'utf8');

  it('fits the types that Grafana publishes', () => {
    assert.equal(typeErrors(text), '');
  });

  for (const [was, is] of [
    ['"fillOpacity": 10', '"fillOpacities": 10'],
    ['"mode": "multi"', '"mode": "all"'],
    ['"type": "timeseries"', '"type": "graph"'],
    ['"graphTooltip": 1', '"graphTooltip": 7'],
    ['"legendFormat"', '"legend"'],
    ['"h": 8', '"h": "8"'],
  ] as const) {
    it(`would not fit with ${is}`, () => {
      assert.ok(text.includes(was));
      assert.notEqual(typeErrors(text.replace(was, is)), '');
    });
  }

  it('is the one that people know', () => {
    const { uid, title, tags, refresh, time } = dashboard;
    assert.deepEqual(
      { uid, title, tags, refresh, time },
      {
        uid: 'phoenix-skills-v2-12',
        title: 'Phoenix Skills-as-Services v2.12',
        tags: ['sarai', 'phoenix', 'skills'],
        refresh: '30s',
        time: { from: 'now-6h', to: 'now' },
      },
    );
    assert.deepEqual(
      panels.slice(0, 6).map(({ id, title, type }) => [id, title, type]),
      [
        [1, 'Skill Hit Rate (%)', 'timeseries'],
        [2, 'Skill Latency P50 (ms)', 'timeseries'],
        [3, 'Skill Container Health', 'table'],
        [4, 'RAM per Skill Container (MB)', 'timeseries'],
        [5, 'Speculative Decode Acceptance Rate', 'gauge'],
        [6, 'Federated Learning Privacy (ε)', 'stat'],
      ],
    );
    const steps = (id: number) =>
      panels
        .find((panel) => panel.id === id)
        ?.fieldConfig.defaults.thresholds?.steps.map(({ value, color }) => [value, color]);
    assert.deepEqual(steps(5), [
      [null, 'red'],
      [0.6, 'yellow'],
      [0.8, 'green'],
    ]);
    assert.deepEqual(steps(6), [
      [null, 'green'],
      [1, 'yellow'],
      [2, 'red'],
    ]);
    assert.deepEqual([panels[0]?.fieldConfig.defaults.min, panels[0]?.fieldConfig.defaults.max], [0, 100]);
  });

  it('says of every panel what it is, in which unit, and of every series whose it is', () => {
    for (const { title, description, fieldConfig, targets } of panels) {
      assert.ok(title && description, title);
      assert.ok(fieldConfig.defaults.unit, `${title} has no unit`);
      assert.ok(targets.length > 0, `${title} asks nothing`);
      assert.deepEqual(
        targets.map(({ refId }) => refId),
        targets.map((_, index) => 'ABCDEF'[index]),
        title,
      );
      for (const { expr, legendFormat } of targets) {
        assert.ok(legendFormat, `${expr} has no legend`);
        // What the legend names is a label that the expression keeps.
        const kept = / by \(([^)]*)\)/.exec(expr)?.[1]?.split(', ');
        for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g))
          if (kept) assert.ok(kept.includes(label), `${expr} has no ${label} for its legend`);
      }
    }
  });

  it('asks the data source that was chosen, and no other', () => {
    const [datasource] = dashboard.templating.list;
    assert.deepEqual(
      [datasource?.name, datasource?.type, datasource?.query],
      ['datasource', 'datasource', 'prometheus'],
    );
    const uids = [...text.matchAll(/"uid": "([^"]*)"/g)].map(([, uid]) => uid).filter((uid) => uid !== dashboard.uid);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as Grafana writes it
    assert.deepEqual([...new Set(uids)], ['${datasource}']);
    for (const { datasource, targets } of panels)
      for (const each of [datasource, ...targets.map((target) => target.datasource)])
        assert.equal(each.type, 'prometheus');
  });

  it('has each panel at a place of its own', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x},${y}`), `${title} covers another panel`);
          taken.add(`${x},${y}`);
        }
    }
  });

  it('asks for metrics that there are, and so do the rules', () => {
    const document = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
    const known = new Set(['up', 'skill_name', ...[...document.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)]);
    for (const { record } of recorded) known.add(record);
    const expressions = [...panels.flatMap(({ targets }) => targets), ...recorded, ...alerts].map(({ expr }) => expr);
    for (const expr of expressions) {
      const names = expr.replace(/"[^"]*"/g, '').match(/\b(up\b|(sarai|skill|container)[\w:]*)/g) ?? [];
      assert.ok(names.length > 0, expr);
      for (const name of names.map((each) => each.replace(/_bucket$/, '')))
        assert.ok(known.has(name), `${name} is not in docs/metrics.md: ${expr}`);
    }
  });

  it('asks in PromQL', { skip: prometheusMissing() }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-dashboard-'));
    try {
      const rules = panels
        .flatMap(({ targets }) => targets)
        .map(({ expr }, index) => ({ record: `panel:${index}`, expr: filledIn(expr, dashboard) }));
      const file = join(folder, 'panels.yml');
      writeFileSync(file, stringify({ groups: [{ name: 'panels', rules }] }));
      const { code, output } = promtool(['check', 'rules', file]);
      assert.equal(code, 0, output);
      assert.match(output, new RegExp(`${rules.length} rules found`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/ */
const duration = z.string().regex(/^\d+[smh]$/);
const query = z.strictObject({
  refId: z.string(),
  relativeTimeRange: z.strictObject({ from: z.number(), to: z.number() }),
  datasourceUid: z.string(),
  model: z.looseObject({ refId: z.string() }),
});
const alertingSchema = z.strictObject({
  apiVersion: z.literal(1),
  groups: z.array(
    z.strictObject({
      orgId: z.literal(1),
      name: z.string(),
      folder: z.string(),
      interval: duration,
      rules: z.array(
        z.strictObject({
          uid: z.string().regex(/^[\w-]{1,40}$/),
          title: z.string(),
          condition: z.string(),
          data: z.array(query),
          dashboardUid: z.string(),
          panelId: z.number(),
          noDataState: z.enum(['NoData', 'Alerting', 'OK', 'KeepLast']),
          execErrState: z.enum(['Alerting', 'Error', 'OK', 'KeepLast']),
          missing_series_evals_to_resolve: z.number(),
          for: duration,
          annotations: z.record(z.string(), z.string()),
          labels: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
});

interface Mount {
  type: string;
  source: string;
  target: string;
}

describe('the provisioning of Grafana', () => {
  const alerting = alertingSchema.parse(yaml(join(GRAFANA, 'provisioning/alerting/phoenix.yml')));
  const rules = alerting.groups.flatMap((group) => group.rules);
  const { datasources } = yaml<{ datasources: { uid: string; type: string; url: string }[] }>(
    join(GRAFANA, 'provisioning/datasources/prometheus.yml'),
  );
  const { providers } = yaml<{ providers: { folder: string; options: { path: string } }[] }>(
    join(GRAFANA, 'provisioning/dashboards/phoenix.yml'),
  );

  it('has every alert of Prometheus, with a panel to look at', () => {
    assert.deepEqual(
      rules.map(({ title }) => title),
      alerts.map(({ alert }) => alert),
    );
    assert.equal(new Set(rules.map(({ uid }) => uid)).size, rules.length);
    for (const [index, rule] of rules.entries()) {
      const { expr, labels, for: patience = '0s' } = alerts[index] ?? assert.fail();
      assert.deepEqual([rule.labels, rule.for], [labels, patience]);
      const [query, result, condition] = rule.data;
      assert.equal(query?.model.expr, expr);
      assert.equal(query?.datasourceUid, datasources[0]?.uid);
      assert.deepEqual([result?.datasourceUid, condition?.datasourceUid], ['__expr__', '__expr__']);
      // Each step looks at the one before; whatever the query returns is an alert.
      assert.ok(String(result?.model.expression).includes(`$${query?.refId}`));
      assert.equal(condition?.model.expression, result?.refId);
      assert.equal(rule.condition, condition?.refId);
      assert.equal(rule.dashboardUid, dashboard.uid);
      assert.ok(
        panels.some(({ id }) => id === rule.panelId),
        rule.title,
      );
    }
  });

  it('has no "$" where Grafana would put a variable of its environment', () => {
    for (const { data: _, ...rule } of rules) assert.doesNotMatch(JSON.stringify(rule), /\$/);
    for (const { annotations } of rules)
      for (const text of Object.values(annotations)) assert.doesNotMatch(text, /\{\{ \.Value\b/);
  });

  it('finds in the deployment what it names', () => {
    const { services } = yaml<{ services: Record<string, { volumes: Mount[]; command?: string[] }> }>(
      join(ROOT, 'docker-compose.sentience.yml'),
    );
    const mounts = (service: string) =>
      Object.fromEntries(
        (services[service]?.volumes ?? [])
          .filter(({ source }) => source.startsWith('$' + '{SARAI_HOME:-.}'))
          .map(({ source, target }) => [target, join(ROOT, source.replace(/^[^}]*\}/, ''))]),
      );
    assert.equal(mounts('grafana')['/etc/grafana/provisioning'], join(GRAFANA, 'provisioning'));
    assert.equal(mounts('grafana')[providers[0]?.options.path ?? ''], join(DASHBOARD, '..'));
    const { '/etc/prometheus': prometheus = '' } = mounts('prometheus');
    for (const file of ['prometheus.yml', 'rules/alerts.yml', 'rules/recording.yml'])
      assert.ok(existsSync(join(prometheus, file)), file);
    assert.ok(services.prometheus?.command?.includes('--config.file=/etc/prometheus/prometheus.yml'));
    assert.deepEqual([...new Set(alerting.groups.map(({ folder }) => folder))], [providers[0]?.folder]);
    assert.equal(datasources[0]?.url, 'http://prometheus:9090');
  });
});
