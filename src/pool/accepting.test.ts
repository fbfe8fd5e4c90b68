import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { untilAccepting } from './accepting.ts';

const folder = mkdtempSync(join(tmpdir(), 'phoenix-accepting-'));
after(() => rmSync(folder, { recursive: true }));
const endpointOf = (name: string) => ({ kind: 'unix', path: join(folder, name) }) as const;

test('a skill that ends while its socket is tried or waited for is waited for no longer', {
  timeout: 10_000,
}, async () => {
  // At once: the first connection is under way. Later: its folder is watched.
  for (const afterMs of [0, 1, 50]) {
    const ended = new AbortController();
    const accepting = untilAccepting(endpointOf('never'), ended.signal);
    if (afterMs > 0) await sleep(afterMs);
    ended.abort(new Error('it ended'));
    await assert.rejects(accepting, /it ended/);
  }
});

test('one is there as soon as it listens', { timeout: 10_000 }, async () => {
  const endpoint = endpointOf('soon');
  const accepting = untilAccepting(endpoint, AbortSignal.timeout(5000));
  await sleep(20);
  const server = createServer().listen(endpoint.path);
  await accepting;
  server.close();
});
