import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { DraftRequest, DraftResponse } from '../contract/index.ts';
import { CallMetrics } from './call-metrics.ts';
import { DraftService } from './draft-service.ts';
import type { Drafter } from './handler.ts';

const SIZES = { model: 'm', vocabularyHash: 'v', vocabularySize: 100, contextSize: 100_000 };
const CONFIG = { skill: 's', concurrency: 1, streamIdleMs: 60_000 };
const OPEN = { vocabularyHash: 'v', prompt: [1], seed: 1n, temperature: 0, topK: 1, topP: 1, minP: 0, runAhead: 4 };

/** A stream whose client reads when the test says so. */
function slowStream() {
  const unread: (() => void)[] = [];
  const responses: DraftResponse[] = [];
  const stream = new Duplex({
    objectMode: true,
    read: () => {},
    write: (response: DraftResponse, _, callback) => {
      responses.push(response);
      unread.push(callback);
    },
  });
  const say = (request: DraftRequest) => stream.push(request);
  return { stream: stream as unknown as ServerDuplexStream<DraftRequest, DraftResponse>, say, unread, responses };
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await new Promise(setImmediate);
}

describe('the drafting streams of a skill', () => {
  it('are not read faster than their clients read, so that what is proposed does not pile up', async () => {
    let commits = 0;
    const drafter: Drafter = {
      ...SIZES,
      open: (_, { propose }) => ({
        commit: () => {
          commits++;
          for (let n = 0; n < 4; n++) propose(1 + commits + n, [n]);
        },
      }),
    };
    const metrics = new CallMetrics();
    const service = new DraftService(() => ({ infer: () => '', drafter }), CONFIG, metrics);
    const { stream, say, unread, responses } = slowStream();
    service.handle(stream);
    say({ open: OPEN, commit: undefined });
    for (let position = 1; position <= 5000; position++) {
      say({ open: undefined, commit: { position, tokens: [position % 100] } });
    }
    await turns(100);
    assert.ok(commits < 50, `${commits} commits were taken in while nothing was read`);
    while (commits < 5000 || unread.length > 0) {
      for (const read of unread.splice(0)) read();
      await turns(1);
    }
    assert.equal(responses.length, 1 + 4 * 5000);
    stream.push(null);
    await turns(10);
    assert.equal(metrics.snapshot(0, 0).draft?.open, 0);
    assert.deepEqual(metrics.snapshot(0, 0).errorsTotal, {});
  });

  it('end with the error of a drafter that proposes before its stream is open, or that throws', async () => {
    const early: Drafter['open'] = (_, { propose }) => {
      propose(1, [2]);
      return { commit: () => {} };
    };
    const throwing: Drafter['open'] = () => {
      throw new Error('no memory');
    };
    for (const [open, message] of [
      [early, /before its stream was open/],
      [throwing, /no memory/],
    ] as const) {
      const metrics = new CallMetrics();
      const service = new DraftService(() => ({ infer: () => '', drafter: { ...SIZES, open } }), CONFIG, metrics);
      const { stream, say } = slowStream();
      const failed = new Promise<Error>((resolve) => stream.on('error', resolve));
      service.handle(stream);
      say({ open: OPEN, commit: undefined });
      assert.match((await failed).message, message);
      assert.deepEqual(metrics.snapshot(0, 0).errorsTotal, { INTERNAL: 1n });
    }
  });
});
