/** What was measured at one moment, and what follows from two of them. */

/** Measurements up to a bound, bounds ascending: `[bound in seconds, count]`. */
export type Buckets = [bound: number, count: number][];

export interface SkillSample {
  calls: number;
  buckets: Buckets;
  memoryBytes: number | null;
  limitBytes: number | null;
  up: number;
  expected: boolean;
}

export interface Sample {
  /** Milliseconds since the epoch. */
  at: number;
  requests: number;
  withSkill: number;
  acceptance: number | null;
  epsilon: number | null;
  skills: Record<string, SkillSample>;
}

/** The sample that a window beginning at a moment counts from: the last one before, or the first of all. */
export function windowStart(samples: readonly Sample[], from: number): Sample {
  const start = samples.findLast(({ at }) => at <= from) ?? samples[0];
  if (!start) throw new Error('there are no samples');
  return start;
}

/** How fast a counter grew, per second; null when no time went by. */
export function rateOf(from: Sample, to: Sample, counter: (sample: Sample) => number): number | null {
  const seconds = (to.at - from.at) / 1000;
  return seconds > 0 ? (counter(to) - counter(from)) / seconds : null;
}

/**
 * A percentile of what was measured between two looks at a histogram, in milliseconds, as `histogram_quantile` of Prometheus finds it:
 * linear inside a bucket, and the last finite bound above that. Null when nothing was measured.
 * https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
 */
export function percentile(q: number, now: Buckets, before: Buckets): number | null {
  const counts = now.map(([bound, count], n) => [bound, count - (before[n]?.[1] ?? 0)] as const);
  const total = counts.at(-1)?.[1] ?? 0;
  if (total <= 0) return null;
  const rank = q * total;
  const at = counts.findIndex(([, count]) => count >= rank);
  const [bound = Number.POSITIVE_INFINITY, count = total] = counts[at] ?? [];
  const [lower, below] = counts[at - 1] ?? [0, 0];
  if (bound === Number.POSITIVE_INFINITY) return lower * 1000;
  return (lower + ((bound - lower) * (rank - below)) / (count - below)) * 1000;
}
