/** What a real Prometheus stores of an assistant, for a load whose numbers are known. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { cgroupMemory } from '../src/runtimes/sandbox/cgroup.ts';
import { type RunningAssistant, startAssistant } from './support/assistant.ts';
import { FIXTURES } from './support/pool.ts';
import { prometheusMissing, promtool, type RunningPrometheus, startPrometheus } from './support/prometheus.ts';

const TOKEN = 'a-token-of-enough-characters';
const REQUESTS = 30;
const WITH_SKILL = 18;

describe('a real Prometheus', { skip: prometheusMissing() }, () => {
  let assistant: RunningAssistant;
  let prometheus: RunningPrometheus;
  const request = (path: string, init: RequestInit = {}) =>
    fetch(new URL(path, assistant.url), { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });
  const post = async (path: string, body: unknown = {}) => {
    const headers = { 'content-type': 'application/json' };
    const response = await request(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const say = async (content: string) => {
    const { status } = await post('/v1/chat/completions', { model: 'phoenix', messages: [{ role: 'user', content }] });
    assert.equal(status, 200);
  };
  const scrapeOf = async (path: string) => (await request(path)).text();

  before(async () => {
    assistant = await startAssistant({
      PHOENIX_SERVER_TOKEN: TOKEN,
      PHOENIX_SKILL_DIRS: `[${FIXTURES}]`,
      PHOENIX_MODELS_TARGET: 'none',
      PHOENIX_MEMORY_TIMEOUT: '30s',
    });
    assert.equal((await post('/api/skills/sql/start')).status, 200);
    assert.equal((await post('/api/skills/broken-start/start')).status, 503);
    // The memory knows the skill from here on.
    assert.equal((await post('/api/memory', { subject: 'Ana', verb: 'tiene', object: 'prisa' })).status, 200);
    prometheus = await startPrometheus({ assistantUrl: assistant.url, token: TOKEN });
    await prometheus.untilScraped(2);
    for (let n = 0; n < REQUESTS; n++) {
      if (n >= WITH_SKILL) await say('Hola');
      else await say(n % 2 === 0 ? `Mi hermana vive en Ciudad${n}` : '¿Dónde vive mi hermana?');
    }
    for (let n = 0; n < 10; n++) {
      assert.equal((await post('/api/skills/echo/call', { prompt: 'sleep:30' })).status, 200);
      // Asking how it is does not count.
      await request('/api/skills/echo');
    }
    assert.equal((await post('/api/skills/echo/call', { prompt: 'fail:on purpose' })).status, 400);
    await prometheus.untilScraped(2);
  });
  after(async () => {
    await prometheus?.stop();
    await assistant[Symbol.asyncDispose]();
  });

  it('counts the requests, and those that used a skill', async () => {
    assert.equal(await prometheus.value('sarai_requests_total{job="sarai"}'), REQUESTS);
    assert.equal(await prometheus.value('sarai_requests_with_skill_total'), WITH_SKILL);
    assert.equal(await prometheus.value('100 * sarai_requests_with_skill_total / sarai_requests_total'), 60);
    const rate = (name: string) => `sum(rate(${name}[5m]))`;
    const hits = await prometheus.value(
      `100 * ${rate('sarai_requests_with_skill_total')} / ${rate('sarai_requests_total')}`,
    );
    assert.ok(Math.abs(hits - 60) < 1e-6, `${hits} %`);
    assert.equal(await prometheus.value('sarai_request_errors_total'), 0);
    assert.equal(await prometheus.value('sarai_requests_in_flight'), 0);
    assert.equal(await prometheus.value('sarai_request_duration_seconds_count'), REQUESTS);
  });

  it('counts the calls of each skill, their errors and their time', async () => {
    assert.equal(await prometheus.value('skill_requests_total{skill_name="echo"}'), 11);
    assert.equal(await prometheus.value('skill_errors_total{skill_name="echo",code="FAILED_PRECONDITION"}'), 1);
    // Nine stores and nine recalls at least: to store takes a look at what is known.
    assert.ok((await prometheus.value('skill_requests_total{skill_name="sql"}')) >= WITH_SKILL);
    const quantile = (share: number, skill: string) =>
      prometheus.value(
        `histogram_quantile(${share}, sum by (le, skill_name) (rate(skill_latency_seconds_bucket{skill_name="${skill}"}[5m])))`,
      );
    const p50 = await quantile(0.5, 'echo');
    assert.ok(p50 >= 0.025 && p50 <= 0.1, `half of what sleeps for 30 ms takes ${p50} s`);
    assert.ok((await quantile(0.99, 'echo')) >= p50);
    assert.ok((await quantile(0.5, 'sql')) < 0.25);
  });

  it('finds every skill, and "up" says which ones serve now', async () => {
    const up = await prometheus.query('up{job="skill-containers"}');
    const of = Object.fromEntries(up.map(({ labels, value }) => [labels.skill_name, value]));
    assert.deepEqual(
      { sql: of.sql, echo: of.echo, draft: of.draft, broken: of['broken-start'], manifest: of['bad-manifest'] },
      { sql: 1, echo: 1, draft: 0, broken: 0, manifest: 0 },
    );
    for (const { labels } of up) assert.equal(labels.instance, `saraiskill.${labels.skill_name}`);
    assert.equal(await prometheus.value('up{job="sarai"}'), 1);
    // What a skill says of itself is what the assistant says of it.
    assert.equal(await prometheus.value('skill_host_requests_total{skill_name="echo"}'), 11);
    assert.equal(await prometheus.value('skill_host_errors_total{skill_name="echo",code="FAILED_PRECONDITION"}'), 1);
    assert.deepEqual(await prometheus.query('skill_host_requests_total{skill_name="draft"}'), []);
    const reasons = (await prometheus.targets()).filter(({ health }) => health === 'down');
    for (const { lastError } of reasons) assert.match(lastError, /503/);
  });

  it('sees a stopped skill go down, and scrapes launch nothing', async () => {
    assert.equal((await post('/api/skills/echo/stop')).status, 200);
    const down = 'up{job="skill-containers",skill_name="echo"}';
    await prometheus.untilQuery('the skill is down', down, ([sample]) => sample?.value === 0);
    await prometheus.untilScraped(2);
    assert.equal(await prometheus.value('skill_state{skill_name="echo",state="stopped"}'), 1);
    assert.equal(await prometheus.value('sum(skill_launches_total{skill_name="echo"})'), 1);
    assert.equal(await prometheus.value('skill_stops_total{skill_name="echo",reason="operator"}'), 1);
    assert.equal(await prometheus.value('sum(skill_launches_total{skill_name="draft"})'), 0);
    // A skill that is not needed can be told from one that cannot be started.
    const wrong = await prometheus.query(
      'up{job="skill-containers"} == 0 and on (skill_name) (skill_expected_up == 1)',
    );
    assert.deepEqual(wrong.map(({ labels }) => labels.skill_name).sort(), ['bad-manifest', 'broken-start']);
  });

  it('knows the state, the limits and the memory of a skill', async () => {
    assert.equal(await prometheus.value('sum(skill_state{skill_name="sql"})'), 1);
    assert.equal(await prometheus.value('skill_state{skill_name="sql",state="ready"}'), 1);
    assert.equal(await prometheus.value('skill_memory_limit_bytes{skill_name="sql"}'), 1024 ** 3);
    assert.equal(await prometheus.value('skill_launches_total{skill_name="sql",kind="cold"}'), 1);
    assert.equal(await prometheus.value('skill_launch_duration_seconds_count{skill_name="sql",kind="cold"}'), 1);
    assert.ok((await prometheus.value('skill_launch_failures_total{skill_name="broken-start"}')) >= 1);
    const [status] = (
      (await (await request('/api/skills')).json()) as { skills: { name: string; isolation: string }[] }
    ).skills.filter(({ name }) => name === 'sql');
    const rank = { process: 1, sandbox: 2, container: 3 }[status?.isolation ?? ''];
    assert.equal(await prometheus.value('skill_isolation_level{skill_name="sql"}'), rank);

    const { cgroups } = JSON.parse(readFileSync(join(assistant.stateDir, 'run/sql/unit.json'), 'utf8')) as {
      cgroups: string[];
    };
    const stored = await prometheus.value('container_memory_usage_bytes{name="saraiskill.sql"}');
    const measured = cgroupMemory(cgroups);
    if (measured === undefined) assert.ok(stored > 20 * 1024 ** 2);
    else assert.ok(Math.abs(stored / measured - 1) < 0.2, `${stored} bytes, the control group says ${measured}`);
    assert.ok((await prometheus.value('sarai_memory_usage_bytes')) > 50 * 1024 ** 2);
  });

  it('knows what the memory holds and does', async () => {
    assert.equal(await prometheus.value('sarai_memory_triples'), 2);
    assert.equal(await prometheus.value('sarai_memory_operations_total{operation="store",from="skill"}'), 10);
    assert.equal(await prometheus.value('sarai_memory_operations_total{operation="recall",from="skill"}'), 9);
    assert.equal(await prometheus.value('sarai_memory_fallback'), 0);
    assert.equal(await prometheus.value('sarai_memory_journal_depth'), 0);
    assert.equal(await prometheus.value('sarai_memory_operation_seconds_count{operation="recall"}'), 9);
  });

  it('sees the memory fall back when its skill is gone, and come back', async () => {
    await post('/api/skills/sql/stop');
    const stopped = 'skill_state{skill_name="sql",state="stopped"} == 1';
    await prometheus.untilQuery('the skill is stopped', stopped, (samples) => samples.length === 1);
    // That nobody needs it is no fallback.
    assert.equal(await prometheus.value('sarai_memory_fallback'), 0);
    await say('¿Dónde vive mi hermana?');
    const local = 'sarai_memory_operations_total{operation="recall",from="local"}';
    await prometheus.untilQuery('a recall is answered here', local, ([sample]) => sample?.value === 1);
    // Who asks the memory starts its skill.
    await prometheus.untilQuery('it is back', 'up{skill_name="sql"}', ([sample]) => sample?.value === 1);
    await prometheus.untilQuery('no fallback any more', 'sarai_memory_fallback', ([sample]) => sample?.value === 0);
    assert.equal(await prometheus.value('skill_restarts_total{skill_name="sql"}'), 1);
    assert.equal(await prometheus.value('sarai_requests_with_skill_total'), WITH_SKILL);
  });

  it('finds nothing wrong with the format of what it is given', async () => {
    for (const path of ['/metrics', '/metrics/skills/sql']) {
      const { code, output } = promtool(['check', 'metrics'], await scrapeOf(path));
      assert.deepEqual({ code, output }, { code: 0, output: '' }, path);
    }
  });
});
