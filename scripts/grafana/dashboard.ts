/** The dashboard: whether the skills earn their keep, and what an operator has to know of them. */
import { GraphThresholdsStyleConfigBuilder, GraphThresholdsStyleMode } from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  IntervalVariableBuilder,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  type ValueMap,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { counts, DATASOURCE, gauge, stat, table, thresholds, timeSeries } from './panels.ts';

export const DASHBOARD_UID = 'phoenix-skills-v2-12';

/** Numbers of panels that alerts lead to. */
export const PANEL = { hitRate: 1, latency: 2, health: 3, memory: 4, acceptance: 5, epsilon: 6, journal: 11 } as const;

/** Chosen at the top of the dashboard. */
const WINDOW = '[$window]';
const SKILL = 'skill_name=~"$skill"';
const UP = `up{job="skill-containers",${SKILL}}`;

const quantile = (share: number) =>
  `histogram_quantile(${share}, sum by (le, skill_name) (rate(skill_latency_seconds_bucket{${SKILL}}${WINDOW}))) * 1000`;

/** Names and colours of values. */
function names(values: Record<string, [text: string, color: string]>): ValueMap[] {
  const options = Object.fromEntries(
    Object.entries(values).map(([value, [text, color]], index) => [value, { text, color, index }]),
  );
  return [{ type: MappingType.ValueToText, options }];
}

const hitRate = timeSeries({
  id: PANEL.hitRate,
  title: 'Skill Hit Rate (%)',
  description: 'Requests that a skill helped with. Below 40%: check the router.',
  unit: 'percent',
  width: 8,
  queries: [
    [
      `100 * sum(rate(sarai_requests_with_skill_total${WINDOW})) / sum(rate(sarai_requests_total${WINDOW}))`,
      'Skill Usage %',
    ],
  ],
})
  .min(0)
  .max(100)
  .thresholds(thresholds([null, 'red'], [40, 'green']))
  .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));

const latency = timeSeries({
  id: PANEL.latency,
  title: 'Skill Latency P50 (ms)',
  description: 'From a call to its answer, launch and waiting included.',
  unit: 'ms',
  width: 8,
  queries: [[quantile(0.5), '{{skill_name}}']],
}).min(0);

const HEALTH = 'Health';
const ISOLATION = 'Isolation';
const health = table({
  id: PANEL.health,
  title: 'Skill Container Health',
  description: 'Idle: stopped because nobody needs it. Down: it should serve and does not.',
  unit: 'short',
  width: 8,
  queries: [
    [
      `max by (skill_name) (((${UP} == 0 and on (skill_name) skill_expected_up == 0) - 1) or ${UP})`,
      '{{skill_name}} health',
    ],
    [`max by (skill_name) (skill_isolation_level{${SKILL}})`, '{{skill_name}} isolation'],
    [`sum by (skill_name) (skill_restarts_total{${SKILL}})`, '{{skill_name}} restarts'],
  ],
})
  .withTransformation({ id: 'merge', options: {} })
  .withTransformation({
    id: 'organize',
    options: {
      excludeByName: { Time: true },
      indexByName: { skill_name: 0, 'Value #A': 1, 'Value #B': 2, 'Value #C': 3 },
      renameByName: { skill_name: 'Skill', 'Value #A': HEALTH, 'Value #B': ISOLATION, 'Value #C': 'Restarts' },
    },
  })
  .overrideByName(HEALTH, [
    { id: 'mappings', value: names({ '1': ['serves', 'green'], '0': ['down', 'red'], '-1': ['idle', 'blue'] }) },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ])
  .overrideByName(ISOLATION, [
    {
      id: 'mappings',
      value: names({ '1': ['process', 'orange'], '2': ['sandbox', 'green'], '3': ['container', 'green'] }),
    },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ]);

const memory = timeSeries({
  id: PANEL.memory,
  title: 'RAM per Skill Container (MB)',
  description: 'Without the cache of files that the kernel would give back. Dashed: what the skill may use.',
  unit: 'decmbytes',
  width: 8,
  queries: [
    // cAdvisor exports the same metric for the same containers.
    ['container_memory_usage_bytes{job="sarai",name=~"saraiskill\\\\.$skill"} / 1e6', '{{name}}'],
    [`skill_memory_limit_bytes{${SKILL}} / 1e6`, 'limit of {{skill_name}}'],
  ],
})
  .min(0)
  .overrideByQuery('B', [
    { id: 'custom.lineStyle', value: { fill: 'dash', dash: [10, 10] } },
    { id: 'custom.fillOpacity', value: 0 },
  ]);

const acceptance = gauge({
  id: PANEL.acceptance,
  title: 'Speculative Decode Acceptance Rate',
  description: 'Share of the proposed tokens that the model accepted, of about the last 256 tested ones.',
  unit: 'percentunit',
  width: 8,
  queries: [['sarai_speculative_acceptance_rate', 'acceptance']],
})
  .min(0)
  .max(1)
  .noValue('nothing proposed yet')
  .thresholds(thresholds([null, 'red'], [0.6, 'yellow'], [0.8, 'green']));

const epsilon = stat({
  id: PANEL.epsilon,
  title: 'Federated Learning Privacy (ε)',
  description: 'Privacy that was spent, with the delta, the adjacency and the unit that it holds for.',
  unit: 'none',
  width: 8,
  queries: [['sarai_fl_epsilon', '{{mode}}, per {{unit}}, {{adjacency}}, δ = {{delta}}']],
})
  .noValue('no federated learning')
  .decimals(2)
  .thresholds(thresholds([null, 'green'], [1, 'yellow'], [2, 'red']));

const tail = timeSeries({
  id: 7,
  title: 'Skill Latency P95 and P99 (ms)',
  description: 'From a call to its answer, launch and waiting included.',
  unit: 'ms',
  width: 8,
  queries: [
    [quantile(0.95), '{{skill_name}} p95'],
    [quantile(0.99), '{{skill_name}} p99'],
  ],
}).min(0);

const errors = counts({
  id: 8,
  title: 'Errors',
  description: 'In the chosen window: calls of skills that failed, by gRPC status, and requests that failed.',
  width: 8,
  queries: [
    [`sum by (skill_name, code) (increase(skill_errors_total{${SKILL}}${WINDOW})) > 0`, '{{skill_name}} {{code}}'],
    [`sum(increase(sarai_request_errors_total${WINDOW}))`, 'requests'],
  ],
});

const launches = counts({
  id: 9,
  title: 'Launches',
  description: 'In the chosen window. Cold: started; warm: a spare was taken; reused: found running.',
  width: 8,
  queries: [
    [`sum by (skill_name, kind) (increase(skill_launches_total{${SKILL}}${WINDOW})) > 0`, '{{skill_name}} {{kind}}'],
    [`sum by (skill_name) (increase(skill_launch_failures_total{${SKILL}}${WINDOW})) > 0`, '{{skill_name}} failed'],
  ],
});

const fallbacks = counts({
  id: 10,
  title: 'Fallbacks',
  description:
    'In the chosen window: what the memory did without the sql skill, and how often speculation ended or was not begun.',
  width: 12,
  queries: [
    [
      `sum by (operation) (increase(sarai_memory_operations_total{from="local"}${WINDOW})) > 0`,
      'memory: {{operation}} here',
    ],
    [`sum by (reason) (increase(sarai_speculative_fallbacks_total${WINDOW})) > 0`, 'speculation: {{reason}}'],
  ],
});

const journal = timeSeries({
  id: PANEL.journal,
  title: 'Memory Journal',
  description: 'Changes that the sql skill has not seen yet. Above 0 for long: it does not take them.',
  unit: 'short',
  width: 12,
  queries: [['sarai_memory_journal_depth', 'changes in the journal']],
}).min(0);

export function phoenixDashboard(): Dashboard {
  return new DashboardBuilder('Phoenix Skills-as-Services v2.12')
    .uid(DASHBOARD_UID)
    .description(
      'Whether the skills of Phoenix help, how fast they are, and what they need. docs/metrics.md explains each metric.',
    )
    .tags(['sarai', 'phoenix', 'skills'])
    .timezone('browser')
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      new IntervalVariableBuilder('window')
        .label('Window')
        .description('What rates and percentiles are taken over. Longer where there are few requests.')
        .values('5m,15m,1h,6h,1d')
        .current({ text: '5m', value: '5m', selected: true }),
    )
    .withVariable(
      new QueryVariableBuilder('skill')
        .label('Skill')
        .datasource(DATASOURCE)
        .query('label_values(skill_requests_total, skill_name)')
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue('.+')
        .current({ text: 'All', value: '$__all', selected: true }),
    )
    .withRow(new RowBuilder('Skills').id(100))
    .withPanel(hitRate)
    .withPanel(latency)
    .withPanel(health)
    .withPanel(memory)
    .withPanel(acceptance)
    .withPanel(epsilon)
    .withRow(new RowBuilder('Operation').id(101))
    .withPanel(tail)
    .withPanel(errors)
    .withPanel(launches)
    .withPanel(fallbacks)
    .withPanel(journal)
    .build();
}
