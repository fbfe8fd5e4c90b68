/** Patch #4: the dashboard, and the metrics that its panels and the source document name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Phoenix } from '../assistant/index.ts';
import { federatedFolders, PrivacyLedger } from '../federated/index.ts';
import { createLogger } from '../telemetry/index.ts';
import { type Check, fail, impossible, type Outcome, pass, type VerifyContext } from './check.ts';

const DASHBOARD = 'deploy/grafana/dashboards/phoenix-skills.json';
/** The panels of the source document, by what their titles say. */
const PANELS = [
  /skill hit rate/i,
  /latency.*p50|p50.*latency/i,
  /health/i,
  /(ram|memory) per/i,
  /acceptance rate/i,
  /privacy|epsilon|ε/i,
];
const METRICS = [
  'skill_requests_total',
  'skill_latency_seconds',
  'sarai_speculative_acceptance_rate',
  'sarai_fl_epsilon',
];
/** Long enough texts for proposals to be tested. */
const PROMPTS = ['Ana', 'Eva', 'Inés'].map((name) => `<|extract|>Mi amiga ${name} vive en Roma y es jardinera.<|out|>`);
/** What stands for a metric in an expression, and is no function or label. */
const METRIC_NAME = /\b(?:skill|sarai|container)(?:_[a-z0-9]+|:[a-z0-9_]+)+/g;

interface Panel {
  title?: string;
  targets?: { expr?: string }[];
  panels?: Panel[];
}

const seen = new WeakMap<VerifyContext, Promise<Set<string>>>();

/** A federated round in the ledger: without one there is no epsilon to show. */
function accountForRound(stateDir: string): void {
  const ledger = PrivacyLedger.open(federatedFolders(stateDir).coordinator);
  ledger.setPolicy({ epsilon: 2, delta: 1e-5, adjacency: 'add_remove', unit: 'client' });
  ledger.append({ round: 1, mode: 'full', noise: 4, rate: 1, dimension: 10, clip: 1, divisor: 5 });
}

/** The metrics that an assistant shows after a federated round and some requests; it is started once. */
function metricsOf(context: VerifyContext): Promise<Set<string>> {
  const known = seen.get(context) ?? readMetrics(context);
  seen.set(context, known);
  return known;
}

async function readMetrics({ config, folder }: VerifyContext): Promise<Set<string>> {
  const stateDir = join(folder, 'assistant');
  accountForRound(stateDir);
  const phoenix = await Phoenix.open({ ...config, state_dir: stateDir }, createLogger('silent'));
  try {
    await phoenix.operations.chat([{ role: 'user', content: 'Mi hermana vive en Madrid' }]);
    await phoenix.operations.chat([{ role: 'user', content: '¿Dónde vive mi hermana?' }]);
    if (config.models.target !== 'none') for (const prompt of PROMPTS) await generate(phoenix, prompt);
    const { text } = await phoenix.metrics.exposition();
    return new Set([...text.matchAll(/^([a-zA-Z_:][\w:]*)[{ ]/gm)].map(([, name = '']) => name));
  } finally {
    await phoenix.close();
  }
}

async function generate({ generator }: Phoenix, raw: string): Promise<void> {
  const pieces = await generator.generate({ raw }, { maxTokens: 64, temperature: 0 });
  for await (const _ of pieces) {
    // Only what it counts is of interest.
  }
}

/** The names that recording rules give to expressions. */
function recordedMetrics(home: string): string[] {
  const folder = join(home, 'deploy/prometheus');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.ya?ml$/.test(name));
  return files.flatMap((name) => {
    const rules = parse(readFileSync(join(folder, name), 'utf8')) as {
      groups?: { rules?: { record?: string }[] }[];
    } | null;
    return (rules?.groups ?? []).flatMap(({ rules = [] }) => rules.flatMap(({ record }) => record ?? []));
  });
}

function allPanels({ panels = [] }: Panel): Panel[] {
  return panels.flatMap((panel) => [panel, ...allPanels(panel)]);
}

async function checkPanels(context: VerifyContext, wanted: readonly RegExp[]): Promise<Outcome> {
  const path = join(context.home, DASHBOARD);
  if (!existsSync(path)) return fail(`${DASHBOARD} is not there: this version of Phoenix has no dashboard yet`);
  const file = JSON.parse(readFileSync(path, 'utf8')) as Panel & { dashboard?: Panel };
  const panels = allPanels(file.dashboard ?? file);
  const known = new Set([...(await metricsOf(context)), ...recordedMetrics(context.home)]);
  const titles: string[] = [];
  for (const title of wanted) {
    const panel = panels.find((each) => title.test(each.title ?? ''));
    if (!panel)
      return fail(`${DASHBOARD} has no panel ${title}; it has: ${panels.map((each) => each.title).join(', ')}`);
    const asked = (panel.targets ?? []).flatMap(({ expr = '' }) => expr.match(METRIC_NAME) ?? []);
    const missing = asked.filter((name) => !isLabel(name) && !known.has(name));
    if (missing.length > 0)
      return fail(`the panel "${panel.title}" asks for ${missing.join(', ')}, which nothing exports`);
    titles.push(`"${panel.title}"`);
  }
  return pass(`${titles.join(', ')}: every metric that they ask for is exported (Grafana itself was not asked)`);
}

/** Names of labels that look like metrics. */
function isLabel(name: string): boolean {
  return name === 'skill_name';
}

export const dashboardCheck: Check = {
  id: 'patch-4',
  line: 'Patch #4: the Grafana dashboard shows the panel "Skill Hit Rate"',
  run: (context) => checkPanels(context, PANELS.slice(0, 1)),
};

export const dashboardDetails: Check[] = [
  {
    id: 'patch-4/panels',
    line: 'Patch #4: all six panels, each fed by metrics that are exported',
    run: (context) => checkPanels(context, PANELS),
  },
  ...METRICS.map(
    (name): Check => ({
      id: `patch-4/${name}`,
      line: `Patch #4: the metric ${name} is exported`,
      async run(context) {
        const names = await metricsOf(context);
        const found = [name, `${name}_bucket`].find((each) => names.has(each));
        if (!found && name.includes('speculative') && context.config.models.target === 'none')
          return impossible('there is no language model (models.target is "none")');
        return found ? pass(found) : fail(`an assistant of this version exports no ${name}`);
      },
    }),
  ),
  {
    id: 'patch-4/up',
    line: "Patch #4: up{job='skill-containers'} is there for every skill",
    async run({ home }) {
      const { scrape_configs = [] } = parse(readFileSync(join(home, 'deploy/prometheus/prometheus.yml'), 'utf8')) as {
        scrape_configs?: { job_name: string; http_sd_configs?: { url: string }[] }[];
      };
      const urls = scrape_configs.find(({ job_name }) => job_name === 'skill-containers')?.http_sd_configs ?? [];
      return urls.some(({ url }) => url.endsWith('/sd/skills'))
        ? pass('deploy/prometheus/prometheus.yml scrapes every skill that /sd/skills lists, as that job')
        : fail('deploy/prometheus/prometheus.yml has no job skill-containers that asks /sd/skills');
    },
  },
];
