import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pino } from 'pino';
import { type OtlpReceiver, startOtlpReceiver } from '../../test/support/otlp.ts';
import { beginRequest, continueTrace, currentSpan, runIn, startSpan, traced } from '../tracing/index.ts';
import { openTracing } from './otlp.ts';

describe('openTracing', () => {
  let receiver: OtlpReceiver;
  let said: string[];
  const log = () => {
    const lines = new Writable({
      write(chunk: Buffer, _encoding, done) {
        said.push(String(chunk));
        done();
      },
    });
    return pino({ level: 'info' }, lines);
  };
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
    said = [];
  });
  afterEach(() => receiver[Symbol.asyncDispose]());

  /** Traces of some requests with these variables. @returns what was exported of them */
  async function exported(environment: NodeJS.ProcessEnv, requests = 1, endpoint?: string) {
    const tracing = await openTracing(endpoint, log(), environment);
    for (let n = 0; n < requests; n++) {
      const { request, span } = beginRequest('request', {});
      await runIn(request, span, () => traced('step', {}, async () => {}));
      span?.end();
    }
    await tracing?.close();
    assert.equal(beginRequest('late', {}).span, undefined, 'traces end with the one who keeps them');
    return { isOpen: tracing !== undefined, spans: receiver.spans };
  }

  it('is off unless somebody asks for it', async () => {
    assert.deepEqual(await exported({}), { isOpen: false, spans: [] });
    assert.deepEqual(await exported({ OTEL_SDK_DISABLED: 'true' }, 1, receiver.url), { isOpen: false, spans: [] });
    assert.deepEqual(await exported({ OTEL_TRACES_EXPORTER: 'none' }, 1, receiver.url), { isOpen: false, spans: [] });
  });

  for (const path of ['', '/', '/v1/traces']) {
    it(`exports to an endpoint that ends with "${path}"`, async () => {
      const { spans } = await exported({}, 1, `${receiver.url}${path}`);
      assert.deepEqual(spans.map(({ name }) => name).sort(), ['request', 'step']);
      const [step, request] = spans;
      assert.equal(step?.parentSpanId, request?.spanId);
      assert.ok(step && request && step.start >= request.start && step.end <= request.end);
    });
  }

  it('takes sampler, service and attributes from the standard variables', async () => {
    process.env.OTEL_SERVICE_NAME = 'mine';
    process.env.OTEL_RESOURCE_ATTRIBUTES = 'team=ops';
    try {
      const { spans } = await exported({}, 1, receiver.url);
      assert.deepEqual([spans[0]?.service, spans[0]?.resource.team], ['mine', 'ops']);
    } finally {
      delete process.env.OTEL_SERVICE_NAME;
      delete process.env.OTEL_RESOURCE_ATTRIBUTES;
    }
  });

  it('keeps a part of the traces, each whole or not at all', async () => {
    const { spans } = await exported(
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.5' },
      200,
      receiver.url,
    );
    const traces = Map.groupBy(spans, ({ traceId }) => traceId);
    // 200 throws of a coin: fewer than 50 or more than 150 heads come once in 10^12.
    assert.ok(traces.size > 50 && traces.size < 150, `${traces.size} of 200`);
    for (const steps of traces.values()) assert.equal(steps.length, 2);
  });

  it('keeps every trace, and says so, where the sampler is none', async () => {
    const { spans } = await exported({ OTEL_TRACES_SAMPLER: 'sometimes' }, 3, receiver.url);
    assert.equal(spans.length, 6);
    assert.match(said.join(''), /there is no sampler \\"sometimes\\"/);
  });

  for (const wrong of [
    'nonsense',
    `00-${'0'.repeat(32)}-${'1'.repeat(16)}-01`,
    `00-${'1'.repeat(32)}-${'0'.repeat(16)}-01`,
    `ff-${'1'.repeat(32)}-${'1'.repeat(16)}-01`,
  ]) {
    it(`begins a trace of its own where the client's is none: ${wrong}`, async () => {
      const tracing = await openTracing(receiver.url, log(), {});
      continueTrace(wrong, () => beginRequest('request', {}).span?.end());
      await tracing?.close();
      assert.deepEqual(
        receiver.spans.map(({ parentSpanId }) => parentSpanId),
        [undefined],
      );
    });
  }

  it('notes what failed', async () => {
    const tracing = await openTracing(receiver.url, log(), {});
    const { request, span } = beginRequest('request', {});
    const failing = traced('step', {}, () => Promise.reject(new RangeError('on purpose')));
    await assert.rejects(
      runIn(request, span, () => traced('step', {}, () => Promise.reject(new RangeError('no')))),
      RangeError,
    );
    await assert.rejects(failing, RangeError);
    span?.end();
    await tracing?.close();
    const [step, ...others] = receiver.spans.filter(({ name }) => name === 'step');
    assert.deepEqual([step?.isError, step?.attributes['error.type'], others.length], [true, 'RangeError', 0]);
  });

  it('makes no steps outside of requests', async () => {
    const tracing = await openTracing(receiver.url, log(), {});
    assert.equal(startSpan('alone'), undefined);
    assert.equal(currentSpan(), undefined);
    await tracing?.close();
    assert.deepEqual(receiver.spans, []);
  });
});
