/** What a run of a scenario found. Format 1 of the JSON. */
import { z } from 'zod';
import type { Observation } from './load.ts';
import type { MemorySample } from './memory-sampler.ts';
import { percentiles } from './percentiles.ts';

const spread = z.object({ p50: z.number(), p90: z.number(), p95: z.number(), p99: z.number(), max: z.number() });
/** JSON has no NaN: what was not measured is null. */
const share = z.number().nullable();

const operationSchema = z.object({
  /** Arrivals in a second that were asked for. */
  rate: z.number(),
  count: z.number(),
  /** Reason -> how often. */
  errors: z.record(z.string(), z.number()),
  /** Milliseconds, of those that were answered. */
  latency: spread.nullable(),
});

export const reportSchema = z.object({
  format: z.literal(1),
  phoenix: z.string(),
  scenario: z.string(),
  startedAt: z.string(),
  seconds: z.number(),
  /** Factor of all rates. */
  load: z.number(),
  seed: z.number(),
  machine: z.object({
    cpu: z.string(),
    cores: z.number(),
    memoryBytes: z.number(),
    node: z.string(),
    runtime: z.string(),
  }),
  operations: z.record(z.string(), operationSchema),
  memory: z.object({
    intervalMs: z.number(),
    samples: z.number(),
    /** Bytes: assistant and all skills together. */
    total: spread,
    assistant: spread,
    skills: z.record(z.string(), spread),
    /** Bytes that it grows in an hour, as in the second half; below 0 it shrinks. */
    growthPerHour: share,
  }),
  /** Share of the chat requests that a skill helped with. */
  hitRate: share,
  /** Share of the tested proposed tokens that were accepted. */
  acceptance: share,
  errors: z.object({ count: z.number(), share: z.number() }),
  limits: z.array(z.object({ name: z.string(), limit: z.number(), value: z.number().nullable(), ok: z.boolean() })),
  /** Second of the run -> total bytes, and operation -> second -> slowest answer in milliseconds: what the charts show. */
  series: z.object({
    memory: z.array(z.object({ at: z.number(), total: z.number(), assistant: z.number() })),
    latency: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
  }),
});

export type BenchReport = z.output<typeof reportSchema>;

/** Counts and percentiles of one operation. */
export function summarize(observations: readonly Observation[], rate: number): BenchReport['operations'][string] {
  const errors: Record<string, number> = {};
  for (const { error } of observations) if (error !== undefined) errors[error] = (errors[error] ?? 0) + 1;
  const answered = observations.filter(({ error }) => error === undefined).map(({ latencyMs }) => latencyMs);
  return { rate, count: observations.length, errors, latency: answered.length > 0 ? percentiles(answered) : null };
}

export function summarizeMemory(samples: readonly MemorySample[], intervalMs: number): BenchReport['memory'] {
  const names = [...new Set(samples.flatMap(({ skills }) => Object.keys(skills)))].sort();
  return {
    intervalMs,
    samples: samples.length,
    total: percentiles(samples.map(({ total }) => total)),
    assistant: percentiles(samples.map(({ assistant }) => assistant)),
    skills: Object.fromEntries(
      names.map((name) => [name, percentiles(samples.map(({ skills }) => skills[name] ?? 0))]),
    ),
    growthPerHour: slope(
      samples.slice(Math.floor(samples.length / 2)).map(({ atMs, total }) => [atMs / 3_600_000, total]),
    ),
  };
}

/** Points of which the slope is taken: each is compared with each. */
const SLOPE_POINTS = 400;

/**
 * The median of the slopes between any two points (Theil, 1950; Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau",
 * 1968): a step at the beginning or the end, a cache that fills or is given back, weighs little. Null of less than two points.
 */
function slope(points: readonly (readonly [x: number, y: number])[]): number | null {
  const step = Math.ceil(points.length / SLOPE_POINTS);
  const some = points.filter((_, n) => n % step === 0);
  const slopes = some.flatMap(([x, y], n) =>
    some.slice(n + 1).flatMap(([laterX, laterY]) => (laterX > x ? [(laterY - y) / (laterX - x)] : [])),
  );
  slopes.sort((a, b) => a - b);
  return slopes[Math.floor(slopes.length / 2)] ?? null;
}

/** One point for each second: of memory the most, of latency the slowest answer. */
export function seriesOf(
  samples: readonly MemorySample[],
  seen: ReadonlyMap<string, readonly Observation[]>,
): BenchReport['series'] {
  const memory = new Map<number, { total: number; assistant: number }>();
  for (const { atMs, total, assistant } of samples) {
    const at = Math.floor(atMs / 1000);
    if (total >= (memory.get(at)?.total ?? 0)) memory.set(at, { total, assistant });
  }
  const latency = [...seen].map(([name, observations]): [string, [number, number][]] => {
    const slowest = new Map<number, number>();
    for (const { atMs, latencyMs, error } of observations) {
      const at = Math.floor(atMs / 1000);
      if (error === undefined) slowest.set(at, Math.max(latencyMs, slowest.get(at) ?? 0));
    }
    return [name, [...slowest].sort(([a], [b]) => a - b)];
  });
  return { memory: [...memory].map(([at, point]) => ({ at, ...point })), latency: Object.fromEntries(latency) };
}
