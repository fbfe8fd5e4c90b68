/** docs/metrics.md names every metric with its type and its labels, and no other. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Phoenix } from '../src/assistant/index.ts';
import { loadConfig } from '../src/config/index.ts';
import { CallMetrics } from '../src/skill/call-metrics.ts';
import { createLogger } from '../src/telemetry/index.ts';
import { skillExposition } from '../src/telemetry/skill-exposition.ts';
import { temporaryFolder } from './support/assistant.ts';

const DOCUMENT = readFileSync(join(import.meta.dirname, '../docs/metrics.md'), 'utf8');
/** Families that are documented as a whole. */
const FAMILIES = ['process_', 'nodejs_'];

interface Described {
  type: string;
  labels: string[];
}

/** The rows of the tables: | `name` | type | `label`, `label` | meaning | source | */
const documented = new Map<string, Described>(
  [...DOCUMENT.matchAll(/^\| `(\w+)` \| (\w+) \| ([^|]*)\|/gm)].map(([, name = '', type = '', labels = '']) => [
    name,
    { type, labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort() },
  ]),
);
const isOfSkill = (name: string) => name.startsWith('skill_host_');

function only(isWanted: (name: string) => boolean): Record<string, Described> {
  return Object.fromEntries([...documented].filter(([name]) => isWanted(name)).sort());
}

describe('docs/metrics.md', () => {
  it('names every metric of the assistant, and no other', async () => {
    const stateDir = temporaryFolder();
    const config = loadConfig(undefined, { PHOENIX_STATE_DIR: stateDir, PHOENIX_LOG_LEVEL: 'silent' });
    const phoenix = await Phoenix.open(config, createLogger('silent'));
    try {
      const { registry } = phoenix.metrics;
      const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, String(type)]));
      const exported = registry
        .getMetricsAsArray()
        .filter(({ name }) => !FAMILIES.some((family) => name.startsWith(family)))
        .map((metric): [string, Described] => {
          const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
          return [name, { type: types.get(name) ?? '', labels: [...labelNames].sort() }];
        });
      assert.deepEqual(
        Object.fromEntries(exported.sort()),
        only((name) => !isOfSkill(name)),
      );
      for (const family of FAMILIES) assert.ok(DOCUMENT.includes(`\`${family}*\``));
    } finally {
      await phoenix.close();
      rmSync(stateDir, { recursive: true, force: true });
    }
  });

  it('names every metric of a skill, and no other', () => {
    const counted = new CallMetrics();
    counted.observe(0.001, undefined);
    counted.observe(0.002, 'INTERNAL');
    const lines = skillExposition(counted.snapshot(0, 0)).split('\n');
    const exported = lines
      .filter((line) => line.startsWith('# TYPE'))
      .map((line): [string, Described] => {
        const [, , name = '', type = ''] = line.split(' ');
        const series = lines.filter((each) => each.startsWith(name)).flatMap((each) => [...each.matchAll(/(\w+)="/g)]);
        const labels = new Set(series.map(([, label = '']) => label).filter((label) => label !== 'le'));
        return [name, { type, labels: [...labels].sort() }];
      });
    assert.deepEqual(Object.fromEntries(exported.sort()), only(isOfSkill));
  });
});
