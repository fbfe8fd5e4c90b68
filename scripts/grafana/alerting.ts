/** The alerting rules of Prometheus as rules that Grafana evaluates itself, so that it can notify without an Alertmanager. */
import { parse } from 'yaml';
import { z } from 'zod';
import { DASHBOARD_UID, PANEL } from './dashboard.ts';

/** As deploy/grafana/provisioning/datasources/prometheus.yml names it. */
const DATASOURCE_UID = 'prometheus';
/** The data source of what Grafana calculates itself. */
const EXPRESSIONS_UID = '__expr__';
const QUERY = 'query';
const RESULT = 'result';
const CONDITION = 'condition';

/** Where somebody who is told of it looks next. */
const PANEL_OF: Record<string, number> = {
  SkillHitRateLow: PANEL.hitRate,
  AssistantDown: PANEL.health,
  SkillDown: PANEL.health,
  SpeculativeAcceptanceLow: PANEL.acceptance,
  EpsilonAboveBudget: PANEL.epsilon,
  SkillMemoryAboveBudget: PANEL.memory,
  SkillMemoryNearLimit: PANEL.memory,
  JournalNotDraining: PANEL.journal,
};

/** https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
const rulesSchema = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string(),
      rules: z.array(
        z.strictObject({
          alert: z.string(),
          expr: z.string(),
          for: z.string().default('0s'),
          labels: z.record(z.string(), z.string()),
          annotations: z.record(z.string(), z.string()),
        }),
      ),
    }),
  ),
});

type AlertRule = z.output<typeof rulesSchema>['groups'][number]['rules'][number];

/**
 * A provisioning file of Grafana:
 * https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/
 *
 * @param rules an alerting rules file of Prometheus
 */
export function grafanaAlerting(rules: string): object {
  return {
    apiVersion: 1,
    groups: rulesSchema.parse(parse(rules)).groups.map(({ name, rules }) => ({
      orgId: 1,
      name,
      folder: 'Phoenix',
      interval: '1m',
      rules: rules.map(toGrafana),
    })),
  };
}

function toGrafana(rule: AlertRule): object {
  const panelId = PANEL_OF[rule.alert];
  if (panelId === undefined) throw new Error(`no panel of the dashboard is named for the alert ${rule.alert}`);
  return {
    uid: `phoenix-${rule.alert.replace(/(?<=.)(?=[A-Z])/g, '-').toLowerCase()}`,
    title: rule.alert,
    condition: CONDITION,
    data: [
      {
        refId: QUERY,
        relativeTimeRange: { from: 600, to: 0 },
        datasourceUid: DATASOURCE_UID,
        model: { refId: QUERY, expr: rule.expr, instant: true, range: false, editorMode: 'code' },
      },
      // In Prometheus whatever an expression returns is an alert, zero as well.
      calculated(RESULT, {
        type: 'math',
        expression: `is_number($${QUERY}) || is_nan($${QUERY}) || is_inf($${QUERY})`,
      }),
      calculated(CONDITION, {
        type: 'threshold',
        expression: RESULT,
        conditions: [{ evaluator: { type: 'gt', params: [0] } }],
      }),
    ],
    // Nothing wrong, in Prometheus.
    noDataState: 'OK',
    execErrState: 'Error',
    missing_series_evals_to_resolve: 1,
    for: rule.for,
    labels: rule.labels,
    annotations: Object.fromEntries(Object.entries(rule.annotations).map(([name, text]) => [name, template(text)])),
    dashboardUid: DASHBOARD_UID,
    panelId,
  };
}

function calculated(refId: string, model: object): object {
  return {
    refId,
    relativeTimeRange: { from: 0, to: 0 },
    datasourceUid: EXPRESSIONS_UID,
    model: { refId, datasource: { type: EXPRESSIONS_UID, uid: EXPRESSIONS_UID }, ...model },
  };
}

/** `.Value` is a text with everything in Grafana. Its names of labels and values need no "$", which provisioning would fill in. */
function template(text: string): string {
  return text.replace(/\.Value\b/g, `.Values.${QUERY}.Value`);
}
