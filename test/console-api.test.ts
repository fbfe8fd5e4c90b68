/** What the web console asks the server for, beside what every client does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Work } from '../src/assistant/index.ts';
import type { SkillStatusReport } from '../src/pool/index.ts';
import type { History } from '../src/telemetry/index.ts';
import { phoenix, type RunningAssistant, startAssistant } from './support/assistant.ts';

describe('the API of the console', () => {
  let assistant: RunningAssistant;
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const init = body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {};
    const response = await fetch(new URL(path, assistant.url), { method, ...init });
    assert.equal(response.status, 200, `${path}: ${await response.clone().text()}`);
    return (await response.json()) as T;
  };
  const chat = (content: string, model = 'phoenix') =>
    ask<{ phoenix: { work: Work & { plainTokensPerSecond?: number } } }>('POST', '/v1/chat/completions', {
      ...{ model, messages: [{ role: 'user', content }] },
    });

  before(async () => {
    assistant = await startAssistant();
  });
  after(() => assistant[Symbol.asyncDispose]());

  it('says what a request needed: skills, operations of the memory, time', async () => {
    await chat('Mi hermana vive en Madrid');
    const { work } = (await chat('¿Dónde vive mi hermana?')).phoenix;
    const sql = work.skills.find(({ name }) => name === 'sql');
    assert.ok(sql && sql.calls === 1 && sql.failed === 0 && (sql.ms ?? 0) > 0, JSON.stringify(work));
    const [recall] = work.memory;
    assert.ok(recall?.name === 'recall' && (recall.ms ?? 0) >= (sql.ms ?? 0));
    assert.ok(work.totalMs >= (recall.ms ?? 0) && work.totalMs >= (work.firstPieceMs ?? Number.NaN));
    assert.equal(work.tokensPerSecond, undefined);
  });

  it('says how fast a model wrote, and how fast it is without proposals', async () => {
    const { work } = (await chat('Mi hermana vive en Madrid', 'phoenix-nano-target')).phoenix;
    assert.ok((work.tokensPerSecond ?? 0) > 0 && (work.plainTokensPerSecond ?? 0) > 0, JSON.stringify(work));
  });

  it('searches and corrects facts, and so does the command line', async () => {
    const fact = { subject: 'primo', verb: 'habla', object: 'gallego' };
    await ask('POST', '/api/memory', fact);
    const search = (text: string) => ask<{ triples: { object: string }[] }>('GET', `/api/memory?text=${text}`);
    assert.deepEqual(
      (await search('GALLE')).triples.map(({ object }) => object),
      ['gallego'],
    );
    const to = { ...fact, object: 'portugués' };
    assert.deepEqual(await ask('POST', '/api/memory/correct', { from: fact, to, wasWrong: true }), { corrected: true });
    assert.deepEqual(await ask('POST', '/api/memory/correct', { from: fact, to, wasWrong: true }), {
      corrected: false,
    });
    const environment = { PHOENIX_STATE_DIR: assistant.stateDir };
    const parts = ['primo', 'habla', 'portugués'];
    assert.match(
      phoenix(['memory', 'correct', ...parts, '--to-object', 'francés'], environment).stdout,
      /^corrected: .*francés/,
    );
    assert.match(phoenix(['memory', 'search', 'franc'], environment).stdout, /primo +habla +francés/);
    assert.match(phoenix(['memory', 'correct', ...parts], environment).stdout, /there is no such fact/);
  });

  it('says what a skill may use, and what happened to it', async () => {
    await ask('POST', '/api/skills/sql/restart', {});
    const { limits, minimumIsolation, events } = await ask<SkillStatusReport>('GET', '/api/skills/sql');
    assert.ok(limits && limits.memoryBytes > 0 && limits.data && limits.cpus > 0);
    assert.equal(minimumIsolation, 'process');
    const told = events.map(({ what, detail }) => `${what} ${detail ?? ''}`.trim());
    assert.deepEqual(told.slice(-4), ['stopping operator', 'stopped operator', 'launching', 'ready cold']);
    assert.ok((events.at(-1)?.ms ?? 0) > 0);
  });

  it('follows a log', async () => {
    const response = await fetch(`${assistant.url}/api/skills/sql/logs?follow=true&lines=5`);
    assert.match(response.headers.get('content-type') ?? '', /event-stream/);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await reader?.read())?.value ?? '', /^data: \{"lines":\[.*serving/);
    await reader?.cancel();
  });

  it('keeps the last minutes of the metrics', async () => {
    const history = await ask<History>('GET', '/api/metrics/history');
    assert.deepEqual([history.format, history.spanMs], [1, 900_000]);
    const { length } = history.times;
    const { sql } = history.skills;
    assert.ok(sql && length > 0);
    for (const series of [history.hitRate, sql.p50Ms, sql.p99Ms, sql.callsPerSecond, sql.memoryBytes, sql.up])
      assert.equal(series.length, length);
    assert.equal(sql.memoryLimitBytes, 1024 ** 3);
  });
});

describe('a server that is stopped', () => {
  it('ends logs that are followed, and connections that a browser has opened ahead', async () => {
    const assistant = await startAssistant();
    const response = await fetch(`${assistant.url}/api/skills/sql/logs?follow=true`);
    const log = response.text();
    const { port } = new URL(assistant.url);
    const unused = connect(Number(port), '127.0.0.1');
    await once(unused, 'connect');
    const closed = once(unused.resume(), 'close');
    assert.equal(await assistant.stop(), 0);
    assert.match(await log, /data: \[DONE\]/);
    await closed;
    await assistant[Symbol.asyncDispose]();
  });
});
