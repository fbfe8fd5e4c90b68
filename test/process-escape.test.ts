/** What Node's permission model keeps a skill from where there is neither a container engine nor bubblewrap, and what it does not. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SkillClient } from '../src/pool/index.ts';
import { attempt, IT_WORKED, inside } from './support/inside.ts';
import { createTestPool } from './support/pool.ts';

const DENIED = 'ERR_ACCESS_DENIED';

describe('trying to leave the process', () => {
  const secret = `secret-${randomUUID()}`;
  let test: ReturnType<typeof createTestPool>;
  let skill: SkillClient;
  before(async () => {
    process.env.PHOENIX_TEST_SECRET = secret;
    test = createTestPool('process');
    skill = await test.pool.getSkillClient('echo');
  });
  after(async () => {
    delete process.env.PHOENIX_TEST_SECRET;
    await test.cleanUp();
  });
  const tryFs = (code: string) => attempt(skill, `require('fs').${code}`);

  it('files outside its own folders can be neither read nor written', async () => {
    const other = test.paths.data('other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'private'), 'of another skill');
    for (const path of ['/etc/passwd', '/proc/self/environ', '/root', join(other, 'private'), test.stateDir]) {
      assert.equal(await tryFs(`readFileSync('${path}')`), DENIED, path);
      assert.equal(await tryFs(`writeFileSync('${path}', '')`), DENIED, path);
    }
    assert.equal(readFileSync(join(other, 'private'), 'utf8'), 'of another skill');
    const data = test.paths.data('echo');
    assert.equal(await tryFs(`writeFileSync('${data}/mine', '')`), IT_WORKED);
    assert.equal(await tryFs(`symlinkSync('${other}', '${data}/link')`), DENIED);
  });

  it('its code and its launch configuration can be read and not changed', async () => {
    const run = test.paths.run('echo');
    for (const path of [join(run, 'launch.json'), join(run, 'code/handler.mjs')]) {
      assert.equal(await tryFs(`readFileSync('${path}')`), IT_WORKED, path);
      assert.equal(await tryFs(`appendFileSync('${path}', ' ')`), DENIED, path);
      assert.equal(await tryFs(`unlinkSync('${path}')`), DENIED, path);
    }
  });

  it('no program can be started, no thread, no native code loaded, no debugger opened', async () => {
    const tries = [
      "require('child_process').spawnSync('/bin/true')",
      "new (require('worker_threads').Worker)('', { eval: true })",
      "process.dlopen({ exports: {} }, '/lib/x.node')",
      "require('inspector').open(0)",
    ];
    for (const each of tries) assert.match(await attempt(skill, each), /^ERR_(ACCESS_DENIED|DLOPEN_DISABLED)$/, each);
  });

  it('nothing of the environment of the assistant is there', async () => {
    const names = await inside<string[]>(skill, 'return Object.keys(process.env)');
    assert.deepEqual(names.sort(), ['HOME', 'PATH', 'TMPDIR', 'UV_THREADPOOL_SIZE']);
  });

  it('the network is not restricted, which is why this is the last choice', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as AddressInfo;
      const code = `await new Promise((resolve, reject) => require('net').connect(${port}, '127.0.0.1', resolve).on('error', reject))`;
      assert.equal(await attempt(skill, code), IT_WORKED);
    } finally {
      server.close();
    }
  });
});
