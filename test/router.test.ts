/** A started assistant with two skills of somebody else: requests reach them, in parallel, and one that fails keeps nobody else. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { localPaths } from '../src/runtimes/index.ts';
import { phoenix, type RunningAssistant, startAssistant } from './support/assistant.ts';
import { killSkill } from './support/kill.ts';
import { until } from './support/scoped-pool.ts';

const SKILLS = join(import.meta.dirname, 'fixtures/routed-skills');
/** How long skills may take here, in milliseconds; they run already. */
const DEADLINE_MS = 5000;

interface Reply {
  id: string;
  choices: { message: { content: string } }[];
  phoenix: {
    request_id: string;
    stored: object[];
    recalled: object[];
    skills: { skill: string; score: number; status: string; code?: string; error?: string; latencyMs?: number }[];
  };
}

describe('routing', () => {
  let assistant: RunningAssistant;
  const request = (path: string, init?: RequestInit) => fetch(new URL(path, assistant.url), init);
  const post = (path: string, body: object) =>
    request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const say = async (content: string, more: object = {}): Promise<Reply & { text: string }> => {
    const response = await post('/v1/chat/completions', {
      model: 'phoenix',
      messages: [{ role: 'user', content }],
      ...more,
    });
    assert.equal(response.status, 200);
    const reply = (await response.json()) as Reply;
    return { ...reply, text: reply.choices[0]?.message.content ?? '' };
  };
  const outcomes = ({ phoenix: { skills } }: Reply) =>
    Object.fromEntries(skills.map(({ skill, status, code }) => [skill, code ?? status]));
  const feedback = async () =>
    (
      (await (await request('/api/feedback')).json()) as {
        feedback: { id: number; signal: string; text: string; wrong: string[] }[];
      }
    ).feedback;
  const metric = async (series: string) => {
    const text = await (await request('/metrics')).text();
    const line = text.split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  };

  before(async () => {
    assistant = await startAssistant({
      PHOENIX_SKILL_DIRS: `[${SKILLS}]`,
      PHOENIX_MODELS_DRAFT: 'none',
      PHOENIX_ROUTER_DEADLINE: `${DEADLINE_MS}ms`,
    });
    for (const skill of ['weather', 'translate'])
      assert.equal((await post(`/api/skills/${skill}/start`, {})).status, 200);
  });
  after(() => assistant[Symbol.asyncDispose]());

  it('calls the skill that a request is for, and uses its answer', async () => {
    const reply = await say('Will it rain in Paris tomorrow?');
    assert.equal(reply.text, 'Rain, 12 degrees.');
    assert.deepEqual(outcomes(reply), { weather: 'answered' });
    const [use] = reply.phoenix.skills;
    assert.ok(use && use.score >= 0.3 && (use.latencyMs ?? 0) > 0);
    assert.equal(reply.id, `chatcmpl-${reply.phoenix.request_id}`);
    assert.equal(await metric('sarai_requests_with_skill_total'), 1);
    assert.equal(await metric('sarai_router_decisions_total{skill_name="weather"}'), 1);
    assert.equal(await metric('sarai_router_uses_total{skill_name="weather",outcome="answered"}'), 1);
  });

  it('leaves the memory what is for the memory, to the letter', async () => {
    const told = await say('Mi hermana vive en Madrid');
    assert.equal(told.text, 'Entendido: tu hermana vive en Madrid.');
    assert.deepEqual(outcomes(told), { sql: 'answered' });
    assert.equal((await say('¿Dónde vive mi hermana?')).text, 'Tu hermana vive en Madrid.');
    assert.equal((await say('Where does my sister live?')).text, 'Your sister lives in Madrid.');
    assert.equal((await say('Hola')).text, 'Hola. Cuéntame algo o pregúntame por lo que me contaste.');
    assert.match((await say('qwrtz')).text, /^No te he entendido|^I did not understand/);
  });

  it('calls several skills at once, and makes one answer of what they say', async () => {
    const both = 'translate the weather forecast for the weekend into German';
    const reply = await say(both);
    assert.deepEqual(outcomes(reply), { translate: 'answered', weather: 'answered' });
    assert.deepEqual(new Set(reply.text.split('\n\n')), new Set([`«${both}»`, 'Rain, 12 degrees.']));
  });

  it('gives what it has when a skill refuses, and says which one and why', async () => {
    const reply = await say('translate the weather forecast for the weekend in Atlantis into German');
    assert.deepEqual(outcomes(reply), { translate: 'answered', weather: 'INVALID_ARGUMENT' });
    assert.match(reply.text, /^«translate .*»\n\n\(Skill weather did not answer: there is no such place\.\)$/);
    const alone = await say('Will it rain in Atlantis tomorrow?');
    assert.match(alone.text, /Skill weather did not answer: there is no such place/);
    assert.equal(await metric('sarai_router_uses_total{skill_name="weather",outcome="failed"}'), 2);
  });

  it('gives what it has when a skill is too late', async () => {
    const begun = performance.now();
    const reply = await say('translate the weather forecast for the weekend on Pluto into German');
    assert.deepEqual(outcomes(reply), { translate: 'answered', weather: 'DEADLINE_EXCEEDED' });
    assert.match(reply.text, /^«translate /);
    assert.ok(performance.now() - begun >= DEADLINE_MS - 50, 'it waited for the deadline');
  });

  it('notes what a skill refused, and deletes it when told to', async () => {
    assert.ok((await feedback()).some(({ signal, text }) => signal === 'failed' && text.includes('Atlantis')));
    assert.equal((await request('/api/feedback', { method: 'DELETE' })).status, 200);
    assert.deepEqual(await feedback(), []);
    assert.equal((await post('/api/router/train', {})).status, 200);
  });

  it('gives what it has when a skill dies', async () => {
    const waiting = say('translate the weather forecast for the weekend on Pluto into German');
    await until('the skill is called', async () => (await metric('skill_in_flight{skill_name="weather"}')) === 1);
    assert.ok(killSkill(localPaths(assistant.stateDir), 'weather', 'innermost'));
    const reply = await waiting;
    assert.deepEqual(outcomes(reply), { translate: 'answered', weather: 'UNAVAILABLE' });
    assert.match(reply.text, /^«translate /);
    assert.equal((await post('/api/skills/weather/start', {})).status, 200);
  });

  it('stops what nobody waits for any more', async () => {
    const gone = new AbortController();
    const body = JSON.stringify({
      model: 'phoenix',
      messages: [{ role: 'user', content: 'Will it rain on Pluto tomorrow?' }],
    });
    const headers = { 'content-type': 'application/json' };
    const left = assert.rejects(
      request('/v1/chat/completions', { method: 'POST', headers, body, signal: gone.signal }),
    );
    await until('the skill is called', async () => (await metric('skill_in_flight{skill_name="weather"}')) === 1);
    gone.abort();
    await left;
    await until('the call has ended', async () => (await metric('skill_in_flight{skill_name="weather"}')) === 0);
  });

  it('runs SQL that only reads, and remembers none of it', async () => {
    const reply = await say('run this query: select 40 + 2 as answer');
    assert.equal(reply.text, '[{"answer":42}]');
    assert.deepEqual(reply.phoenix.stored, []);
    const writing = await say('DELETE FROM memory_fact WHERE 1 = 1');
    assert.equal(
      writing.phoenix.skills.some(({ latencyMs }) => latencyMs !== undefined),
      false,
      'nothing was called',
    );
    assert.equal((await say('¿Dónde vive mi hermana?')).text, 'Tu hermana vive en Madrid.');
  });

  it('says that a text needs a model that can talk', async () => {
    assert.match((await say('Escribe un poema sobre el mar')).text, /models\.target/);
  });

  it('explains its decisions, here and on the command line', async () => {
    const text = 'will it rain tomorrow in Oslo?';
    const explained = (await (await request(`/api/router/explain?text=${encodeURIComponent(text)}`)).json()) as {
      skills: {
        skill: string;
        score: number;
        chosen: boolean;
        features: { feature: string; contribution: number }[];
      }[];
    };
    assert.deepEqual(explained, await (await post('/api/router/explain', { text })).json());
    const [first] = explained.skills;
    assert.ok(first && first.skill === 'weather' && first.chosen && first.features.length === 10);
    assert.ok(first.features.some(({ feature, contribution }) => feature.includes('rain') && contribution > 0));
    const here = { PHOENIX_STATE_DIR: assistant.stateDir };
    assert.deepEqual(JSON.parse(phoenix(['router', 'explain', '--json', text], here).stdout), explained);
    const { stdout } = phoenix(['router', 'explain', ...text.split(' ')], here);
    assert.match(stdout, /^goes to weather .*\n\nSKILL +SCORE +CHOSEN\nweather +0\.\d+ +yes\n/);
    assert.match(stdout, /weather: [+-]\d\.\d\d to begin with\n {2}for: .*"rain/);
    assert.equal((await request('/api/router/explain')).status, 400);
    assert.equal((await post('/api/router/explain', { text: 1 })).status, 400);
  });

  it('learns from feedback, and forgets what is deleted', async () => {
    const here = { PHOENIX_STATE_DIR: assistant.stateDir };
    const wanted = 'gimme the brolly report';
    const reply = await say(wanted);
    assert.ok(!('weather' in outcomes(reply)));
    const given = await post('/api/feedback', { request_id: reply.id, helpful: false, skill: 'weather' });
    assert.equal(given.status, 200);
    await until('it has learned', async () => 'weather' in outcomes(await say(`${wanted} now`)));
    assert.match(
      phoenix(['router', 'feedback', 'list'], here).stdout,
      /user +weather +all others +gimme the brolly report/,
    );
    const { feedback: [record] = [] } = (await (await request('/api/feedback?limit=1')).json()) as {
      feedback?: { id: number }[];
    };
    assert.equal(phoenix(['router', 'feedback', 'clear', String(record?.id)], here).stdout, 'deleted: 1\n');
    assert.equal((await post('/api/router/train', {})).status, 200);
    assert.ok(!('weather' in outcomes(await say(wanted))));
  });

  it('refuses feedback that makes no sense', async () => {
    const bad: [object, RegExp][] = [
      [{ request_id: 'nothing', helpful: true }, /request nothing is not remembered/],
      [{ text: 'hello', skill: 'nothing' }, /there is no skill "nothing"/],
      [{ text: 'hello', skill: 'sql', skills: [] }, /skill or skills/],
      [{ helpful: 'yes' }, /helpful/],
      [{ text: 'hello', colour: 1 }, /colour/],
    ];
    for (const [body, message] of bad) {
      const response = await post('/api/feedback', body);
      assert.equal(response.status, 400);
      assert.match(((await response.json()) as { error: { message: string } }).error.message, message);
    }
  });

  it('says how well it routes', async () => {
    const { stdout } = phoenix(['router', 'eval', '--json'], { PHOENIX_STATE_DIR: assistant.stateDir });
    const { all, threshold } = JSON.parse(stdout) as { all: { exact: number; ece: number }; threshold: number };
    assert.ok(threshold === 0.3 && all.exact > 0.7 && all.ece < 0.1);
  });
});
