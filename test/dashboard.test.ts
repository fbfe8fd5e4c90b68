/**
 * Everything that the dashboard and the rules ask, asked of a real Prometheus that scrapes an assistant whose load is known: each
 * expression has to give the right series with the right values.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { filledIn, panelsOf, readDashboard } from './support/grafana.ts';
import { type KnownLoad, LOAD, startKnownLoad } from './support/known-load.ts';
import { prometheusMissing, type RunningPrometheus, readRules, type Sample } from './support/prometheus.ts';

const dashboard = readDashboard();
const { recorded, alerts } = readRules();

/** Series by one of their labels, in order. */
function by(label: string, samples: readonly Sample[]): Record<string, number> {
  return Object.fromEntries(samples.map(({ labels, value }) => [labels[label] ?? '', value]));
}

function only(samples: readonly Sample[]): number {
  const [sample, ...others] = samples;
  assert.ok(sample && others.length === 0, `${samples.length} series instead of one`);
  return sample.value;
}

/** Prometheus extrapolates an increase to the ends of its window, at most by about one scrape on each side. */
function about(value: number | undefined, expected: number): void {
  assert.ok(
    value !== undefined && value >= expected * 0.99 && value <= expected * 1.3,
    `${value}, not about ${expected}`,
  );
}

describe('the dashboard and the rules, on a real Prometheus', { skip: prometheusMissing() }, () => {
  let load: KnownLoad;
  let prometheus: RunningPrometheus;
  before(async () => {
    load = await startKnownLoad();
    prometheus = load.prometheus;
  });
  after(() => load?.[Symbol.asyncDispose]());

  /** What a query of a panel or a rule has to give. */
  type Expectation = (samples: Sample[]) => void | Promise<void>;

  const { idle, running } = LOAD;
  const allSkills = [...idle, ...running, ...LOAD.broken].sort();

  const isHitRate =
    (scale: number): Expectation =>
    (samples) => {
      const expected = (scale * LOAD.withSkill) / LOAD.requests;
      assert.ok(Math.abs(only(samples) / expected - 1) < 1e-9, `${only(samples)}, not ${expected}`);
    };
  /** Of a skill that sleeps for 30 ms, launched once, and one that does not sleep; `scale`: units in a second. */
  const isLatency =
    (share: number, scale: number): Expectation =>
    (samples) => {
      const seconds = by('skill_name', samples);
      const [echo = NaN, sql = NaN] = [seconds.echo, seconds.sql].map((value) => (value ?? NaN) / scale);
      // Half of the calls sleep in a ready skill; among the slowest is the one that waited for the launch.
      if (share === 0.5) assert.ok(echo >= 0.025 && echo <= 0.1, `half of what sleeps for 30 ms takes ${echo} s`);
      else assert.ok(echo > 0.05 && echo < 60, `the launch took ${echo} s`);
      assert.ok(sql > 0 && sql < 5, `${sql} s`);
      assert.deepEqual(Object.keys(seconds).sort(), allSkills);
      // Nobody called these.
      for (const name of idle) assert.ok(Number.isNaN(seconds[name]), name);
    };
  const isEmpty: Expectation = (samples) => assert.deepEqual(samples, []);
  /** Of one round in which everybody took part. */
  const isEpsilon: Expectation = (samples) => {
    const { privacy } = LOAD;
    // Balle and Wang 2018, theorem 8, for noise of 4 clipping norms; an upper bound, and a tight one.
    assert.ok(only(samples) >= 0.92634 && only(samples) < 0.927, `${only(samples)}`);
    const { delta, adjacency, unit, mode } = samples[0]?.labels ?? {};
    assert.deepEqual([Number(delta), adjacency, unit, mode], [privacy.delta, 'add_remove', 'client', 'full']);
  };
  const isAcceptance: Expectation = async (samples) => {
    const value = only(samples);
    // Fewer tokens were tested than the gauge looks back on.
    const counted = 'sum(sarai_speculative_accepted_total) / sum(sarai_speculative_tested_total)';
    assert.ok(value > 0 && value <= 1, `${value}`);
    assert.ok(Math.abs(value - (await prometheus.value(counted))) < 1e-9);
    assert.ok((await prometheus.value('sum(sarai_speculative_tested_total)')) < 256);
  };

  it('fills every panel', async () => {
    const expected: Record<string, Expectation> = {
      '1A': isHitRate(100),
      '2A': isLatency(0.5, 1000),
      '3A': (samples) => {
        const health = by('skill_name', samples);
        assert.deepEqual(health, {
          ...Object.fromEntries(idle.map((name) => [name, -1])),
          ...Object.fromEntries(running.map((name) => [name, 1])),
          ...{ 'bad-manifest': 0, 'broken-start': 0 },
        });
      },
      '3B': async (samples) => {
        const ranks: Record<string, number> = { process: 1, sandbox: 2, container: 3 };
        const isolated = Object.entries(await load.isolation()).map(([name, level]) => [name, ranks[level]]);
        assert.deepEqual(by('skill_name', samples), Object.fromEntries(isolated));
        assert.equal(samples.length, running.length);
      },
      '3C': (samples) =>
        assert.deepEqual(
          by('skill_name', samples),
          Object.fromEntries(allSkills.map((name) => [name, Number(name === 'sql')])),
        ),
      '4A': (samples) => {
        const megabytes = by('name', samples);
        assert.deepEqual(
          Object.keys(megabytes).sort(),
          running.map((name) => `saraiskill.${name}`),
        );
        for (const value of Object.values(megabytes)) assert.ok(value > 5 && value < 1000, `${value} MB`);
      },
      '4B': (samples) => {
        const { sql, echo } = by('skill_name', samples);
        assert.deepEqual([sql, echo], [1024 ** 3 / 1e6, (192 * 1024 ** 2) / 1e6]);
      },
      '5A': isAcceptance,
      '6A': isEpsilon,
      '7A': isLatency(0.95, 1000),
      '7B': isLatency(0.99, 1000),
      '8A': (samples) => {
        assert.deepEqual(Object.keys(by('skill_name', samples)), ['echo']);
        about(by('code', samples).FAILED_PRECONDITION, 1);
      },
      '8B': (samples) => assert.equal(only(samples), 0),
      '9A': (samples) => {
        const launches = by('skill_name', samples);
        assert.deepEqual(Object.keys(launches).sort(), ['echo', 'sql']);
        for (const { labels } of samples) assert.equal(labels.kind, 'cold');
        about(launches.echo, 1);
        about(launches.sql, 1);
      },
      '9B': (samples) => about(by('skill_name', samples)['broken-start'], 1),
      '10A': (samples) => {
        about(only(samples), 1);
        assert.deepEqual(Object.keys(by('operation', samples)), ['recall']);
      },
      '10B': (samples) => about(by('reason', samples).grammar, 1),
      '11A': (samples) => assert.equal(only(samples), 0),
    };
    const asked: string[] = [];
    for (const { id, title, targets } of panelsOf(dashboard)) {
      for (const { refId, expr } of targets) {
        const check = expected[`${id}${refId}`];
        assert.ok(check, `nobody says what ${title} ${refId} should give`);
        asked.push(`${id}${refId}`);
        try {
          await check(await prometheus.query(filledIn(expr, dashboard)));
        } catch (error) {
          throw new Error(`${title} ${refId}: ${expr}`, { cause: error });
        }
      }
    }
    assert.deepEqual(Object.keys(expected), asked);
  });

  it('records what is to be recorded', async () => {
    const recordings = await Promise.all(
      recorded.map(async ({ record, labels }) => {
        const selector = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${value}"`);
        return [`${record}{${selector}}`, await prometheus.query(`${record}{${selector}}`)] as const;
      }),
    );
    const expected: Record<string, Expectation> = {
      'sarai:skill_hit_rate:ratio_rate5m{}': isHitRate(1),
      'sarai:skill_hit_rate:ratio_rate30m{}': isHitRate(1),
      'skill_name:skill_latency_seconds:quantile_rate5m{quantile="0.5"}': isLatency(0.5, 1),
      'skill_name:skill_latency_seconds:quantile_rate5m{quantile="0.95"}': isLatency(0.95, 1),
      'skill_name:skill_latency_seconds:quantile_rate5m{quantile="0.99"}': isLatency(0.99, 1),
    };
    assert.deepEqual(
      recordings.map(([name]) => name),
      Object.keys(expected),
    );
    for (const [name, samples] of recordings) await expected[name]?.(samples);
  });

  it('has alerts that see what is wrong, and what is not', async () => {
    /** What an alert gives now, and what it would give if it asked for the opposite. */
    const expected: Record<string, { now: Expectation; replace: [string, string][]; opposite: Expectation }> = {
      SkillHitRateLow: { now: isEmpty, replace: [['< 40', '>= 40']], opposite: isHitRate(100) },
      AssistantDown: {
        now: isEmpty,
        replace: [['== 0', '== 1']],
        opposite: (samples) => assert.deepEqual(by('job', samples), { sarai: 1 }),
      },
      SkillDown: {
        now: (samples) => {
          assert.deepEqual(by('skill_name', samples), { 'bad-manifest': 0, 'broken-start': 0 });
          for (const { labels } of samples) assert.equal(labels.instance, `saraiskill.${labels.skill_name}`);
        },
        replace: [['skill_expected_up == 1', 'skill_expected_up == 0']],
        opposite: (samples) => assert.deepEqual(Object.keys(by('skill_name', samples)).sort(), idle),
      },
      SpeculativeAcceptanceLow: {
        now: isEmpty,
        replace: [
          ['< 0.6', '<= 1'],
          ['>= 256', '> 0'],
        ],
        opposite: isAcceptance,
      },
      EpsilonAboveBudget: { now: isEmpty, replace: [['epsilon >', 'epsilon <=']], opposite: isEpsilon },
      SkillMemoryAboveBudget: {
        now: isEmpty,
        replace: [['used_bytes >', 'used_bytes <']],
        opposite: async (samples) => {
          const sum = await prometheus.value('sum(container_memory_usage_bytes{job="sarai"})');
          assert.ok(Math.abs(only(samples) / sum - 1) < 0.5, `${only(samples)} and ${sum} bytes`);
          assert.equal(await prometheus.value('sarai_skill_memory_budget_bytes'), LOAD.memoryBudget);
        },
      },
      SkillMemoryNearLimit: {
        now: isEmpty,
        replace: [['> 0.9', '<= 0.9']],
        opposite: async (samples) => {
          const shares = by('skill_name', samples);
          assert.deepEqual(Object.keys(shares).sort(), running);
          const used = await prometheus.value('container_memory_usage_bytes{name="saraiskill.sql"}');
          assert.ok(Math.abs((shares.sql ?? 0) / (used / 1024 ** 3) - 1) < 0.5, `${shares.sql} of ${used} bytes`);
        },
      },
      JournalNotDraining: {
        now: isEmpty,
        replace: [
          ['depth > 0', 'depth == 0'],
          ['== 0', '> 0'],
        ],
        opposite: (samples) => assert.deepEqual(by('job', samples), { sarai: 0 }),
      },
    };
    assert.deepEqual(
      alerts.map(({ alert }) => alert),
      Object.keys(expected),
    );
    for (const { alert, expr } of alerts) {
      const { now, replace, opposite } = expected[alert] ?? assert.fail();
      try {
        await now(await prometheus.query(expr));
        const expression = replace.reduceRight((text, [was, is]) => {
          assert.ok(text.includes(was), was);
          return text.replace(was, is);
        }, expr);
        await opposite(await prometheus.query(expression));
      } catch (error) {
        throw new Error(`${alert}: ${expr}`, { cause: error });
      }
    }
  });

  it('has rules that Prometheus itself evaluates without an error', async () => {
    const { groups } = (await prometheus.api('/api/v1/rules')) as {
      groups: { rules: { name: string; health: string; lastError?: string; state?: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    assert.deepEqual(
      rules.map(({ name }) => name).sort(),
      [...recorded.map(({ record }) => record), ...alerts.map(({ alert }) => alert)].sort(),
    );
    for (const { name, health, lastError } of rules)
      assert.deepEqual([name, health, lastError], [name, 'ok', undefined]);
    // Seen at once, told of after a minute.
    assert.match(rules.find(({ name }) => name === 'SkillDown')?.state ?? '', /^(pending|firing)$/);
  });
});
