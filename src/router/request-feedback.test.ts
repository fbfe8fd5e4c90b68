import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { FeedbackStore } from './feedback.ts';
import { type FeedbackUse, RequestFeedback } from './request-feedback.ts';

let folder: string;
let store: FeedbackStore;
const open = (limit = 100) => new FeedbackStore(join(folder, 'router/feedback.db'), limit);
const feedbackFor = (use: FeedbackUse = 'all', onKept: () => void = () => {}) =>
  new RequestFeedback({ store, use, skills: ['sql', 'weather'], onKept });
const kept = () => store.list().map(({ signal, text, skills, wrong }) => ({ signal, text, skills, wrong }));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-feedback-'));
  store = open();
});
afterEach(() => {
  store[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe('RequestFeedback', () => {
  it('keeps what a user says about a request, by its id', () => {
    let count = 0;
    const feedback = feedbackFor('all', () => count++);
    feedback.answered('1', { text: 'will it rain?', skills: ['weather'] });
    feedback.answered('2', { text: 'list the orders', skills: [] });
    feedback.answered('3', { text: 'who is there?', skills: ['sql', 'weather'] });
    feedback.said({ requestId: '1', helpful: true });
    feedback.said({ requestId: 'chatcmpl-2', skills: ['sql'] });
    feedback.said({ requestId: '3', helpful: false });
    feedback.said({ text: 'good morning', skills: [] });
    assert.deepEqual(kept().toReversed(), [
      // Whether the other skill would have helped, too, nobody knows.
      { signal: 'user', text: 'will it rain?', skills: ['weather'], wrong: [] },
      { signal: 'user', text: 'list the orders', skills: ['sql'], wrong: null },
      { signal: 'user', text: 'who is there?', skills: [], wrong: ['sql', 'weather'] },
      { signal: 'user', text: 'good morning', skills: [], wrong: null },
    ]);
    assert.equal(count, 4);
    // The last word about a request counts.
    feedback.said({ requestId: '1', skills: ['sql'] });
    assert.equal(kept().filter(({ text }) => text === 'will it rain?').length, 1);
    assert.deepEqual(kept()[0]?.skills, ['sql']);
  });

  it('refuses what makes no sense, and keeps nothing then', () => {
    const feedback = feedbackFor();
    feedback.answered('1', { text: 'hello', skills: [] });
    const cases: [object, RegExp][] = [
      [{ requestId: 'other', helpful: true }, /request other is not remembered/],
      [{ requestId: '1' }, /neither whether/],
      [{ helpful: true }, /it names no request/],
      [{ requestId: '1', skills: ['nothing'] }, /there is no skill "nothing" to route to; there are: sql, weather/],
    ];
    for (const [said, message] of cases) assert.throws(() => feedback.said(said), { name: 'FeedbackError', message });
    assert.equal(store.size, 0);
  });

  it('notes skills that refused a request, and no skill that was only down', () => {
    const feedback = feedbackFor();
    const refusals = ['INVALID_ARGUMENT', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'RESOURCE_EXHAUSTED'];
    for (const code of refusals) feedback.answered(code, { text: code, skills: [] }, [{ skill: 'weather', code }]);
    assert.deepEqual(kept(), [{ signal: 'failed', text: 'INVALID_ARGUMENT', skills: [], wrong: ['weather'] }]);
  });

  it('notes a question that comes again at once, and was answered by a skill', () => {
    const feedback = feedbackFor();
    feedback.answered('1', { text: '¿va a llover mañana?', skills: ['weather'] });
    feedback.answered('2', { text: 'Va a llover mañana', skills: ['weather'] });
    feedback.answered('3', { text: 'hello', skills: [] });
    feedback.answered('4', { text: 'hello', skills: [] });
    assert.deepEqual(kept(), [{ signal: 'repeated', text: '¿va a llover mañana?', skills: [], wrong: ['weather'] }]);
  });

  it('keeps nothing that was not said, or nothing at all, where that is switched off', () => {
    const explicit = feedbackFor('explicit');
    for (const id of ['1', '2'])
      explicit.answered(id, { text: 'rain?', skills: ['weather'] }, [{ skill: 'sql', code: 'INVALID_ARGUMENT' }]);
    assert.equal(store.size, 0);
    explicit.said({ requestId: '2', helpful: true });
    assert.equal(store.size, 1);
    const off = feedbackFor('off');
    off.answered('3', { text: 'rain?', skills: ['weather'] });
    assert.throws(() => off.said({ requestId: '3', helpful: true }), /switched off/);
    assert.equal(store.size, 1);
    assert.equal(off.clear(), 1, 'what was kept before can be deleted');
  });

  it('forgets what is deleted: the record, its text in the file, and the requests', () => {
    const feedback = feedbackFor();
    feedback.answered('1', { text: 'the secret of my neighbour', skills: ['weather'] });
    const id = feedback.said({ requestId: '1', helpful: true });
    feedback.said({ text: 'another secret', skills: [] });
    const onDisk = () =>
      readdirSync(join(folder, 'router')).some((file) => readFileSync(join(folder, 'router', file)).includes('secret'));
    assert.ok(onDisk());
    assert.equal(feedback.clear(id), 1);
    assert.equal(feedback.clear(id), 0);
    assert.equal(feedback.clear(), 1);
    assert.ok(!onDisk(), 'the text is still in the file');
    assert.throws(() => feedback.said({ requestId: '1', helpful: true }), /not remembered/);
  });
});

describe('FeedbackStore', () => {
  it('keeps the newest, up to its limit, over restarts, and of long texts the beginning', () => {
    store[Symbol.dispose]();
    store = open(3);
    const add = (text: string, at: number) =>
      store.add({ signal: 'user', text, skills: ['sql'], wrong: null, weight: 2 }, at);
    for (const [at, text] of ['a', 'b', 'c', 'd'].entries()) add(text, at);
    store[Symbol.dispose]();
    store = open(3);
    assert.deepEqual(
      store.list().map(({ text, at }) => [text, at]),
      [
        ['d', 3],
        ['c', 2],
        ['b', 1],
      ],
    );
    assert.deepEqual(store.examples()[0], { text: 'b', skills: ['sql'], weight: 2 });
    add('x'.repeat(1_000_000), 9);
    assert.equal(store.list(1)[0]?.text.length, 2000);
    assert.equal(store.size, 3);
  });
});
