import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { federation } from '../contract/index.ts';
import { certify, createAuthority, createRequest, toPem } from './certificates.ts';
import { PrivacyLedger } from './privacy/index.ts';
import { STAGE } from './secure/index.ts';
import { SecureClient, type SecureClientOptions } from './secure-client.ts';

const SPEC = { id: 'test', dimension: 2 };

describe('a client of secure aggregation', () => {
  let folder: string;
  let keys: Pick<SecureClientOptions, 'key' | 'certificate' | 'authority'>;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-secure-client-'));
    const authority = await createAuthority();
    const { key, request } = await createRequest();
    const certificate = await toPem(await certify(authority, request, 'a'));
    keys = { key, certificate, authority: authority.certificate };
  });
  after(() => rmSync(folder, { recursive: true }));

  const open = (epsilon = 4) => new SecureClient({ folder, ...keys, spec: SPEC, budget: { epsilon, delta: 1e-5 } });
  const task = (more: Partial<federation.SecureTask> = {}): federation.SecureTask => ({
    ...{ round: 1n, baseVersion: 0n, clip: 1, noise: 4, divisor: 10, remainingMs: 1000, stage: STAGE.keys },
    ...{ roster: [], sealed: [], included: [], confirmations: [] },
    ...more,
  });
  const nothing = async () => assert.fail('nothing is to be trained');

  it('takes part in nothing that makes no sense, or costs too much', async () => {
    for (const [more, reason] of [
      [{ noise: 0 }, /a noise of 0 makes no sense/],
      [{ noise: Number.NaN }, /a noise of NaN makes no sense/],
      [{ noise: 1e9 }, /a noise of 1000000000 is above 262144 clipping norms/],
      [{ clip: Number.POSITIVE_INFINITY }, /a clip of Infinity makes no sense/],
      [{ divisor: -1 }, /a divisor of -1 makes no sense/],
      [{ noise: 0.5 }, /its own budget is 4/],
      [{ noise: 1e-9 }, /epsilon Infinity, and its own budget is 4/],
    ] as [Partial<federation.SecureTask>, RegExp][]) {
      const client = open();
      const answer = await client.answer(task(more), true, nothing);
      assert.match('reason' in answer ? (answer.reason ?? '') : 'an answer', reason);
      assert.deepEqual([client.isBusy, client.knownStage], [false, 5]);
    }
    assert.deepEqual(PrivacyLedger.open(join(folder, 'spent')).releases, []);
  });

  it('says the same when it is asked again, and nothing more about a round that it has left', async () => {
    const client = open();
    const first = await client.answer(task(), true, nothing);
    assert.ok('request' in first && first.request.keys);
    // The answer was lost.
    assert.deepEqual(await client.answer(task(), false, nothing), first);
    client.wasSent();
    assert.deepEqual([client.isBusy, client.knownStage], [true, STAGE.keys]);
    // A roster that is none: it leaves.
    const left = await client.answer(task({ stage: STAGE.shares }), false, nothing);
    assert.match('reason' in left ? (left.reason ?? '') : '', /0 clients cannot hide each other/);
    for (let stage = 1; stage <= 6; stage++)
      assert.deepEqual(await client.answer(task({ stage }), false, nothing), { reason: undefined });
    assert.equal(client.knownStage, 5);
  });

  it('knows nothing of a stage of another version', async () => {
    const client = open();
    await client.answer(task(), true, nothing);
    client.wasSent();
    const answer = await client.answer(task({ stage: 9 }), false, nothing);
    assert.match('reason' in answer ? (answer.reason ?? '') : '', /there is no stage 9: update Phoenix/);
  });
});
