import { readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { type BenchReport, compareReports, reportSchema, runBench, SCENARIOS, toHtml } from '../../bench/index.ts';
import { CliError } from '../errors.ts';
import { durationValue, positiveNumber, sizeValue, wholeNumber } from '../option-values.ts';
import { Progress } from '../progress.ts';
import { toTable } from '../table.ts';
import { configOf } from '../with-operations.ts';

interface Flags {
  scenario: string;
  duration?: number;
  load: number;
  seed: number;
  maxRam: number;
  maxErrors: number;
  maxP99: Record<string, number>;
  json?: string;
  html?: string;
  compare?: string;
}

/** `phoenix bench` */
export function benchCommand(): Command {
  const scenarios = Object.entries(SCENARIOS).map(
    ([name, { description, seconds }]) => `  ${name.padEnd(12)} ${description} (${seconds} s)`,
  );
  return new Command('bench')
    .description('Put load on an assistant of its own, and measure answers and the RAM of the whole system.')
    .option('--scenario <name>', 'what is asked', 'mixed')
    .option('--duration <duration>', 'how long; a bare number is seconds', durationValue)
    .option('--load <factor>', 'of all rates', positiveNumber, 1)
    .option('--seed <n>', 'the same seed asks the same at the same moments', wholeNumber, 1)
    .option('--max-ram <size>', 'limit: 99th percentile of the RAM; 0: none', sizeValue, 9.5e9)
    .option('--max-errors <share>', 'limit: share of failed operations', shareValue, 0.01)
    .option('--max-p99 <operation=ms>', 'limit: 99th percentile of a latency; repeatable', collectLimit, {})
    .option('--json <file>', 'write the report')
    .option('--html <file>', 'write the report with charts')
    .option('--compare <report>', 'an older report (--json) to compare with')
    .addHelpText('after', `\nScenarios:\n${scenarios.join('\n')}\n\nExit code: 1 when a limit is exceeded.`)
    .action(run);
}

async function run(flags: Flags, command: Command): Promise<void> {
  // Before minutes are spent.
  const old = flags.compare === undefined ? undefined : readReport(flags.compare);
  if (old && old.scenario !== flags.scenario)
    throw new CliError(
      `${flags.compare} is of the scenario ${old.scenario}, and cannot be compared with ${flags.scenario}`,
    );
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new CliError('interrupted: there is no report')));
  using progress = new Progress();
  const report = await runBench({
    config: configOf(command),
    scenario: flags.scenario,
    seconds: flags.duration === undefined ? undefined : flags.duration / 1000,
    load: flags.load,
    seed: flags.seed,
    limits: { ramP99: flags.maxRam, errors: flags.maxErrors, p99: flags.maxP99 },
    signal: interrupted.signal,
    onStep: (step) => progress.step(step),
    onUpdate: (step) => progress.update(step),
  });
  progress.end();
  if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (flags.html !== undefined) writeFileSync(flags.html, toHtml(report, old));
  process.stdout.write(toText(report, old));
  if (report.limits.some(({ ok }) => !ok)) process.exitCode = 1;
}

function toText(report: BenchReport, old: BenchReport | undefined): string {
  const { operations, memory, hitRate, acceptance, errors, limits, machine } = report;
  const gb = (bytes: number) => (bytes / 1e9).toFixed(3);
  const percent = (share: number | null) => (share === null ? 'not measured' : `${(share * 100).toFixed(1)}%`);
  const latency = Object.entries(operations).map(([name, { rate, count, errors: failed, latency: ms }]) => [
    name,
    String(rate),
    String(count),
    String(Object.values(failed).reduce((a, b) => a + b, 0)),
    ...[ms?.p50, ms?.p90, ms?.p95, ms?.p99, ms?.max].map((value) => value?.toFixed(1) ?? '-'),
  ]);
  const ram = Object.entries({ all: memory.total, assistant: memory.assistant, ...memory.skills });
  const reasons = Object.entries(operations).flatMap(([name, { errors: failed }]) =>
    Object.entries(failed).map(([reason, times]) => `  ${name}: ${reason} (${times})`),
  );
  return [
    `${report.scenario}, ${report.seconds} s, ${machine.cpu}, ${machine.cores} processors, Node ${machine.node}, skills in ${machine.runtime}`,
    '',
    toTable(['OPERATION', 'RATE/S', 'COUNT', 'ERRORS', 'P50 MS', 'P90 MS', 'P95 MS', 'P99 MS', 'MAX MS'], latency),
    toTable(
      ['RAM, GB', 'P50', 'P95', 'P99', 'MAX'],
      ram.map(([name, { p50, p95, p99, max }]) => [name, gb(p50), gb(p95), gb(p99), gb(max)]),
    ),
    `grows (below 0: shrinks) by ${memory.growthPerHour === null ? '-' : gb(memory.growthPerHour)} GB in an hour (second half of the run)`,
    `hit rate ${percent(hitRate)}, acceptance ${percent(acceptance)}, errors ${errors.count} (${percent(errors.share)})`,
    ...reasons,
    '',
    ...limits.map(
      ({ name, limit, value, ok }) =>
        `${ok ? 'within  ' : 'EXCEEDED'}  ${name}: ${value === null ? 'not measured' : Number(value.toPrecision(4))}, at most ${limit}`,
    ),
    ...(old
      ? [
          '',
          toTable(
            ['COMPARED', 'BEFORE', 'NOW', 'CHANGE'],
            compareReports(old, report).map(({ name, before, now, change, worse }) => [
              name,
              before,
              now,
              worse ? `${change} (worse)` : change,
            ]),
          ).trimEnd(),
        ]
      : []),
    '',
  ].join('\n');
}

function readReport(path: string): BenchReport {
  try {
    return reportSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new CliError(`${path} is no report of "phoenix bench --json": ${(error as Error).message}`);
  }
}

function shareValue(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!(value >= 0 && value <= 1))
    throw new InvalidArgumentError(`"${text}" is no share: write for example 0.01 or 1%`);
  return value;
}

function collectLimit(text: string, previous: Record<string, number>): Record<string, number> {
  const [name = '', ms] = text.split('=');
  const known = [...new Set(Object.values(SCENARIOS).flatMap(({ operations }) => operations.map((each) => each.name)))];
  if (!known.includes(name) || !(Number(ms) > 0))
    throw new InvalidArgumentError(
      `"${text}" is no limit: write for example recall=50; operations are ${known.join(', ')}`,
    );
  return { ...previous, [name]: Number(ms) };
}
