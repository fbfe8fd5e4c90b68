import type { BenchReport } from './report.ts';

export interface Comparison {
  name: string;
  before: string;
  now: string;
  /** In percent, of before. */
  change: string;
  /** By more than a tenth. */
  worse: boolean;
}

/** What differs from one run is noise; from here on it is said to be worse. */
const NOISE = 0.1;

/** Latencies and memory of two runs of one scenario, side by side. */
export function compareReports(old: BenchReport, report: BenchReport): Comparison[] {
  const rows: [string, number | undefined, number | undefined, string][] = [
    ['RAM P50', old.memory.total.p50 / 1e9, report.memory.total.p50 / 1e9, 'GB'],
    ['RAM P99', old.memory.total.p99 / 1e9, report.memory.total.p99 / 1e9, 'GB'],
    ...Object.entries(report.operations).flatMap(([name, { latency }]) =>
      (['p50', 'p99'] as const).map((which): [string, number | undefined, number | undefined, string] => [
        `${name} ${which.toUpperCase()}`,
        old.operations[name]?.latency?.[which],
        latency?.[which],
        'ms',
      ]),
    ),
  ];
  return rows.map(([name, before, now, unit]) => {
    const show = (value: number | undefined) => (value === undefined ? '-' : `${Number(value.toPrecision(3))} ${unit}`);
    const change = before !== undefined && now !== undefined && before > 0 ? now / before - 1 : undefined;
    return {
      name,
      before: show(before),
      now: show(now),
      change: change === undefined ? '-' : `${change >= 0 ? '+' : ''}${(change * 100).toFixed(1)}%`,
      worse: change !== undefined && change > NOISE,
    };
  });
}
