/** What a skill cannot do from inside the sandbox when it tries harder: native code, links, what it inherited. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SkillClient } from '../src/pool/index.ts';
import { attempt, IT_WORKED, inside, placing } from './support/inside.ts';
import { CLONE, canRunNative, program, SYSCALL } from './support/native.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const hasSandbox = (await availableRuntimes()).includes('sandbox');
const SECRET = `secret-${randomUUID()}`;
const SECRET_FOLDER = `/opt/${randomUUID()}`;
const EPERM = 1;
const ENOSPC = 28;
const EINVAL = 22;

describe('trying to leave the sandbox', { skip: isMissing('bubblewrap', hasSandbox) }, () => {
  let test: ReturnType<typeof createTestPool>;
  let skill: SkillClient;
  const servers: Server[] = [];
  const connected: string[] = [];
  const { PATH } = process.env;

  /** A server of the host that notes who connects. */
  async function listen(name: string, where: { host: string; port: 0 } | { path: string }): Promise<Server> {
    const server = createServer((socket) => {
      connected.push(name);
      socket.destroy();
    });
    servers.push(server);
    server.listen(where);
    await once(server, 'listening');
    return server;
  }
  const portOf = (server: Server) => (server.address() as { port: number }).port;
  const connectInside = (options: object) =>
    attempt(
      skill,
      `await new Promise((resolve, reject) => {
        const socket = require('net').connect(${JSON.stringify(options)}, resolve);
        socket.setTimeout(2000, () => reject(new Error('timeout')));
        socket.on('error', reject);
      })`,
    );
  const read = (path: string) => attempt(skill, `require('fs').readFileSync(${JSON.stringify(path)})`);
  /** Runs a native program inside. @returns its exit status */
  const runInside = (executable: Buffer) =>
    inside<number | string>(
      skill,
      `${placing('/tmp/program', executable)}
      const { error, status, signal } = require('child_process').spawnSync('/tmp/program', { timeout: 5000 });
      return error?.code ?? signal ?? status`,
    );

  before(async () => {
    process.env.PHOENIX_TEST_SECRET = SECRET;
    process.env.PATH = `${PATH}:${SECRET_FOLDER}`;
    test = createTestPool('sandbox');
    skill = await test.pool.getSkillClient('echo');
  });
  after(async () => {
    delete process.env.PHOENIX_TEST_SECRET;
    process.env.PATH = PATH;
    for (const server of servers) server.close();
    await test.cleanUp();
  });

  it('no address of the host can be reached, though they answer here', async () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each);
    // Link-local addresses need an interface that is not there inside.
    for (const { address } of addresses.filter(({ scopeid = 0 }) => scopeid === 0)) {
      const server = await listen(address, { host: address, port: 0 });
      const options = { host: address, port: portOf(server) };
      const control = connect(options);
      await once(control, 'connect');
      control.destroy();
      await once(control, 'close');
      assert.notEqual(await connectInside(options), IT_WORKED, address);
    }
    assert.equal(connected.length, new Set(connected).size, 'one connection each: ours');
    assert.ok(connected.includes('127.0.0.1'));
  });

  it('no abstract socket of the host can be reached, though it answers here', async () => {
    const path = `\0phoenix-test-${randomUUID()}`;
    await listen('abstract', { path });
    const control = connect({ path });
    await once(control, 'connect');
    control.destroy();
    await once(control, 'close');
    assert.match(await connectInside({ path }), /ECONNREFUSED|ENOENT/);
    assert.equal(connected.filter((name) => name === 'abstract').length, 1);
  });

  it('no socket file of the host can be reached, not through a link either', async () => {
    const path = join(test.stateDir, 'host.sock');
    await listen('file', { path });
    symlinkSync(path, join(test.paths.data('echo'), 'link.sock'));
    assert.equal(await connectInside({ path }), 'ENOENT');
    assert.equal(await connectInside({ path: '/data/link.sock' }), 'ENOENT');
    assert.ok(!connected.includes('file'));
  });

  it('a link leads to no file of the host or of another skill', async () => {
    const other = test.paths.data('other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'private'), 'of another skill');
    const links = { passwd: '/etc/passwd', other: join(other, 'private'), up: '../../other/data/private' };
    for (const [name, target] of Object.entries(links)) {
      symlinkSync(target, join(test.paths.data('echo'), `outer-${name}`));
      assert.equal(await read(`/data/outer-${name}`), 'ENOENT', `${target}, linked outside`);
      await inside(skill, `require('fs').symlinkSync('${target}', '/data/inner-${name}')`);
      assert.equal(await read(`/data/inner-${name}`), 'ENOENT', `${target}, linked inside`);
    }
    assert.deepEqual(await inside(skill, "return require('fs').readdirSync('/data/..').includes('skills')"), false);
  });

  it('its code and its launch configuration cannot be changed', async () => {
    const code = join(test.paths.run('echo'), 'code/handler.mjs');
    const content = readFileSync(code, 'utf8');
    const tries = [
      "writeFileSync('/app/code/handler.mjs', '')",
      "writeFileSync('/app/code/more.mjs', '')",
      "unlinkSync('/app/code/handler.mjs')",
      "renameSync('/app/code/handler.mjs', '/app/code/other.mjs')",
      "renameSync('/tmp', '/app/code')",
      "chmodSync('/app/code/handler.mjs', 0o777)",
      "truncateSync('/app/host.mjs')",
      "appendFileSync('/app/launch.json', ' ')",
      "appendFileSync('/bin/node', ' ')",
      "mkdirSync('/app/new')",
    ];
    for (const each of tries) {
      assert.match(await attempt(skill, `require('fs').${each}`), /EROFS|EXDEV|EBUSY|ETXTBSY|EACCES|EPERM/, each);
    }
    assert.equal(readFileSync(code, 'utf8'), content);
  });

  it('it inherits no file of the assistant but its own log', async () => {
    const targets = await inside<string[]>(
      skill,
      `const { readdirSync, readlinkSync } = require('fs');
      return readdirSync('/proc/self/fd').flatMap((fd) => {
        try { return [readlinkSync('/proc/self/fd/' + fd)] } catch { return [] }
      })`,
    );
    const files = targets.filter((target) => target.startsWith('/') && target !== '/dev/null');
    assert.deepEqual([...new Set(files)], [test.paths.log('echo')]);
  });

  /** The environments of all processes that the skill sees. */
  const environments = () =>
    inside<string[]>(
      skill,
      `const { readdirSync, readFileSync } = require('fs');
      return readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((pid) => {
        try { return pid + ' ' + readFileSync('/proc/' + pid + '/environ', 'utf8') } catch (error) { return error.code }
      })`,
    );

  it('no process that it sees has a variable of the assistant', async () => {
    const all = await environments();
    assert.ok(all.length > 0);
    for (const environment of all) assert.ok(!environment.includes(SECRET), environment);
  });

  it('no process that it sees has the search path of the assistant', async () => {
    for (const environment of await environments()) assert.ok(!environment.includes(SECRET_FOLDER), environment);
  });

  describe('with native code', { skip: canRunNative ? false : 'written for Linux on x86-64' }, () => {
    it('programs that it brings with it run', async () => {
      assert.equal(await runInside(program(SYSCALL.unshare, [CLONE.none])), 0);
    });

    it('no user namespace can be made, which would bring capabilities', async () => {
      const status = await runInside(program(SYSCALL.unshare, [CLONE.user]));
      assert.ok(status === ENOSPC || status === EPERM, `${status}`);
    });

    it('no other namespace can be made, nothing mounted, no root or name changed', async () => {
      const calls: [name: string, executable: Buffer][] = [
        ['unshare mounts', program(SYSCALL.unshare, [CLONE.mounts])],
        ['unshare network', program(SYSCALL.unshare, [CLONE.network])],
        ['unshare processes', program(SYSCALL.unshare, [CLONE.pids])],
        ['mount', program(SYSCALL.mount, ['none', '/tmp', 'tmpfs'])],
        ['chroot', program(SYSCALL.chroot, ['/tmp'])],
        ['sethostname', program(SYSCALL.sethostname, ['other', 5])],
      ];
      for (const [name, executable] of calls) assert.equal(await runInside(executable), EPERM, name);
    });

    it('it cannot become root', async () => {
      const status = await runInside(program(SYSCALL.setuid, [0]));
      assert.ok(status === EPERM || status === EINVAL, `${status}`);
    });
  });
});
