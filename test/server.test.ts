/** The HTTP server of a started assistant, as clients see it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import OpenAI from 'openai';
import { phoenix, type RunningAssistant, startAssistant } from './support/assistant.ts';

const say = (content: string) => ({ model: 'phoenix', messages: [{ role: 'user' as const, content }] });

describe('HTTP server', () => {
  let assistant: RunningAssistant;
  let client: OpenAI;
  const request = (path: string, init?: RequestInit) => fetch(new URL(path, assistant.url), init);
  const post = (
    path: string,
    body: unknown,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ) => request(path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

  before(async () => {
    assistant = await startAssistant();
    client = new OpenAI({ baseURL: `${assistant.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  after(() => assistant[Symbol.asyncDispose]());

  it('talks to the official openai client, plain and streamed', async () => {
    const told = await client.chat.completions.create(say('Mi hermana vive en Madrid'));
    assert.equal(told.choices[0]?.message.content, 'Entendido: tu hermana vive en Madrid.');
    const answer = await client.chat.completions.create(say('¿Dónde vive mi hermana?'));
    assert.equal(answer.choices[0]?.message.content, 'Tu hermana vive en Madrid.');
    assert.equal(answer.choices[0]?.finish_reason, 'stop');
    assert.ok(
      answer.usage && answer.usage.total_tokens === answer.usage.prompt_tokens + answer.usage.completion_tokens,
    );

    const stream = await client.chat.completions.create({
      ...say('¿Dónde vive mi hermana?'),
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let chunks = 0;
    let tokens = 0;
    for await (const chunk of stream) {
      chunks++;
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.total_tokens ?? tokens;
    }
    assert.equal(text, 'Tu hermana vive en Madrid.');
    assert.ok(chunks > 3 && tokens > 0);
  });

  it('lists its model and refuses others as the openai client expects', async () => {
    assert.deepEqual(
      (await client.models.list()).data.map(({ id }) => id),
      ['phoenix', 'phoenix-nano-target'],
    );
    await assert.rejects(
      client.chat.completions.create({ ...say('hola'), model: 'gpt-4' }),
      (error: InstanceType<typeof OpenAI.APIError>) => {
        assert.equal(error.status, 404);
        assert.match(error.message, /there is no model "gpt-4"; there is "phoenix" and "phoenix-nano-target"/);
        return true;
      },
    );
  });

  it('accepts what curl -d sends', async () => {
    const response = await post('/v1/chat/completions', say('Hola'), {
      'content-type': 'application/x-www-form-urlencoded',
    });
    assert.equal(response.status, 200);
  });

  it('refuses bad requests with one clear line, and changes nothing', async () => {
    const known = async () => {
      const { facts, history, terms } = (await (await request('/api/memory/stats')).json()) as Record<string, number>;
      return { facts, history, terms };
    };
    const before = await known();
    const bad: [string, Promise<Response>, number, RegExp][] = [
      ['malformed JSON', post('/v1/chat/completions', '{"model":'), 400, /JSON/],
      ['no messages', post('/v1/chat/completions', { model: 'phoenix', messages: [] }), 400, /messages/],
      ['10 MB', post('/v1/chat/completions', say('x'.repeat(10_000_000))), 413, /too large/],
      ['unknown path', request('/v2/nothing'), 404, /there is no GET \/v2\/nothing/],
      ['empty fact', post('/api/memory', { subject: '', verb: 'b', object: 'c' }), 400, /subject/],
      ['wrong key', post('/api/memory', { subject: 'a', verb: 'b', object: 'c', colour: 1 }), 400, /colour/],
      ['confidence', post('/api/memory', { subject: 'a', verb: 'b', object: 'c', confidence: 2 }), 400, /confidence/],
      ['limit', request('/api/memory?limit=0'), 400, /limit/],
      ['cursor', request('/api/memory?cursor=zzz'), 400, /cursor/],
      ['date', request('/api/memory?as_of=yesterday'), 400, /as_of/],
      ['forget all', request('/api/memory', { method: 'DELETE' }), 400, /names nothing/],
      [
        'unknown skill',
        request('/api/skills/nothing'),
        404,
        /there is none of this name; there are: draft, patch-sandbox, sql/,
      ],
      ['skill name', post('/api/skills/..%2f..%2fetc/start', {}), 404, /none of this name/],
      ['denied SQL', post('/api/skills/sql/call', { prompt: 'DROP TABLE memory_fact' }), 403, /schema/],
      ['wrong SQL', post('/api/skills/sql/call', { prompt: 'SELEC' }), 400, /syntax error/],
      ['import', post('/api/memory/import', 'nonsense', { 'content-type': 'application/x-ndjson' }), 400, /line 1/],
    ];
    for (const [what, answer, status, message] of bad) {
      const response = await answer;
      const { error } = (await response.json()) as { error: { message: string; type: string } };
      assert.equal(response.status, status, `${what}: ${error.message}`);
      assert.match(error.message, message, what);
      assert.ok(!error.message.includes('\n') && error.type.length > 0, what);
    }
    assert.deepEqual(await known(), before);
  });

  it('refuses what a web page of somebody else could send', async () => {
    const evil = { 'content-type': 'text/plain', origin: 'https://evil.example' };
    assert.equal((await post('/api/memory', { subject: 'a', verb: 'b', object: 'c' }, evil)).status, 403);
  });

  it('keeps the memory: store, recall, history, export, import, forget', async () => {
    await post('/api/memory', { facts: [{ subject: 'Ana', verb: 'vive_en', object: 'Lugo', at: 1000 }] });
    await post('/api/memory', { subject: 'Ana', verb: 'vive_en', object: 'Roma', at: 2000 });
    const objects = async (path: string) =>
      ((await (await request(path)).json()) as { triples: { object: string }[] }).triples.map(({ object }) => object);
    assert.deepEqual(await objects('/api/memory?subject=ana'), ['Roma']);
    assert.deepEqual(await objects('/api/memory?subject=ana&as_of=1500'), ['Lugo']);
    assert.deepEqual(await objects('/api/memory/history?subject=ana'), ['Roma', 'Lugo']);
    const lines = await (await request('/api/memory/export')).text();
    const imported = await post('/api/memory/import', lines, { 'content-type': 'application/x-ndjson' });
    assert.deepEqual(await imported.json(), { imported: lines.trimEnd().split('\n').length - 1 });
    assert.deepEqual(await (await request('/api/memory?subject=Ana', { method: 'DELETE' })).json(), { forgotten: 2 });
  });

  it('says how it is, in JSON and in metrics', async () => {
    assert.equal(((await (await request('/health')).json()) as { status: string }).status, 'ok');
    const { skills } = (await (await request('/api/skills')).json()) as { skills: { name: string; state: string }[] };
    assert.deepEqual(
      skills.map(({ name, state }) => `${name} ${state}`),
      ['draft stopped', 'patch-sandbox stopped', 'sql ready'],
    );
    const metrics = await (await request('/metrics')).text();
    for (const name of [
      'sarai_requests_total',
      'skill_requests_total',
      'skill_latency_seconds_bucket',
      'container_memory_usage_bytes',
      'skill_launch_duration_seconds_sum',
    ]) {
      assert.match(metrics, new RegExp(`^${name}(\\{[^}]*\\})? [0-9.e+]+$`, 'm'), name);
    }
    assert.doesNotMatch(metrics, /^up[ {]/m);
  });

  it('is what the command line talks to while it runs', () => {
    const environment = { PHOENIX_STATE_DIR: assistant.stateDir };
    assert.match(
      phoenix(['chat', 'Where', 'does', 'my', 'sister', 'live?'], environment).stdout,
      /Your sister lives in Madrid\./,
    );
    assert.match(phoenix(['skill', 'list'], environment).stdout, /sql +1\.0\.0 +ready/);
    const second = phoenix(['start'], { ...environment, PHOENIX_SERVER_PORT: '0' });
    assert.equal(second.code, 1);
    assert.match(second.stderr, /is in use: a Phoenix runs there already/);
  });
});

describe('HTTP server with a token', () => {
  it('lets nobody in without it, and never logs it', async () => {
    const token = 'a-token-of-some-length';
    await using assistant = await startAssistant({ PHOENIX_SERVER_TOKEN: token, PHOENIX_LOG_LEVEL: 'debug' });
    const models = (headers: Record<string, string>) => fetch(`${assistant.url}/v1/models`, { headers });
    assert.equal((await models({})).status, 401);
    assert.equal((await models({ authorization: 'Bearer wrong' })).status, 401);
    assert.equal((await models({ authorization: `Bearer ${token}` })).status, 200);
    const environment = { PHOENIX_STATE_DIR: assistant.stateDir, PHOENIX_SERVER_TOKEN: token };
    assert.equal(phoenix(['memory', 'stats'], environment).code, 0);
    assert.ok(!assistant.log().includes(token));
  });
});

describe('phoenix start', () => {
  it('stops cleanly and leaves no skill behind, or leaves them for the next one', async () => {
    const first = await startAssistant();
    const environment = { PHOENIX_STATE_DIR: first.stateDir };
    phoenix(['chat', 'Vivo', 'en', 'Lugo'], environment);
    assert.equal(await first.stop(), 0);
    assert.match(phoenix(['skill', 'status', 'sql'], environment).stdout, /"state": "stopped"/);
    const second = await startAssistant(environment, ['--keep-skills']);
    phoenix(['chat', '¿Dónde', 'vivo?'], environment);
    await second.stop();
    const third = await startAssistant(environment);
    assert.match(third.log(), /"kind":"reused"/);
    await third[Symbol.asyncDispose]();
  });

  it('is not kept from stopping by clients that send half a request', { timeout: 60_000 }, async () => {
    const assistant = await startAssistant();
    const { hostname, port } = new URL(assistant.url);
    const begun = `POST /api/memory HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`;
    const whole = `${begun}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{`;
    const clients = await Promise.all(
      ['', begun, whole].map(async (text) => {
        const socket = connect({ host: hostname, port: Number(port) });
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(text);
        return socket;
      }),
    );
    await fetch(new URL('/health', assistant.url));
    assert.equal(await assistant.stop(), 0);
    for (const socket of clients) socket.destroy();
    await assistant[Symbol.asyncDispose]();
  });
});
