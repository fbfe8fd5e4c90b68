import type { Bucket, Reading, SkillReading } from './reading.ts';

/** A skill, as it is now and in the recent past. */
export interface SkillOverview extends Omit<SkillReading, 'latency' | 'calls'> {
  callsPerSecond: number | undefined;
  /** Seconds; undefined when there was no call. */
  p50Seconds: number | undefined;
  p99Seconds: number | undefined;
}

/** An assistant, as it is now and in the recent past. */
export interface Overview {
  version: string;
  uptimeSeconds: number;
  requests: number;
  requestsPerSecond: number | undefined;
  requestErrors: number;
  /** Share of the requests that a skill helped with, 0 to 1; undefined when there was none. */
  hitRate: number | undefined;
  acceptanceRate: number | undefined;
  speedup: number | undefined;
  journalDepth: number;
  /** Over how many seconds hit rate and percentiles look back; undefined: since the assistant started. */
  lookBackSeconds: number | undefined;
  skills: SkillOverview[];
}

/**
 * What happened between readings.
 *
 * @param before rates are since then
 * @param base hit rate and percentiles are since then; undefined: since the assistant started
 * @param now seconds since the epoch
 */
export function toOverview(
  reading: Reading,
  before: Reading | undefined,
  base: Reading | undefined,
  now: number,
): Overview {
  const rate = (count: number, earlier: number | undefined) =>
    before && reading.at > before.at ? (count - (earlier ?? 0)) / (reading.at - before.at) : undefined;
  const requests = reading.requests - (base?.requests ?? 0);
  const helped = reading.requestsWithSkill - (base?.requestsWithSkill ?? 0);
  return {
    version: reading.version,
    uptimeSeconds: Math.max(0, now - reading.startedAt),
    requests: reading.requests,
    requestsPerSecond: rate(reading.requests, before?.requests),
    requestErrors: reading.requestErrors,
    hitRate: requests > 0 ? helped / requests : undefined,
    acceptanceRate: reading.acceptanceRate,
    speedup: reading.speedup,
    journalDepth: reading.journalDepth,
    lookBackSeconds: base && reading.at - base.at,
    skills: reading.skills.map(({ latency, calls, ...skill }): SkillOverview => {
      const recent = difference(latency, find(base, skill.name)?.latency ?? []);
      return {
        ...skill,
        callsPerSecond: rate(calls, find(before, skill.name)?.calls),
        p50Seconds: quantile(0.5, recent),
        p99Seconds: quantile(0.99, recent),
      };
    }),
  };
}

function find(reading: Reading | undefined, name: string): SkillReading | undefined {
  return reading?.skills.find((skill) => skill.name === name);
}

function difference(buckets: readonly Bucket[], earlier: readonly Bucket[]): Bucket[] {
  return buckets.map(({ bound, count }, n) => ({ bound, count: count - (earlier[n]?.count ?? 0) }));
}

/**
 * A quantile of cumulative buckets, as Prometheus' `histogram_quantile` estimates it: evenly spread within a bucket, and no more than
 * the last finite bound. https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 *
 * @param q 0 to 1
 * @returns undefined when nothing was counted
 */
export function quantile(q: number, buckets: readonly Bucket[]): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  const n = buckets.findIndex(({ count }) => count >= rank);
  const { bound, count } = buckets[n] ?? { bound: Number.NaN, count: total };
  const { bound: from, count: below } = buckets[n - 1] ?? { bound: 0, count: 0 };
  if (bound === Number.POSITIVE_INFINITY || count === below) return from;
  return from + ((bound - from) * (rank - below)) / (count - below);
}
