/** A real Prometheus that scrapes an assistant by the configuration that Phoenix ships. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse, stringify } from 'yaml';
import { isMissing } from './requirements.ts';
import { until } from './scoped-pool.ts';

/** The configuration that the deployment uses. */
export const PROMETHEUS_CONFIG = join(import.meta.dirname, '../../deploy/prometheus/prometheus.yml');

const RULES_FOLDER = join(PROMETHEUS_CONFIG, '../rules');
/** The files of rules that the deployment uses. */
export const RULES = { recording: join(RULES_FOLDER, 'recording.yml'), alerts: join(RULES_FOLDER, 'alerts.yml') };

export interface RecordingRule {
  record: string;
  expr: string;
  labels?: Record<string, string>;
}

export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** The rules that the deployment uses. */
export function readRules(): { recorded: RecordingRule[]; alerts: AlertRule[] } {
  const read = <Rule>(path: string) =>
    (parse(readFileSync(path, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(({ rules }) => rules);
  return { recorded: read<RecordingRule>(RULES.recording), alerts: read<AlertRule>(RULES.alerts) };
}

/** @returns why tests with Prometheus are skipped, or false when they are not */
export function prometheusMissing(): string | false {
  const isThere = ['prometheus', 'promtool'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  return isMissing('prometheus with promtool (Debian: apt-get install prometheus)', isThere);
}

/** Runs promtool. @returns its exit code and everything that it said */
export function promtool(args: readonly string[], input = ''): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { encoding: 'utf8', input, timeout: 60_000 });
  return { code: status, output: `${stdout}${stderr}` };
}

/** One series of an instant vector. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** What Prometheus knows of a target. */
export interface Target {
  labels: Record<string, string>;
  scrapePool: string;
  health: 'up' | 'down' | 'unknown';
  lastError: string;
  lastScrape: string;
}

export interface PrometheusOptions {
  assistantUrl: string;
  /** `server.token` of the assistant. */
  token?: string;
  /** Between scrapes and between evaluations, in milliseconds. Default 500. */
  intervalMs?: number;
  /** Absolute paths of files with recording and alerting rules. Default: those of the shipped configuration. */
  ruleFiles?: readonly string[];
  /** More arguments of the program. */
  args?: readonly string[];
}

/** A Prometheus on 127.0.0.1 with a data folder of its own. */
export interface RunningPrometheus extends AsyncDisposable {
  url: string;
  /** An instant query. @throws Error with what Prometheus says of the expression */
  query(expression: string): Promise<Sample[]>;
  /** The value of an expression with exactly one series. @throws Error when there are more, or none */
  value(expression: string): Promise<number>;
  targets(): Promise<Target[]>;
  /** Waits until every skill is a target and everything that is a target now was scraped from now on, some times. */
  untilScraped(times?: number): Promise<void>;
  /** Waits until an expression gives a result that is as wanted. */
  untilQuery(what: string, expression: string, isWanted: (samples: Sample[]) => boolean): Promise<Sample[]>;
  /** GET of its HTTP API: `data` of the answer. https://prometheus.io/docs/prometheus/latest/querying/api/ */
  api(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

interface ScrapeConfig {
  authorization?: object;
  http_sd_configs?: { refresh_interval: string; authorization?: object }[];
}

/** The shipped configuration, with another address and other times; without a token, without authorization. */
function configFor(
  { assistantUrl, intervalMs = 500, ruleFiles }: PrometheusOptions,
  tokenFile: string | undefined,
): string {
  const text = readFileSync(PROMETHEUS_CONFIG, 'utf8')
    .replaceAll('sarai:8080', new URL(assistantUrl).host)
    .replaceAll('/run/secrets/sarai_token', tokenFile ?? '');
  const config = parse(text) as {
    global: Record<string, string>;
    rule_files?: string[];
    scrape_configs: ScrapeConfig[];
  };
  const interval = `${intervalMs}ms`;
  config.global = { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval };
  for (const scrape of config.scrape_configs) {
    const discoveries = scrape.http_sd_configs ?? [];
    for (const discovery of discoveries) discovery.refresh_interval = interval;
    if (tokenFile === undefined) for (const each of [scrape, ...discoveries]) delete each.authorization;
  }
  const shipped = (config.rule_files ?? []).map((file) => resolve(PROMETHEUS_CONFIG, '..', file));
  config.rule_files = [...(ruleFiles ?? shipped)];
  return stringify(config);
}

/** Starts Prometheus and waits until it answers. */
export async function startPrometheus(options: PrometheusOptions): Promise<RunningPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-prometheus-'));
  const tokenFile = options.token === undefined ? undefined : join(folder, 'token');
  if (tokenFile) writeFileSync(tokenFile, options.token ?? '', { mode: 0o600 });
  const configFile = join(folder, 'prometheus.yml');
  writeFileSync(configFile, configFor(options, tokenFile));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${configFile}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let log = '';
  child.stderr.on('data', (data: Buffer) => {
    log += data;
  });
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until('Prometheus answers', async () => {
      if (child.exitCode !== null) throw new Error(`Prometheus ended: ${log}`);
      return (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok === true;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, ...clientOf(url), stop, [Symbol.asyncDispose]: stop };
}

function clientOf(url: string): Omit<RunningPrometheus, 'url' | 'stop' | typeof Symbol.asyncDispose> {
  const api = async (path: string) => {
    const answer = (await (await fetch(`${url}${path}`)).json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`);
    return answer.data;
  };
  const query = async (expression: string): Promise<Sample[]> => {
    const data = (await api(`/api/v1/query?${new URLSearchParams({ query: expression })}`)) as
      | { resultType: 'vector'; result: { metric: Record<string, string>; value: [number, string] }[] }
      | { resultType: 'scalar'; result: [number, string] };
    if (data.resultType === 'scalar') return [{ labels: {}, value: Number(data.result[1]) }];
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  const targets = async () =>
    ((await api('/api/v1/targets?state=active')) as { activeTargets: Target[] }).activeTargets;
  return {
    api,
    query,
    targets,
    async value(expression) {
      const samples = await query(expression);
      if (samples.length !== 1 || !samples[0]) {
        throw new Error(`${expression}: ${samples.length} series instead of one: ${JSON.stringify(samples)}`);
      }
      return samples[0].value;
    },
    async untilScraped(times = 1) {
      for (let time = 0; time < times; time++) {
        const now = Date.now();
        await until('a scrape of every target', async () => {
          const all = await targets();
          const isDiscovered = all.some(({ scrapePool }) => scrapePool === 'skill-containers');
          return isDiscovered && all.every(({ lastScrape }) => Date.parse(lastScrape) > now);
        });
      }
    },
    async untilQuery(what, expression, isWanted) {
      let samples: Sample[] = [];
      await until(`${what}: ${expression}`, async () => {
        samples = await query(expression);
        return isWanted(samples);
      });
      return samples;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
