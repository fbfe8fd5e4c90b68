import type { Registry } from 'prom-client';
import { percentile, rateOf, type Sample, type SkillSample, windowStart } from './samples.ts';

/** How often the metrics are read, in milliseconds. */
const INTERVAL_MS = 5000;
/** How much of the past is told, in milliseconds. */
const SPAN_MS = 15 * 60_000;
/** Rates and percentiles look back so far, as the queries of the dashboard do (`[5m]`), in milliseconds. */
const WINDOW_MS = 5 * 60_000;
/** So that the oldest moment that is told can look back, too. */
const KEPT = (SPAN_MS + WINDOW_MS) / INTERVAL_MS;

/** The last 15 minutes: one value for each of `times`, null where there was nothing to measure. Shapes of version 1. */
export interface History {
  format: 1;
  intervalMs: number;
  spanMs: number;
  windowMs: number;
  /** Milliseconds since the epoch. */
  times: number[];
  /** Share of the requests that a skill helped with, in percent. */
  hitRate: (number | null)[];
  requestsPerSecond: (number | null)[];
  /** Share of the tested proposed tokens that the target accepted. */
  acceptance: (number | null)[];
  /** Privacy that federated learning has spent; null where there was none. What is infinite stands as the largest number. */
  epsilon: (number | null)[];
  skills: Record<string, SkillHistory>;
}

export interface SkillHistory {
  p50Ms: (number | null)[];
  p99Ms: (number | null)[];
  callsPerSecond: (number | null)[];
  memoryBytes: (number | null)[];
  memoryLimitBytes: number | null;
  /** As `up` of Prometheus: 1 while it serves. */
  up: (number | null)[];
  /** Whether it should serve now. */
  expected: boolean;
}

/** Reads the metrics every few seconds and keeps the last minutes of them, so that they can be seen without a Prometheus. */
export class MetricsHistory {
  readonly #registry: Registry;
  readonly #refresh: () => Promise<void>;
  #samples: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;

  /** @param refresh brings the metrics of `registry` up to date */
  constructor(registry: Registry, refresh: () => Promise<void>) {
    this.#registry = registry;
    this.#refresh = refresh;
  }

  /** Begins to read. */
  start(): void {
    // A moment that cannot be measured is left out.
    const read = () => void this.sample().catch(() => undefined);
    this.#timer ??= setInterval(read, INTERVAL_MS).unref();
    read();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Reads once. */
  async sample(now = Date.now()): Promise<void> {
    await this.#refresh();
    const one = async (name: string) => (await this.#values(name))[0]?.value ?? null;
    const skills: Record<string, SkillSample> = {};
    for (const { labels, value } of await this.#values('skill_requests_total')) {
      skills[String(labels.skill_name)] = {
        calls: value,
        buckets: [],
        memoryBytes: null,
        limitBytes: null,
        up: 0,
        expected: false,
      };
    }
    const each = async (name: string, take: (skill: SkillSample, value: number, labels: Labels) => void) => {
      for (const { labels, value } of await this.#values(name)) {
        const skill = skills[String(labels.skill_name ?? labels.name).replace(/^saraiskill\./, '')];
        if (skill) take(skill, value, labels);
      }
    };
    await each('skill_latency_seconds', (skill, value, { le }) => {
      if (le !== undefined) skill.buckets.push([le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), value]);
    });
    await each('container_memory_usage_bytes', (skill, value) => {
      skill.memoryBytes = value;
    });
    await each('skill_memory_limit_bytes', (skill, value) => {
      skill.limitBytes = value;
    });
    await each('skill_state', (skill, value, { state }) => {
      if (state === 'ready') skill.up = value;
    });
    await each('skill_expected_up', (skill, value) => {
      skill.expected = value === 1;
    });
    this.#samples.push({
      at: now,
      requests: (await one('sarai_requests_total')) ?? 0,
      withSkill: (await one('sarai_requests_with_skill_total')) ?? 0,
      acceptance: await one('sarai_speculative_acceptance_rate'),
      epsilon: finite(await one('sarai_fl_epsilon')),
      skills,
    });
    this.#samples = this.#samples.slice(-KEPT);
  }

  /** What was measured in the last 15 minutes. */
  read(now = Date.now()): History {
    const shown = this.#samples.filter(({ at }) => at > now - SPAN_MS);
    const last = shown.at(-1);
    const series = <T>(value: (sample: Sample, before: Sample) => T) =>
      shown.map((sample) => value(sample, windowStart(this.#samples, sample.at - WINDOW_MS)));
    return {
      format: 1,
      intervalMs: INTERVAL_MS,
      spanMs: SPAN_MS,
      windowMs: WINDOW_MS,
      times: shown.map(({ at }) => at),
      hitRate: series((to, from) => {
        const requests = to.requests - from.requests;
        return requests > 0 ? (100 * (to.withSkill - from.withSkill)) / requests : null;
      }),
      requestsPerSecond: series((to, from) => rateOf(from, to, ({ requests }) => requests)),
      acceptance: shown.map(({ acceptance }) => acceptance),
      epsilon: shown.map(({ epsilon }) => epsilon),
      skills: Object.fromEntries(
        Object.entries(last?.skills ?? {}).map(([name, { limitBytes, expected }]) => {
          const quantile = (q: number) =>
            series((to, from) => percentile(q, to.skills[name]?.buckets ?? [], from.skills[name]?.buckets ?? []));
          const history: SkillHistory = {
            p50Ms: quantile(0.5),
            p99Ms: quantile(0.99),
            callsPerSecond: series((to, from) => rateOf(from, to, ({ skills }) => skills[name]?.calls ?? 0)),
            memoryBytes: shown.map(({ skills }) => skills[name]?.memoryBytes ?? null),
            memoryLimitBytes: limitBytes,
            up: shown.map(({ skills }) => skills[name]?.up ?? null),
            expected,
          };
          return [name, history];
        }),
      ),
    };
  }

  async #values(name: string): Promise<{ labels: Labels; value: number }[]> {
    const metric = await this.#registry.getSingleMetric(name)?.get();
    return (metric?.values ?? []) as { labels: Labels; value: number }[];
  }
}

/** JSON has no infinity, and null means that there is nothing. */
const finite = (value: number | null) => value && Math.min(value, Number.MAX_VALUE);

type Labels = Record<string, string | number | undefined>;
