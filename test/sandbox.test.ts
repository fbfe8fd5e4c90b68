/** What a skill cannot do from inside the sandbox: each line of the promise is tried. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SkillClient } from '../src/pool/index.ts';
import { availableRuntimes, createTestPool, onEvent } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const hasSandbox = (await availableRuntimes()).includes('sandbox');
const SECRET = 'a-secret-of-the-assistant';

describe('inside the sandbox', { skip: isMissing('bubblewrap', hasSandbox) }, () => {
  process.env.PHOENIX_TEST_SECRET = SECRET;
  let test: ReturnType<typeof createTestPool>;
  let skill: SkillClient;
  let server: Server;
  let port: number;
  let abstractServer: Server;
  let connections = 0;

  /** Runs code inside the skill. @returns what it returned */
  async function inside<T>(code: string): Promise<T> {
    const { text } = await skill.infer({ prompt: `eval:${code}` }, { timeoutMs: 8000 });
    return text === 'undefined' ? (undefined as T) : (JSON.parse(text) as T);
  }
  /** What went wrong with what was tried; undefined when it worked. */
  const attempt = (code: string) =>
    inside<string | undefined>(
      `try { ${code}; return 'it worked' } catch (error) { return error.code ?? error.message }`,
    );
  const connect = (options: string) =>
    attempt(`await new Promise((resolve, reject) => {
      const socket = require('net').connect(${options}, resolve);
      socket.setTimeout(2000, () => reject(new Error('timeout')));
      socket.on('error', reject);
    })`);
  const read = (path: string) => attempt(`require('fs').readFileSync(${JSON.stringify(path)})`);
  const write = (path: string) => attempt(`require('fs').writeFileSync(${JSON.stringify(path)}, 'x')`);

  before(async () => {
    test = createTestPool('sandbox');
    server = createServer(() => connections++);
    abstractServer = createServer(() => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await new Promise<void>((resolve) => abstractServer.listen('\0phoenix-test-abstract', resolve));
    port = (server.address() as { port: number }).port;
    skill = await test.pool.getSkillClient('echo');
  });
  after(async () => {
    server.close();
    abstractServer.close();
    await test.cleanUp();
  });

  it('there is no way to the outside', async () => {
    for (const address of [
      "{ host: '192.0.2.1', port: 80 }",
      "{ host: '2001:db8::1', port: 80 }",
      "{ host: 'example.com', port: 80 }",
    ]) {
      assert.match(
        String(await connect(address)),
        /ENETUNREACH|EAI_AGAIN|ENOTFOUND|EAFNOSUPPORT|EADDRNOTAVAIL/,
        address,
      );
    }
    assert.deepEqual(
      await inside("return Object.keys(require('os').networkInterfaces()).filter((name) => name !== 'lo')"),
      [],
    );
  });

  it('there is no way to the loopback or the abstract sockets of the host', async () => {
    assert.equal(await connect(`{ host: '127.0.0.1', port: ${port} }`), 'ECONNREFUSED');
    assert.match(String(await connect("{ path: '\\0phoenix-test-abstract' }")), /ECONNREFUSED|ENOENT/);
    assert.equal(connections, 0);
  });

  it('no file outside its root can be read', async () => {
    const other = test.paths.data('other');
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, 'private'), 'of another skill');
    const files = [
      '/etc/shadow',
      '/etc/passwd',
      '/etc/hostname',
      homedir(),
      test.stateDir,
      join(other, 'private'),
      process.execPath,
      import.meta.filename,
      '/var/run/docker.sock',
      '/dev/mem',
      '/dev/kmsg',
      '/sys/kernel',
    ];
    for (const path of files) assert.equal(await read(path), 'ENOENT', path);
    assert.deepEqual(
      (await inside<string[]>("return require('fs').readdirSync('/')")).filter(
        (name) => !['app', 'bin', 'data', 'dev', 'lib', 'lib64', 'proc', 'run', 'tmp', 'usr'].includes(name),
      ),
      [],
    );
    assert.notEqual(await read('/proc/1/environ'), undefined);
    for (const path of [
      '/proc/kcore',
      '/proc/1/root/etc/shadow',
      '/proc/self/root/etc/shadow',
      '/proc/../etc/shadow',
      '/data/../etc/shadow',
    ]) {
      assert.notEqual(await read(path), 'it worked', path);
    }
  });

  it('nothing can be written but /tmp and /data', async () => {
    const places = [
      '/x',
      '/bin/x',
      '/bin/node',
      '/app/handler.mjs',
      '/app/host.mjs',
      '/dev/x',
      '/lib/x',
      '/run/x',
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/vm/overcommit_memory',
      '/proc/self/oom_score_adj',
    ];
    for (const path of places) assert.match(String(await write(path)), /EROFS|EACCES|EPERM|ENOENT|ETXTBSY/, path);
    assert.equal(await write('/tmp/x'), 'it worked');
    assert.equal(await write('/data/x'), 'it worked');
    assert.ok(existsSync(join(test.paths.data('echo'), 'x')));
    assert.match(String(await attempt("require('fs').linkSync('/bin/node', '/data/node')")), /EXDEV|EPERM|EROFS/);
  });

  it('the temporary folder has its size', async () => {
    const filling =
      "const { openSync, writeSync } = require('fs'); const file = openSync('/tmp/full', 'w'); const piece = Buffer.alloc(1 << 20); for (let i = 0; i < 1024; i++) writeSync(file, piece)";
    assert.equal(await attempt(filling), 'ENOSPC');
    await inside("require('fs').rmSync('/tmp/full')");
  });

  it('no other process can be seen', async () => {
    const pids = await inside<string[]>(
      "return require('fs').readdirSync('/proc').filter((name) => /^\\d+$/.test(name))",
    );
    assert.deepEqual(pids.sort(), ['1', '2'].slice(0, pids.length));
    assert.match(String(await attempt(`process.kill(${process.pid}, 0)`)), /ESRCH/);
  });

  it('there are no capabilities, and no way to gain one', async () => {
    const status = await inside<string>("return require('fs').readFileSync('/proc/self/status', 'utf8')");
    for (const name of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      assert.match(status, new RegExp(`^${name}:\\s*0+$`, 'm'));
    assert.match(status, /^NoNewPrivs:\s*1$/m);
    assert.match(status, /^Uid:\s*65534\s/m);
    assert.match(String(await attempt('process.setuid(0)')), /EPERM|EINVAL/);
    for (const program of ['/bin/sh', '/usr/bin/unshare', '/bin/su', '/usr/bin/bwrap'])
      assert.equal(await read(program), 'ENOENT');
    assert.match(
      await inside<string>("return require('fs').readFileSync('/proc/self/uid_map', 'utf8')"),
      /^\s*65534\s+0\s+1\s*$|^\s*65534\s+\d+\s+1\s*$/,
    );
  });

  it('the environment of the assistant is not passed on', async () => {
    const environment = await inside<Record<string, string>>('return process.env');
    assert.deepEqual(
      Object.keys(environment).filter((name) => !['HOME', 'TMPDIR', 'PWD', 'UV_THREADPOOL_SIZE'].includes(name)),
      [],
    );
    assert.ok(!JSON.stringify(environment).includes(SECRET));
  });

  it('processes beyond the limit are refused', async () => {
    const code = `const { spawn } = require('child_process'); let refused = 0; const all = [];
      for (let i = 0; i < 40; i++) { const child = spawn('/bin/node', ['-e', 'setTimeout(() => {}, 5000)'], { stdio: 'ignore' }); child.on('error', () => refused++); all.push(child); }
      await new Promise((resolve) => setTimeout(resolve, 500));
      const started = all.filter(({ pid, exitCode }) => pid !== undefined && exitCode === null).length;
      for (const child of all) child.kill('SIGKILL');
      return { refused, started }`;
    // Refused, or ended by what was refused to them: threads count too.
    const outcome = await inside<{ refused: number; started: number }>(code).catch(() => ({ refused: 40, started: 0 }));
    assert.ok(outcome.started < 32, JSON.stringify(outcome));
  });

  it('memory beyond the limit ends the skill, and the next call starts it anew', async () => {
    const stopped = onEvent(test.pool, 'stopped');
    await assert.rejects(inside('const all = []; while (true) all.push(Buffer.alloc(1 << 24, 1))'), {
      code: 'UNAVAILABLE',
    });
    assert.equal((await stopped).reason, 'oom');
    assert.equal((await skill.infer({ prompt: 'back' })).text, 'back');
  });
});
