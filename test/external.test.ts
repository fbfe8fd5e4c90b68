/** Skills that somebody else starts and stops: here another pool does. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCatalog } from '../src/manifest/index.ts';
import { ModelPool } from '../src/pool/index.ts';
import { createRuntimes, localPaths, type SkillRecord, selectRuntime } from '../src/runtimes/index.ts';
import { killSkill } from './support/kill.ts';
import { createTestPool, FIXTURES, onEvent } from './support/pool.ts';

const MIB = 1024 ** 2;

describe('a skill that somebody else starts and stops', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-test-'));
  const recordPath = join(folder, 'skills.json');
  const others = createTestPool('process');
  const paths = localPaths(folder);
  const [runtime] = createRuntimes(paths, undefined, recordPath);
  assert.ok(runtime);
  const pool = new ModelPool({
    catalog: readCatalog([FIXTURES]),
    runtime,
    bundleDir: paths.bundles,
    idleTtlMs: 50,
    maxLoaded: 1,
    skills: { echo: { warm: 2 } },
  });

  /** What the one who starts skills writes down. */
  async function writeRecord(): Promise<void> {
    const instance = await others.pool.runtime.find('echo');
    assert.ok(instance?.endpoint.kind === 'unix');
    const { fingerprint, instanceId, ownerToken, endpoint } = instance;
    const echo = { fingerprint, instanceId, ownerToken, socket: endpoint.path, container: 'saraiskill.echo' };
    writeFileSync(recordPath, JSON.stringify({ format: 1, manager: 'a test', skills: { echo } }));
  }
  const answer = async () => (await pool.client('echo').infer({ prompt: 'hello' }, { timeoutMs: 8000 })).text;

  before(async () => {
    await others.pool.start('echo');
    await writeRecord();
  });
  after(async () => {
    await pool.close();
    await others.pool.stop('echo');
    await others.cleanUp();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is used, measured, and never stopped', async () => {
    assert.match((await selectRuntime([runtime], 'auto')).reason, /external: a test starts and stops the skills: echo/);
    assert.equal(await answer(), 'hello');
    const stopped = onEvent(pool, 'stopped').then(() => 'stopped');
    assert.equal(await Promise.race([stopped, sleep(300)]), undefined);
    const [status] = await pool.status('echo');
    assert.equal(status?.runtime, 'external');
    const before = status?.memoryBytes ?? 0;
    assert.ok(before > 5 * MIB, `${before} bytes`);
    const client = await pool.getSkillClient('echo');
    await client.infer({ prompt: `eval:globalThis.kept = Buffer.alloc(${48 * MIB}, 1); return 0` });
    const [more] = await pool.status('echo');
    assert.ok((more?.memoryBytes ?? 0) > before + 44 * MIB, `${more?.memoryBytes} bytes after ${before}`);
  });

  it('is not stopped, restarted or reloaded here: it is said where', async () => {
    for (const attempt of [
      () => pool.stop('echo'),
      () => pool.restart('echo'),
      () => pool.reload('echo'),
      () => pool.logs('echo', 10),
    ]) {
      await assert.rejects(async () => attempt(), /a test starts and stops it, as saraiskill\.echo/);
    }
    assert.equal(await answer(), 'hello');
  });

  it('is connected to again after it was killed, and under a new identity', async () => {
    const noticed = onEvent(pool, 'stopped');
    const ended = onEvent(others.pool, 'stopped');
    killSkill(others.paths, 'echo', 'innermost');
    await ended;
    assert.match((await noticed).reason, /^crashed/);
    await others.pool.start('echo');
    await writeRecord();
    assert.equal(await answer(), 'hello');
  });

  it('is connected to again when it was stopped gently and comes back later', async () => {
    const first = await answer();
    await others.pool.stop('echo');
    const waiting = answer();
    await sleep(500);
    await others.pool.start('echo');
    await writeRecord();
    const started = performance.now();
    assert.equal(await waiting, first);
    assert.ok(performance.now() - started < 2000);
  });

  it('that answers with another identity than the record says is not used', async () => {
    const record = JSON.parse(readFileSync(recordPath, 'utf8')) as SkillRecord;
    const { echo } = record.skills;
    assert.ok(echo);
    const forged = { ...echo, fingerprint: 'of something else' };
    const catalog = readCatalog([FIXTURES]);
    const manifest = pool.manifest('echo');
    catalog.skills.set('echo', { ...manifest, timeouts: { ...manifest.timeouts, start: 500 } });
    const fresh = new ModelPool({ catalog, runtime, bundleDir: paths.bundles });
    writeFileSync(recordPath, JSON.stringify({ ...record, skills: { echo: forged } }));
    const failed = onEvent(fresh, 'launch_failed');
    await assert.rejects(fresh.client('echo').infer({ prompt: 'hello' }, { timeoutMs: 200 }), {
      code: 'DEADLINE_EXCEEDED',
    });
    assert.match((await failed).error.message, /the socket answers as echo .*, not as the skill that was launched/);
    writeFileSync(recordPath, JSON.stringify({ ...record, skills: { echo: { ...echo, ownerToken: 'a guess' } } }));
    const refused = onEvent(fresh, 'launch_failed');
    void fresh.getSkillClient('echo').catch(() => {});
    assert.match((await refused).error.message, /the owner token is not the one of this launch/);
    writeFileSync(recordPath, JSON.stringify(record));
    await fresh.close();
  });

  it('that is not in the record, or without a readable record, cannot be used', async () => {
    const record = readFileSync(recordPath, 'utf8');
    await assert.rejects(pool.getSkillClient('broken-start'), /not part of this deployment.*phoenix deploy/);
    writeFileSync(recordPath, '{"format":2}');
    await assert.rejects(
      selectRuntime([runtime], 'auto'),
      /skill_record .* cannot be used.*"phoenix deploy" writes one/,
    );
    writeFileSync(recordPath, record);
  });
});
