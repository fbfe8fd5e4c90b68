import { CliError } from '../errors.ts';
import { parseExposition, toNumber } from './exposition.ts';

/** Calls that took no longer than a bound, in seconds; the last bound is infinite. */
export interface Bucket {
  bound: number;
  count: number;
}

/** What the metrics said of one skill. Counts are since the assistant started. */
export interface SkillReading {
  name: string;
  state: string;
  isolation: 'process' | 'sandbox' | 'container' | undefined;
  memoryBytes: number | undefined;
  memoryLimitBytes: number | undefined;
  inFlight: number;
  queued: number;
  calls: number;
  errors: number;
  restarts: number;
  latency: Bucket[];
}

/** What the metrics of an assistant said at one moment. Counts are since it started. */
export interface Reading {
  /** Seconds, of any clock that only goes forward. */
  at: number;
  version: string;
  /** Seconds since the epoch: another one is another assistant, which counts from zero. */
  startedAt: number;
  requests: number;
  requestsWithSkill: number;
  requestErrors: number;
  /** Share of the proposed tokens that were accepted, 0 to 1; undefined while there are none. */
  acceptanceRate: number | undefined;
  speedup: number | undefined;
  /** Changes that the sql skill has not seen yet. */
  journalDepth: number;
  skills: SkillReading[];
}

const ISOLATION = [undefined, 'process', 'sandbox', 'container'] as const;

/** Reads what `GET /metrics` answered at a moment. @throws CliError when it is no exposition of an assistant */
export function toReading(exposition: string, at: number): Reading {
  const series = parseExposition(exposition);
  const find = (metric: string, labels: Record<string, string> = {}) =>
    series
      .get(metric)
      ?.find((sample) => Object.entries(labels).every(([name, value]) => sample.labels[name] === value));
  const value = (metric: string, labels?: Record<string, string>) => find(metric, labels)?.value;
  const count = (metric: string, labels?: Record<string, string>) => value(metric, labels) ?? 0;

  const build = find('sarai_build_info');
  const startedAt = value('process_start_time_seconds');
  if (!build || startedAt === undefined)
    throw new CliError('the answer has no metrics of a Phoenix: something else listens there');

  const states = (series.get('skill_state') ?? []).filter((sample) => sample.value === 1);
  const skills = states.map(({ labels: { skill_name = '', state = '' } }): SkillReading => {
    const own = { skill_name };
    const errors = (series.get('skill_errors_total') ?? []).filter(({ labels }) => labels.skill_name === skill_name);
    const buckets = (series.get('skill_latency_seconds_bucket') ?? []).filter(
      ({ labels }) => labels.skill_name === skill_name,
    );
    return {
      name: skill_name,
      state,
      isolation: ISOLATION[count('skill_isolation_level', own)],
      memoryBytes: value('container_memory_usage_bytes', { name: `saraiskill.${skill_name}` }),
      memoryLimitBytes: value('skill_memory_limit_bytes', own),
      inFlight: count('skill_in_flight', own),
      queued: count('skill_queue_depth', own),
      calls: count('skill_requests_total', own),
      errors: errors.reduce((sum, sample) => sum + sample.value, 0),
      restarts: count('skill_restarts_total', own),
      latency: buckets.map((sample) => ({ bound: toNumber(sample.labels.le ?? ''), count: sample.value })),
    };
  });
  return {
    at,
    version: build.labels.version ?? '',
    startedAt,
    requests: count('sarai_requests_total'),
    requestsWithSkill: count('sarai_requests_with_skill_total'),
    requestErrors: count('sarai_request_errors_total'),
    acceptanceRate: value('sarai_speculative_acceptance_rate'),
    speedup: value('sarai_speculative_speedup'),
    journalDepth: count('sarai_memory_journal_depth'),
    skills: skills.sort((one, other) => one.name.localeCompare(other.name)),
  };
}
