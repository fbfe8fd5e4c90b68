/** Metrics of real skills: what they say, and that reading them changes nothing. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EntityMemory } from '../src/memory/index.ts';
import type { ModelPoolOptions } from '../src/pool/index.ts';
import { Metrics } from '../src/telemetry/index.ts';
import { type RunningAssistant, startAssistant } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { availableRuntimes, FIXTURES, onEvent } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';
import { scopedPool, until } from './support/scoped-pool.ts';

const runtimes = await availableRuntimes();
const [strongest = 'process'] = runtimes;
const MIB = 1024 ** 2;

/** Metrics over a pool and a memory of their own. */
function observed(options: Partial<ModelPoolOptions> = {}, runtime = strongest) {
  const test = scopedPool(runtime, options);
  const memory = new EntityMemory({ path: join(test.stateDir, 'memory.db') });
  const metrics = new Metrics({ pool: test.pool, memory, exemplars: false });
  return {
    ...test,
    memory,
    metrics,
    /** The value of a series, as it stands in the text. */
    async value(series: string): Promise<number | undefined> {
      const line = (await metrics.exposition()).text.split('\n').find((each) => each.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length));
    },
    [Symbol.asyncDispose]: async () => {
      await memory.close();
      await test.cleanUp();
    },
  };
}

describe('metrics of skills', () => {
  it('are no activity: a skill that is only scraped is stopped for being idle, and not launched again', async () => {
    await using test = observed({ idleTtlMs: 200 });
    const stopped = onEvent(test.pool, 'stopped');
    await test.pool.getSkillClient('echo');
    let scrapes = 0;
    let isStopped = false;
    void stopped.then(() => {
      isStopped = true;
    });
    while (!isStopped) {
      await test.metrics.exposition();
      await test.metrics.skillExposition('echo').then(
        () => scrapes++,
        () => {},
      );
      await sleep(10);
    }
    assert.ok(scrapes >= 3, `${scrapes} scrapes while it ran`);
    assert.equal((await stopped).reason, 'idle');
    await assert.rejects(test.metrics.skillExposition('echo'), /it is not running \(stopped\)/);
    assert.equal(await test.value('skill_requests_total{skill_name="echo"}'), 0);
    assert.equal(await test.value('skill_launches_total{skill_name="echo",kind="cold"}'), 1);
    const whole = (await test.value('skill_launch_duration_seconds_sum{skill_name="echo",kind="cold"}')) ?? 0;
    let phases = 0;
    for (const phase of ['prepare', 'create', 'boot']) {
      const seconds = (await test.value(`skill_launch_phase_seconds_total{skill_name="echo",phase="${phase}"}`)) ?? 0;
      assert.ok(seconds > 0, phase);
      phases += seconds;
    }
    assert.ok(phases <= whole && phases > whole / 2, `${phases} of ${whole} s`);
    assert.equal(await test.value('skill_stops_total{skill_name="echo",reason="idle"}'), 1);
    assert.equal(await test.value('skill_expected_up{skill_name="echo"}'), 0);
    assert.equal(await test.value('container_memory_usage_bytes{name="saraiskill.echo"}'), undefined);
    assert.equal(await test.value('sarai_skill_memory_used_bytes'), 0);
    assert.equal(await test.value('sarai_skill_memory_budget_bytes'), undefined, 'there is none');
  });

  it('tell the calls that run from those that wait, as the skill itself does', async () => {
    await using test = observed();
    const client = await test.pool.getSkillClient('echo');
    // The skill runs eight at once.
    const calls = Array.from({ length: 11 }, () => client.infer({ prompt: 'sleep:1500' }));
    await until('the calls have arrived', async () => (await client.metrics()).queued === 3);
    assert.equal(await test.value('skill_in_flight{skill_name="echo"}'), 11);
    assert.equal(await test.value('skill_queue_depth{skill_name="echo"}'), 3);
    const { text } = await test.metrics.skillExposition('echo');
    assert.match(text, /^skill_host_in_flight 8$/m);
    assert.match(text, /^skill_host_queue_depth 3$/m);
    await Promise.all(calls);
    assert.equal(await test.value('skill_in_flight{skill_name="echo"}'), 0);
    assert.equal(await test.value('skill_queue_depth{skill_name="echo"}'), 0);
  });

  it('count calls that wait for the launch as waiting', async () => {
    await using test = observed();
    const call = test.pool.client('echo').infer({ prompt: 'hello' });
    assert.equal(await test.value('skill_queue_depth{skill_name="echo"}'), 1);
    assert.equal(await test.value('skill_state{skill_name="echo",state="starting"}'), 1);
    await call;
    assert.equal(await test.value('skill_queue_depth{skill_name="echo"}'), 0);
    assert.equal(await test.value('skill_latency_seconds_count{skill_name="echo"}'), 1);
  });

  it('tell a crash, and the launch after it', async () => {
    await using test = observed();
    const client = await test.pool.getSkillClient('echo');
    await assert.rejects(client.infer({ prompt: 'exit:3' }), { code: 'UNAVAILABLE' });
    await client.infer({ prompt: 'again' }, { idempotent: true });
    assert.equal(await test.value('skill_stops_total{skill_name="echo",reason="crashed"}'), 1);
    assert.equal(await test.value('skill_restarts_total{skill_name="echo"}'), 1);
    assert.equal(await test.value('skill_errors_total{skill_name="echo",code="UNAVAILABLE"}'), 1);
    assert.equal(await test.value('skill_requests_total{skill_name="echo"}'), 2);
  });

  it('tell a circuit that is open, and a skill that is expected and does not serve', async () => {
    await using test = observed({ backoff: { initialMs: 1, circuitFailures: 2, circuitMs: 60_000 } });
    const open = onEvent(test.pool, 'circuit_open');
    const tries = () => test.pool.getSkillClient('broken-start').catch(() => {});
    await tries();
    assert.equal(await test.value('skill_expected_up{skill_name="broken-start"}'), 1);
    for (let n = 0; n < 2; n++) await tries();
    await open;
    assert.equal(await test.value('skill_circuit_open{skill_name="broken-start"}'), 1);
    assert.equal(await test.value('skill_state{skill_name="broken-start",state="failed"}'), 1);
    assert.equal(await test.value('skill_launch_failures_total{skill_name="broken-start"}'), 2);
    assert.equal(await test.value('skill_state{skill_name="bad-manifest",state="broken"}'), 1);
    assert.equal(await test.value('skill_expected_up{skill_name="bad-manifest"}'), 1);
  });

  it('are there from the beginning, so that the first crash is a change', async () => {
    await using test = observed();
    for (const reason of ['crashed', 'oom', 'unhealthy'])
      assert.equal(await test.value(`skill_stops_total{skill_name="echo",reason="${reason}"}`), 0);
    assert.equal(await test.value('skill_launch_failures_total{skill_name="echo"}'), 0);
    assert.equal(await test.value('sarai_memory_operation_errors_total{operation="store"}'), 0);
  });

  it('tell what the memory failed at, and not what callers got wrong', async () => {
    await using test = observed();
    await assert.rejects(test.memory.storeSvo('', 'vive_en', 'Roma'));
    await assert.rejects(async () => test.memory.recall({ limit: 0 }));
    assert.equal(await test.value('sarai_memory_operation_errors_total{operation="store"}'), 0);
    await test.memory.storeSvo('Ana', 'vive_en', 'Roma');
    const file = new DatabaseSync(join(test.stateDir, 'memory.db'));
    file.exec("CREATE TRIGGER full BEFORE INSERT ON memory_fact BEGIN SELECT RAISE(FAIL, 'disk full'); END");
    file.close();
    await assert.rejects(test.memory.storeSvo('Luis', 'vive_en', 'Roma'), /disk full/);
    assert.equal(await test.value('sarai_memory_operation_errors_total{operation="store"}'), 1);
    assert.equal(await test.value('sarai_memory_operations_total{operation="store",from="local"}'), 1);
  });

  it('count evictions', async () => {
    await using test = observed({ maxLoaded: 1 });
    await test.pool.getSkillClient('echo');
    await test.pool.getSkillClient('stateless');
    assert.equal(await test.value('skill_evictions_total{skill_name="echo"}'), 1);
    assert.equal(await test.value('skill_stops_total{skill_name="echo",reason="evicted_for"}'), 1);
  });
});

describe('memory of skills', () => {
  const engine = new TestEngine();
  before(() => (canStartEngine() ? engine.start() : undefined));
  after(() => engine.remove());
  const withoutEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());

  for (const runtime of ['docker' as const, ...runtimes]) {
    it(`is what they use, with ${runtime}`, { skip: runtime === 'docker' && withoutEngine }, async () => {
      await using test = observed({}, runtime);
      const used = async () => (await test.value('container_memory_usage_bytes{name="saraiskill.echo"}')) ?? 0;
      assert.equal(await used(), 0, 'absent while it does not run');
      const client = await test.pool.getSkillClient('echo');
      const before = await used();
      assert.ok(before > 5 * MIB && before < 192 * MIB, `${before / MIB} MiB`);
      await client.infer({ prompt: `eval:globalThis.kept = Buffer.alloc(${48 * MIB}, 1); return 0` });
      await until('what it took is seen', async () => (await used()) > before + 44 * MIB);
      const more = (await used()) - before;
      assert.ok(more < 80 * MIB, `${more / MIB} MiB more, of which it took 48`);
      assert.equal(
        await test.value('skill_isolation_level{skill_name="echo"}'),
        { process: 1, sandbox: 2, docker: 3 }[runtime as string],
      );
    });
  }
});

describe('service discovery', () => {
  const TOKEN = 'a-token-of-enough-characters';
  let assistant: RunningAssistant;
  const get = (path: string, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }) =>
    fetch(new URL(path, assistant.url), { headers });
  before(async () => {
    const environment = {
      PHOENIX_SERVER_TOKEN: TOKEN,
      PHOENIX_SKILL_DIRS: `[${FIXTURES}]`,
      PHOENIX_MODELS_TARGET: 'none',
    };
    assistant = await startAssistant(environment);
  });
  after(() => assistant[Symbol.asyncDispose]());

  it('lists every skill, at the address where it was asked', async () => {
    const response = await get('/sd/skills');
    assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    const groups = (await response.json()) as { targets: string[]; labels: Record<string, string> }[];
    const names = groups.map(({ labels }) => labels.skill_name);
    assert.deepEqual(names, [...names].sort());
    for (const name of ['sql', 'draft', 'echo', 'bad-manifest']) assert.ok(names.includes(name), name);
    for (const { targets, labels } of groups) {
      assert.deepEqual(targets, [new URL(assistant.url).host]);
      assert.equal(labels.__metrics_path__, `/metrics/skills/${labels.skill_name}`);
    }
  });

  it('needs the token, as every metric does', async () => {
    for (const path of ['/sd/skills', '/metrics', '/metrics/skills/sql']) {
      assert.equal((await get(path, {})).status, 401, path);
    }
  });

  it('says why a skill cannot be scraped', async () => {
    const said = async (name: string) => {
      const response = await get(`/metrics/skills/${name}`);
      return [response.status, ((await response.json()) as { error: { message: string } }).error.message] as const;
    };
    const [stopped, why] = await said('echo');
    assert.equal(stopped, 503);
    assert.match(why, /skill echo: it is not running \(stopped\)/);
    const [broken, problem] = await said('bad-manifest');
    assert.equal(broken, 503);
    assert.match(problem, /its manifest is broken/);
    assert.equal((await said('nothing'))[0], 404);
  });
});
