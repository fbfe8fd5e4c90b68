import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { InferRequest, InferResponse } from '../contract/gen/skills.ts';
import { Call, Dispatcher } from './dispatcher.ts';
import { type CallContext, type SkillAnswer, SkillError, type SkillHandler } from './handler.ts';

const LIMITS = { concurrency: 1, queue: 1 };

function call(prompt = 'hello', timeoutMs = 60_000): Call {
  const options = { maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined };
  return new Call({ request: { prompt, ...options }, timeoutMs, grants: new Set() });
}

/** Lets everything that is due now run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** A clock that only the test moves. */
function stopClock(t: TestContext): (ms: number) => Promise<unknown> {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  // Whole milliseconds: fractions would not add up to the last bit.
  let now = Math.floor(performance.now());
  t.mock.method(performance, 'now', () => now);
  return (ms) => {
    now += ms;
    t.mock.timers.tick(ms);
    return settle();
  };
}

/** How a promise stands: looked at, not awaited, so that one that never settles fails the test and does not hang it. */
function watch(promise: unknown): { status: string; text: string } {
  const seen = { status: 'pending', text: '' };
  Promise.resolve(promise).then(
    (response) => Object.assign(seen, { status: 'OK', text: (response as { text: string } | undefined)?.text ?? '' }),
    (error: SkillError) => Object.assign(seen, { status: error.status, text: error.message }),
  );
  return seen;
}

const runAll = (dispatcher: Dispatcher, ...prompts: string[]) =>
  prompts.map((prompt) => watch(dispatcher.run(call(prompt))));
const statuses = (outcomes: { status: string }[]) => outcomes.map(({ status }) => status);

/** A handler whose calls end when the test says so, in the order in which they came. */
class Held implements SkillHandler {
  readonly prompts: string[] = [];
  readonly calls: CallContext[] = [];
  readonly #ends: ((answer: SkillAnswer | Promise<SkillAnswer>) => void)[] = [];

  infer({ prompt }: InferRequest, context: CallContext): Promise<SkillAnswer> {
    this.prompts.push(prompt);
    this.calls.push(context);
    return new Promise((resolve) => this.#ends.push(resolve));
  }

  end(index: number, answer: SkillAnswer | Promise<SkillAnswer>): Promise<unknown> {
    this.#ends[index]?.(answer);
    return settle();
  }
}

function holding(limits = LIMITS): { handler: Held; dispatcher: Dispatcher } {
  const handler = new Held();
  return { handler, dispatcher: new Dispatcher(handler, limits) };
}

async function texts(responses: AsyncIterable<InferResponse>): Promise<{ text: string }> {
  const all = await Array.fromAsync(responses, ({ text }) => text);
  return { text: all.join('|') };
}

describe('Dispatcher.run', () => {
  it('answers without a promise when the handler does, and fills in what the handler leaves out', () => {
    const dispatcher = new Dispatcher({ infer: ({ prompt }) => `${prompt}!` }, LIMITS);
    const response = dispatcher.run(call());
    assert.ok(!(response instanceof Promise));
    const { text, confidence, finishReason, metrics, latencyMs } = response;
    assert.deepEqual({ text, confidence, finishReason }, { text: 'hello!', confidence: 1, finishReason: 'stop' });
    assert.equal(metrics?.error, '');
    assert.ok(latencyMs >= (metrics?.handlerMs ?? Number.NaN));
    assert.equal(dispatcher.limiter.running, 0);
  });

  it('runs as many calls as it may, lets the next wait in order and refuses the one beyond at once', async () => {
    const { handler, dispatcher } = holding({ concurrency: 2, queue: 2 });
    const outcomes = runAll(dispatcher, 'a', 'b', 'c', 'd', 'e');
    await settle();
    assert.deepEqual(handler.prompts, ['a', 'b']);
    assert.deepEqual([dispatcher.limiter.running, dispatcher.limiter.queued], [2, 2]);
    assert.deepEqual(statuses(outcomes), ['pending', 'pending', 'pending', 'pending', 'RESOURCE_EXHAUSTED']);
    await handler.end(1, 'B');
    assert.deepEqual(handler.prompts, ['a', 'b', 'c']);
    await handler.end(0, 'A');
    await handler.end(2, 'C');
    await handler.end(3, 'D');
    const answers = outcomes.slice(0, 4).map(({ text }) => text);
    assert.deepEqual(answers, ['A', 'B', 'C', 'D']);
    assert.deepEqual([dispatcher.limiter.running, dispatcher.limiter.queued], [0, 0]);
  });

  it('passes the message and status of an error on, whichever class it has, and gives the slot back', async () => {
    const foreign = Object.assign(new Error('no such thing'), { status: 'NOT_FOUND' });
    const cases: [Error, string][] = [
      [new SkillError('INVALID_ARGUMENT', 'say more'), 'INVALID_ARGUMENT'],
      [foreign, 'NOT_FOUND'],
      [new TypeError('x is not a function'), 'INTERNAL'],
    ];
    for (const [error, status] of cases) {
      const fail = () => {
        throw error;
      };
      for (const infer of [fail, () => Promise.reject(error)]) {
        const dispatcher = new Dispatcher({ infer }, LIMITS);
        const expected = { name: 'SkillError', status, message: error.message };
        await assert.rejects(async () => dispatcher.run(call()), expected);
        assert.equal(dispatcher.limiter.running, 0);
      }
    }
  });

  it('does not start a call whose deadline has passed', () => {
    const { handler, dispatcher } = holding();
    assert.throws(() => dispatcher.run(call('late', 0)), { status: 'DEADLINE_EXCEEDED' });
    assert.deepEqual(handler.prompts, []);
  });

  it('ends a call at its deadline, but keeps the slot until the handler has really ended', async (t) => {
    const advance = stopClock(t);
    const { handler, dispatcher } = holding();
    const outcome = watch(dispatcher.run(call('slow', 1000)));
    const next = watch(dispatcher.run(call('next', 5000)));
    await advance(999);
    assert.equal(outcome.status, 'pending');
    await advance(1);
    assert.equal(outcome.status, 'DEADLINE_EXCEEDED');
    assert.equal(handler.calls[0]?.signal.aborted, true);
    assert.deepEqual(handler.prompts, ['slow']);
    await handler.end(0, 'too late');
    assert.deepEqual(handler.prompts, ['slow', 'next']);
    await handler.end(1, 'in time');
    assert.deepEqual(next, { status: 'OK', text: 'in time' });
    assert.equal(dispatcher.limiter.running, 0);
  });

  it('ends a call at its deadline while it waits, without starting it', async (t) => {
    const advance = stopClock(t);
    const { handler, dispatcher } = holding();
    watch(dispatcher.run(call('first')));
    const waiting = watch(dispatcher.run(call('second', 1000)));
    await advance(1000);
    assert.equal(waiting.status, 'DEADLINE_EXCEEDED');
    assert.equal(dispatcher.limiter.queued, 0);
    await handler.end(0, 'done');
    assert.deepEqual(handler.prompts, ['first']);
  });

  it('keeps the deadline when somebody sets the time', async (t) => {
    const { handler, dispatcher } = holding();
    const outcome = watch(dispatcher.run(call('first', 60_000)));
    t.mock.method(Date, 'now', () => performance.timeOrigin + performance.now() + 86_400_000);
    const next = watch(dispatcher.run(call('next', 60_000)));
    await handler.end(0, 'done');
    await handler.end(1, 'done');
    assert.deepEqual(statuses([outcome, next]), ['OK', 'OK']);
  });

  it('allows deadlines that are further away than a timer reaches', async () => {
    const infer = () => new Promise<string>((resolve) => setTimeout(resolve, 30, 'done'));
    const outcome = new Dispatcher({ infer }, LIMITS).run(call('far', 2 ** 32));
    assert.equal((await outcome).text, 'done');
  });

  it('ends cancelled calls, running or waiting', async () => {
    const { handler, dispatcher } = holding();
    const calls = [call('running'), call('waiting')];
    const outcomes = calls.map((each) => watch(dispatcher.run(each)));
    for (const each of calls) dispatcher.cancel(each);
    await settle();
    assert.deepEqual(statuses(outcomes), ['CANCELLED', 'CANCELLED']);
    await handler.end(0, Promise.reject(new Error('aborted')));
    assert.deepEqual([dispatcher.limiter.running, dispatcher.limiter.queued], [0, 0]);
    assert.deepEqual(handler.prompts, ['running']);
  });

  it('gives new calls to the new handler after a swap', async () => {
    const { handler: old, dispatcher } = holding({ concurrency: 2, queue: 0 });
    const running = watch(dispatcher.run(call()));
    dispatcher.replaceHandler({ infer: () => 'new' });
    assert.equal((await dispatcher.run(call())).text, 'new');
    await old.end(0, 'old');
    assert.equal(running.text, 'old');
  });
});

describe('Dispatcher.stream', () => {
  it('yields the pieces of the handler; only the last one has metrics', async () => {
    const inferStream = async function* () {
      yield* ['a', 'b', 'c'];
    };
    const dispatcher = new Dispatcher({ infer: () => 'whole', inferStream }, LIMITS);
    const pieces = await Array.fromAsync(dispatcher.stream(call()));
    const seen = pieces.map(({ text, metrics }) => `${text}: ${metrics ? 'metrics' : 'none'}`);
    assert.deepEqual(seen, ['a: none', 'b: none', 'c: metrics']);
  });

  it('yields the answer of infer as the only piece of a handler that does not stream', async () => {
    assert.equal((await texts(new Dispatcher({ infer: async () => 'whole' }, LIMITS).stream(call()))).text, 'whole');
  });

  for (const [kind, handler] of [
    ['inferStream', { infer: () => '', inferStream: () => ({ [Symbol.asyncIterator]: () => ({ next: hang }) }) }],
    ['infer', { infer: hang }],
  ] as [string, SkillHandler][]) {
    it(`ends at the deadline although ${kind} hangs`, async (t) => {
      const advance = stopClock(t);
      const outcome = watch(texts(new Dispatcher(handler, LIMITS).stream(call('slow', 1000))));
      await advance(999);
      assert.equal(outcome.status, 'pending');
      await advance(1);
      assert.equal(outcome.status, 'DEADLINE_EXCEEDED');
    });
  }

  it('waits for a slot as other calls do, and is refused as they are', async () => {
    const { handler, dispatcher } = holding();
    watch(dispatcher.run(call('first')));
    const streamed = watch(texts(dispatcher.stream(call('second'))));
    await settle();
    assert.equal(dispatcher.limiter.queued, 1);
    await assert.rejects(texts(dispatcher.stream(call('third'))), { status: 'RESOURCE_EXHAUSTED' });
    await handler.end(0, 'one');
    await handler.end(1, 'two');
    assert.deepEqual(streamed, { status: 'OK', text: 'two' });
  });

  it('ends the generator of the handler when the reader leaves, and counts the call as cancelled', async () => {
    let ended = false;
    const inferStream = async function* () {
      try {
        for (let i = 0; ; i++) yield `${i}`;
      } finally {
        ended = true;
      }
    };
    const dispatcher = new Dispatcher({ infer: () => '', inferStream }, LIMITS);
    for await (const { text } of dispatcher.stream(call())) if (text === '1') break;
    await settle();
    assert.ok(ended);
    assert.equal(dispatcher.limiter.running, 0);
    assert.deepEqual(dispatcher.metrics().errorsTotal, { CANCELLED: 1n });
  });
});

describe('Dispatcher.drain', () => {
  it('refuses new calls, lets those that run or wait end, and then resolves', async () => {
    const { handler, dispatcher } = holding();
    const outcomes = runAll(dispatcher, 'running', 'waiting');
    const drained = watch(dispatcher.drain());
    assert.equal(dispatcher.health().serving, false);
    assert.throws(() => dispatcher.run(call('late')), { status: 'UNAVAILABLE' });
    await assert.rejects(texts(dispatcher.stream(call('late'))), { status: 'UNAVAILABLE' });
    await handler.end(0, 'one');
    assert.equal(drained.status, 'pending');
    await handler.end(1, 'two');
    assert.deepEqual([drained.status, ...outcomes.map(({ text }) => text)], ['OK', 'one', 'two']);
  });

  it('resolves at once when nothing runs, and for everybody who drains', async () => {
    await new Dispatcher({ infer: () => '' }, LIMITS).drain();
    const { handler, dispatcher } = holding();
    watch(dispatcher.run(call()));
    const drains = [watch(dispatcher.drain()), watch(dispatcher.drain())];
    await handler.end(0, 'done');
    assert.deepEqual(statuses(drains), ['OK', 'OK']);
  });

  it('ends with the calls that are aborted', async () => {
    const dispatcher = new Dispatcher({ infer: hang }, LIMITS);
    const outcomes = runAll(dispatcher, 'running', 'waiting');
    const drained = watch(dispatcher.drain());
    dispatcher.abortAll(new SkillError('UNAVAILABLE', 'stopped'));
    await settle();
    assert.deepEqual(statuses([drained, ...outcomes]), ['OK', 'UNAVAILABLE', 'UNAVAILABLE']);
  });
});

describe('Dispatcher.metrics', () => {
  it('counts calls, errors by status, latencies, and what runs and waits now', async () => {
    const { handler, dispatcher } = holding();
    const outcomes = runAll(dispatcher, 'ok', 'bad', 'refused');
    const { inFlight, queued } = dispatcher.metrics();
    assert.deepEqual({ inFlight, queued }, { inFlight: 1, queued: 1 });
    await handler.end(0, 'fine');
    await handler.end(1, Promise.reject(new SkillError('ABORTED', 'no')));
    assert.deepEqual(statuses(outcomes), ['OK', 'ABORTED', 'RESOURCE_EXHAUSTED']);
    const after = dispatcher.metrics();
    assert.equal(after.requestsTotal, 3n);
    assert.deepEqual(after.errorsTotal, { RESOURCE_EXHAUSTED: 1n, ABORTED: 1n });
    const observed = after.latency?.counts.reduce((sum, count) => sum + count);
    assert.equal(observed, 3n);
    assert.deepEqual([after.inFlight, after.queued], [0, 0]);
  });

  it('reports the health of the handler', () => {
    const health = () => ({ serving: false, message: 'no disk' });
    assert.deepEqual(new Dispatcher({ infer: () => '', health }, LIMITS).health(), health());
    assert.deepEqual(new Dispatcher({ infer: () => '' }, LIMITS).health(), { serving: true });
  });
});

function hang(): Promise<never> {
  return new Promise(() => {});
}
