/** `phoenix bench` on a real system, briefly: what it measures, writes, compares and judges. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchReport, reportSchema } from '../src/bench/index.ts';
import { MemorySampler } from '../src/bench/memory-sampler.ts';
import { phoenix, temporaryFolder } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const MIB = 1024 ** 2;
const runtimes = await availableRuntimes();
const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const environment = { TMPDIR: folder, DOCKER_HOST: `unix://${join(folder, 'no.sock')}` };
const file = (name: string) => join(folder, name);
const bench = (...args: string[]) => phoenix(['bench', ...args], environment);
const read = (name: string): BenchReport => reportSchema.parse(JSON.parse(readFileSync(file(name), 'utf8')));

describe('phoenix bench', () => {
  it('measures a system of its own and leaves nothing of it', () => {
    const { code, stdout, stderr } = bench(
      ...['--scenario', 'mixed', '--duration', '8s', '--load', '0.5', '--max-errors', '0'],
      ...['--json', file('a.json'), '--html', file('a.html')],
    );
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    const { operations, memory, hitRate, errors, limits, series } = read('a.json');
    assert.deepEqual(Object.keys(operations), ['store', 'recall', 'chat', 'generate', 'sql', 'patch']);
    assert.ok((operations.recall?.count ?? 0) > 30 && (operations.recall?.latency?.p50 ?? 0) > 0);
    assert.equal(errors.count, 0, JSON.stringify(operations));
    assert.ok(
      memory.samples >= 10 && memory.total.p99 > 50 * MIB && memory.total.p99 < 4e9,
      JSON.stringify(memory.total),
    );
    assert.ok((memory.skills.sql?.p50 ?? 0) > MIB, JSON.stringify(memory.skills));
    assert.ok(hitRate !== null && hitRate > 0 && hitRate <= 1, `${hitRate}`);
    assert.ok(limits.every(({ ok }) => ok));
    assert.ok(series.memory.length >= 4 && (series.latency.recall?.length ?? 0) >= 4);
    assert.match(stdout, /^mixed, 8 s, .*\n\nOPERATION .*\nstore /);
    assert.match(stderr, /starting an assistant to be measured\n.*preparing\n.*mixed for 8 s/s);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('phoenix-bench-')),
      [],
    );
  });

  it('writes a page that needs nothing from elsewhere', () => {
    const html = readFileSync(file('a.html'), 'utf8');
    assert.equal(html.match(/<svg /g)?.length, 2);
    assert.doesNotMatch(html, /(src|href|url\()|NaN|undefined|Infinity/);
  });

  it('judges by its limits and compares with an older run', () => {
    const old = read('a.json');
    writeFileSync(file('calls.json'), JSON.stringify({ ...old, scenario: 'calls', operations: {} }));
    const { code, stdout } = bench(
      ...['--scenario', 'calls', '--duration', '2s', '--load', '0.2', '--max-ram', '1M', '--max-p99', 'sql=60000'],
      ...['--compare', file('calls.json')],
    );
    assert.equal(code, 1);
    assert.match(stdout, /EXCEEDED {2}RAM P99, GB: [\d.]+, at most 0\.001\n/);
    assert.match(stdout, /within {4}sql P99, ms: /);
    assert.match(stdout, /COMPARED +BEFORE +NOW +CHANGE\nRAM P50 +[\d.]+ GB +[\d.]+ GB +[+-][\d.]+%/);
    assert.match(stdout, /sql P50 +- +[\d.]+ ms +-\n/);
  });

  it('refuses what it cannot run or compare, before anything is started', () => {
    const cases: [string[], RegExp][] = [
      [['--scenario', 'other'], /no scenario "other"; there are: mixed, memory, calls/],
      [['--scenario', 'calls', '--compare', file('a.json')], /is of the scenario mixed/],
      [['--compare', file('a.html')], /is no report/],
      [['--duration', 'long'], /"long" is no duration/],
      [['--max-p99', 'nothing=5'], /operations are store, recall/],
      [['--max-errors', '2'], /"2" is no share/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = bench(...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
    }
  });
});

describe('the memory of a system', () => {
  const settled = async (sampler: MemorySampler) => {
    await sleep(50);
    sampler.sample();
    return sampler.samples.at(-1);
  };

  it('is that of a process and all that it started', async () => {
    const hold = 'globalThis.held = Buffer.alloc(100 << 20, 1)';
    const code = `${hold}; require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${hold}; console.log('ready'); setInterval(() => {}, 1000)`)}], { stdio: ['ignore', 'inherit', 'inherit'] })`;
    const child = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    const sampler = new MemorySampler(child.pid ?? 0, 60_000);
    try {
      const sample = await settled(sampler);
      assert.ok(sample && sample.assistant > 100 * MIB && sample.assistant < 300 * MIB, JSON.stringify(sample));
      assert.ok((sample.skills.other ?? 0) > 100 * MIB, JSON.stringify(sample));
      assert.equal(sample.total, sample.assistant + (sample.skills.other ?? 0));
    } finally {
      sampler.stop();
      const [descendant] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
      process.kill(Number(descendant), 'SIGKILL');
      child.kill('SIGKILL');
    }
  });

  for (const runtime of runtimes) {
    it(`knows what a skill uses, by its name, with ${runtime}`, async () => {
      const test = createTestPool(runtime);
      const sampler = new MemorySampler(process.pid, 60_000);
      try {
        const echo = await test.pool.getSkillClient('echo');
        const before = (await settled(sampler))?.skills.echo ?? 0;
        await echo.infer({ prompt: 'eval:globalThis.held = Buffer.alloc(50 << 20, 1)' });
        const grown = ((await settled(sampler))?.skills.echo ?? 0) - before;
        assert.ok(before > MIB && grown > 45 * MIB && grown < 80 * MIB, `${before}, ${grown}`);
      } finally {
        sampler.stop();
        await test.cleanUp();
      }
    });
  }
});

const noEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());
describe('phoenix bench with an engine', { skip: noEngine }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  it('counts containers, by skill', () => {
    const args = ['bench', '--scenario', 'calls', '--duration', '4s', '--load', '0.2', '--json', file('docker.json')];
    const { code, stderr } = phoenix(args, { TMPDIR: folder });
    assert.equal(code, 0, stderr);
    const { machine, memory } = read('docker.json');
    assert.equal(machine.runtime, 'docker');
    assert.ok((memory.skills.sql?.p50 ?? 0) > 10 * MIB, JSON.stringify(memory.skills));
  });
});
