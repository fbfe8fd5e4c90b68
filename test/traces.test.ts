/** One chat request is one trace, from the client that sent it into the skill. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type RunningAssistant, startAssistant, temporaryFolder } from './support/assistant.ts';
import { writeVariant } from './support/gguf.ts';
import { NANO_TARGET } from './support/nano.ts';
import { type OtlpReceiver, type ReceivedSpan, startOtlpReceiver } from './support/otlp.ts';
import { FIXTURES } from './support/pool.ts';
import { prometheusMissing, startPrometheus } from './support/prometheus.ts';
import { until } from './support/scoped-pool.ts';

const MESSAGE = '/v1/chat/completions';
const REMOTE_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const REMOTE_SPAN = '00f067aa0ba902b7';
/** How long it may take until a draft pays on a machine that is busy, in milliseconds. */
const PATIENCE_MS = 120_000;
const INFER = 'sarai.skills.SkillService/Infer';

describe('traces', () => {
  let receiver: OtlpReceiver;
  let assistant: RunningAssistant;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(new URL(path, assistant.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  /** Says something as a client that keeps a trace. */
  const say = async (content: string, traceId: string, flags = '01', more: object = {}) => {
    const traceparent = `00-${traceId}-${REMOTE_SPAN}-${flags}`;
    const body = { model: 'phoenix', messages: [{ role: 'user', content }], ...more };
    const response = await post(MESSAGE, body, { traceparent });
    assert.equal(response.status, 200);
    await response.text();
  };
  /** The spans of a trace, once its request has ended. */
  const trace = async (traceId: string, root = 'invoke_agent phoenix') => {
    await receiver.untilSpan('the request', (span) => span.traceId === traceId && span.name === root);
    return receiver.spans.filter((span) => span.traceId === traceId);
  };
  const one = (spans: readonly ReceivedSpan[], isWanted: (span: ReceivedSpan) => boolean): ReceivedSpan => {
    const [found, ...others] = spans.filter(isWanted);
    assert.ok(
      found && others.length === 0,
      `${others.length + (found ? 1 : 0)} spans: ${JSON.stringify(spans, undefined, 1)}`,
    );
    return found;
  };

  before(async () => {
    receiver = await startOtlpReceiver();
    assistant = await startAssistant({
      PHOENIX_TELEMETRY_OTLP_ENDPOINT: receiver.url,
      PHOENIX_SKILL_DIRS: `[${FIXTURES}]`,
      PHOENIX_MODELS_DRAFT: 'none',
      PHOENIX_MEMORY_TIMEOUT: '30s',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    // Once the memory has what it needs, nobody but the first request launches the skill again.
    await until('the memory is synchronized', async () => {
      const stats = (await (await fetch(new URL('/api/memory/stats', assistant.url))).json()) as {
        synchronized: boolean;
      };
      return stats.synchronized;
    });
    assert.equal((await post('/api/skills/sql/stop', {})).status, 200);
  });
  after(async () => {
    await assistant[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  it('lead from the request through the memory into the skill, with its launch', async () => {
    await say('Mi hermana vive en Madrid', REMOTE_TRACE);
    const spans = await trace(REMOTE_TRACE);
    const agent = one(spans, ({ name }) => name === 'invoke_agent phoenix');
    assert.deepEqual(
      { parent: agent.parentSpanId, kind: agent.kind, service: agent.service },
      { parent: REMOTE_SPAN, kind: 'server', service: 'phoenix' },
    );
    assert.equal(agent.resource['deployment.environment.name'], 'test');
    assert.equal(agent.attributes['gen_ai.operation.name'], 'invoke_agent');
    assert.equal(agent.attributes['gen_ai.agent.name'], 'phoenix');
    assert.deepEqual(agent.attributes['gen_ai.response.finish_reasons'], ['stop']);
    assert.ok(Number(agent.attributes['gen_ai.usage.output_tokens']) > 0);
    assert.equal(agent.attributes['sarai.request.used_skill'], true);

    assert.equal(one(spans, ({ name }) => name === 'understand').parentSpanId, agent.spanId);
    const store = one(spans, ({ name }) => name === 'upsert_memory');
    assert.equal(store.parentSpanId, agent.spanId);
    assert.equal(store.attributes['gen_ai.operation.name'], 'upsert_memory');
    assert.equal(store.attributes['gen_ai.memory.record.count'], 1);
    assert.equal(store.attributes['sarai.memory.operation'], 'store');
    assert.equal(store.attributes['sarai.memory.from'], 'skill');
    const launch = one(spans, ({ name }) => name === 'launch sql');
    const calls = spans.filter(({ name, kind }) => name === INFER && kind === 'client');
    assert.ok(calls.length >= 2, 'the copy is connected to, then written');
    for (const call of calls) {
      assert.equal(call.parentSpanId, store.spanId);
      assert.equal(call.attributes['sarai.skill.name'], 'sql');
      assert.equal(call.attributes['rpc.response.status_code'], 'OK');
      const inside = one(spans, ({ parentSpanId, kind }) => parentSpanId === call.spanId && kind === 'server');
      assert.equal(inside.service, 'saraiskill.sql');
      assert.equal(inside.name, INFER);
      assert.ok(inside.start >= call.start && inside.end <= call.end, 'what the skill did lies within the call');
      assert.ok(Number(inside.attributes['sarai.handler_ms']) > 0);
    }
    const first = calls.find(({ spanId }) => spanId === launch.parentSpanId);
    assert.ok(first && launch.start >= first.start && launch.end <= first.end, 'the launch is part of the first call');
    assert.equal(launch.attributes['sarai.launch.kind'], 'cold');
    assert.ok(Number(launch.attributes['sarai.launch.boot_ms']) > 0);
  });

  it('do not go on in what outlives the request', async () => {
    const known = receiver.spans.length;
    assert.equal((await post('/api/skills/echo/call', { prompt: 'hello' })).status, 200);
    await say('¿Dónde vive mi hermana?', 'a'.repeat(32));
    const spans = await trace('a'.repeat(32));
    assert.deepEqual(
      spans.map(({ name, kind }) => `${name} ${kind}`).sort(),
      [
        'invoke_agent phoenix server',
        'search_memory internal',
        `${INFER} client`,
        `${INFER} server`,
        'route internal',
        'understand internal',
      ].sort(),
    );
    // Nothing but this request: no health check, no scrape, no call by hand.
    assert.deepEqual([...new Set(receiver.spans.slice(known).map(({ traceId }) => traceId))], ['a'.repeat(32)]);
  });

  it('begin here for a client that keeps none, and are not kept where the client keeps none of it', async () => {
    const body = { model: 'phoenix', messages: [{ role: 'user', content: 'Hola' }] };
    assert.equal((await post(MESSAGE, body)).status, 200);
    const own = await receiver.untilSpan('a trace of our own', ({ parentSpanId }) => parentSpanId === undefined);
    assert.equal(own.name, 'invoke_agent phoenix');
    assert.notEqual(own.traceId, REMOTE_TRACE);
    await say('¿Dónde vive mi hermana?', 'b'.repeat(32), '00');
    await say('¿Dónde vive mi hermana?', 'c'.repeat(32));
    await trace('c'.repeat(32));
    assert.deepEqual(
      receiver.spans.filter(({ traceId }) => traceId === 'b'.repeat(32)),
      [],
    );
  });

  it('hold the generation of a model', async () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const format = { response_format: { type: 'json_schema', json_schema: { name: 'place', schema } }, max_tokens: 24 };
    await say('Una ciudad', 'd'.repeat(32), '01', { ...format, stream: true });
    const spans = await trace('d'.repeat(32));
    const agent = one(spans, ({ name }) => name === 'invoke_agent phoenix');
    const generation = one(spans, ({ attributes }) => attributes['gen_ai.operation.name'] === 'chat');
    assert.equal(generation.parentSpanId, agent.spanId);
    assert.equal(generation.name, `chat ${generation.attributes['gen_ai.request.model']}`);
    assert.equal(generation.attributes['gen_ai.request.max_tokens'], 24);
    assert.equal(generation.attributes['gen_ai.usage.output_tokens'], agent.attributes['gen_ai.usage.output_tokens']);
    for (const { attributes } of [agent, generation]) assert.equal(attributes['gen_ai.output.type'], 'json');
    assert.ok(Number(generation.attributes['gen_ai.usage.input_tokens']) > 0);
    assert.ok(Number(generation.attributes['gen_ai.response.time_to_first_chunk']) > 0);
    const steps = spans.filter(({ parentSpanId }) => parentSpanId === generation.spanId);
    const prefill = one(steps, ({ name }) => name === 'prefill');
    const decode = one(steps, ({ name }) => name === 'decode');
    assert.ok(generation.start <= prefill.start && prefill.end <= decode.start && decode.end <= generation.end);
    assert.equal(decode.attributes['sarai.tokens.target'], generation.attributes['gen_ai.usage.output_tokens']);
  });

  it('hold what the model does without the assistant', async () => {
    const model = 'phoenix-nano-target';
    const asked: [path: string, traceId: string, root: string, body: object][] = [
      [MESSAGE, '1'.repeat(32), `chat ${model}`, { messages: [{ role: 'user', content: 'Hola' }], max_tokens: 4 }],
      ['/v1/completions', '2'.repeat(32), `text_completion ${model}`, { prompt: 'Hola', max_tokens: 4 }],
      ['/v1/embeddings', '3'.repeat(32), `embeddings ${model}`, { input: 'Hola' }],
    ];
    for (const [path, traceId, root, body] of asked) {
      const response = await post(path, { model, ...body }, { traceparent: `00-${traceId}-${REMOTE_SPAN}-01` });
      assert.equal(response.status, 200, await response.text());
      const span = one(await trace(traceId, root), ({ name }) => name === root);
      assert.equal(span.parentSpanId, REMOTE_SPAN);
      assert.equal(span.attributes['gen_ai.operation.name'], root.split(' ')[0]);
      assert.equal(span.attributes['gen_ai.request.model'], model);
      assert.ok(Number(span.attributes['gen_ai.usage.input_tokens']) > 0);
    }
    assert.equal((await post('/v1/completions', { model, prompt: 'Hola', max_tokens: 1 })).status, 200);
    await receiver.untilSpan(
      'a trace of its own',
      ({ name, parentSpanId }) => name === `text_completion ${model}` && parentSpanId === undefined,
    );
  });

  it('say what kind of failure it was', async () => {
    const body = { model: 'phoenix-nano-target', prompt: 'x '.repeat(5000), max_tokens: 4 };
    const traceparent = `00-${'4'.repeat(32)}-${REMOTE_SPAN}-01`;
    assert.equal((await post('/v1/completions', body, { traceparent })).status, 400);
    const failed = await receiver.untilSpan('the failure', ({ traceId }) => traceId === '4'.repeat(32));
    assert.deepEqual([failed.isError, failed.attributes['error.type']], [true, 'context_length_exceeded']);
  });

  it('hold no text of the user or of the answer, even where something fails', async () => {
    const secret = 'Xanthippe';
    await say(`Mi hermana vive en ${secret}`, 'e'.repeat(32));
    await say('¿Dónde vive mi hermana?', 'e'.repeat(32));
    await say(`Mi ${secret} y la suya`, 'e'.repeat(32), '01', {
      response_format: { type: 'json_object' },
      max_tokens: 24,
    });
    const traceparent = `00-${'e'.repeat(32)}-${REMOTE_SPAN}-01`;
    const grammar = { response_format: { type: 'grammar', grammar: `root ::= ${secret} ::=` } };
    const messages = [{ role: 'user', content: secret }];
    assert.equal((await post(MESSAGE, { model: 'phoenix', messages, ...grammar }, { traceparent })).status, 400);
    await receiver.untilSpan('the failure', ({ isError, traceId }) => isError && traceId === 'e'.repeat(32));
    await until('four requests', () => {
      const own = receiver.spans.filter(({ traceId }) => traceId === 'e'.repeat(32));
      return own.filter(({ name }) => name === 'invoke_agent phoenix').length === 4;
    });
    assert.doesNotMatch(receiver.received, new RegExp(`${secret}|hermana|Madrid`, 'i'));
  });

  it('are named by the log and, as examples, by the metrics', { skip: prometheusMissing() }, async () => {
    const ready = assistant
      .log()
      .split('\n')
      .filter((line) => line.includes('"skill ready"') && line.includes('"sql"'))
      .map((line) => JSON.parse(line) as { trace_id?: string });
    assert.ok(ready.some(({ trace_id }) => trace_id === REMOTE_TRACE));

    await using prometheus = await startPrometheus({ assistantUrl: assistant.url });
    await prometheus.untilScraped(2);
    // As OpenMetrics, too, every number has its name.
    assert.ok((await prometheus.value('sarai_requests_total')) >= 4);
    const known = new Set(receiver.spans.map(({ traceId }) => traceId));
    for (const query of [
      'skill_latency_seconds_bucket{skill_name="sql"}',
      'sarai_request_duration_seconds_bucket',
      'sarai_memory_operation_seconds_bucket{operation="recall"}',
      'sarai_generation_seconds_bucket',
      'sarai_time_to_first_token_seconds_bucket',
    ]) {
      const [start, end] = [Date.now() / 1000 - 600, Date.now() / 1000 + 60].map(String);
      const asked = new URLSearchParams({ query, start: start ?? '', end: end ?? '' });
      const series = (await prometheus.api(`/api/v1/query_exemplars?${asked}`)) as {
        exemplars: { labels: { trace_id: string }; value: string }[];
      }[];
      const named = series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels.trace_id));
      assert.ok(named.length > 0 && named.every((traceId) => known.has(traceId)), `${query}: ${JSON.stringify(named)}`);
    }
  });
});

describe('the trace of a generation that another model drafts for', () => {
  const folder = temporaryFolder();
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('leads into the draft skill', async () => {
    const target = join(folder, 'slow.gguf');
    // Says what nano says and takes about ten times as long.
    writeVariant(NANO_TARGET, target, { type: 'q8_0', extraLayers: 12, width: 1024 });
    await using receiver = await startOtlpReceiver();
    await using assistant = await startAssistant({
      PHOENIX_TELEMETRY_OTLP_ENDPOINT: receiver.url,
      PHOENIX_MODELS_TARGET: target,
      PHOENIX_MODELS_SPECULATION: 'distribution',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const post = (path: string, body: object) =>
      fetch(new URL(path, assistant.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    assert.equal((await post('/api/skills/draft/start', {})).status, 200);
    const prompt = '<|extract|>Mi hermana Ana vive en Oslo.<|out|>';
    const body = { model: 'phoenix-nano-target', prompt, max_tokens: 48 };
    // Whether drafting pays is decided anew for each generation, by what was measured.
    await until(
      'a generation that was drafted for',
      async () => {
        assert.equal((await post('/v1/completions', body)).status, 200);
        return receiver.spans.some(({ attributes }) => Number(attributes['sarai.tokens.draft']) > 0);
      },
      PATIENCE_MS,
    );
    const decode = await receiver.untilSpan('it', ({ attributes }) => Number(attributes['sarai.tokens.draft']) > 0);
    const draft = await receiver.untilSpan(
      'the draft',
      ({ name, traceId }) => name === 'sarai.skills.SkillService/Draft' && traceId === decode.traceId,
    );
    assert.deepEqual([draft.kind, draft.attributes['sarai.skill.name']], ['client', 'draft']);
    const generation = receiver.spans.find(({ spanId }) => spanId === draft.parentSpanId);
    assert.equal(generation?.name, 'text_completion phoenix-nano-target');
    assert.equal(decode.parentSpanId, generation.spanId);
  });
});

describe('traces that cannot be exported', () => {
  it('are no problem of the requests, and are said once', async () => {
    await using assistant = await startAssistant({
      // Nobody listens there.
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_BSP_SCHEDULE_DELAY: '20',
      PHOENIX_MODELS_TARGET: 'none',
    });
    for (let n = 0; n < 3; n++) {
      const response = await fetch(new URL(MESSAGE, assistant.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'phoenix', messages: [{ role: 'user', content: 'Hola' }] }),
      });
      assert.equal(response.status, 200);
    }
    const stopped = performance.now();
    assert.equal(await assistant.stop(), 0);
    assert.ok(performance.now() - stopped < 5000, 'it does not wait for who does not answer');
    assert.equal(assistant.log().match(/traces cannot be exported/g)?.length, 1);
  });
});
