/** Engines that are away, closed, something else, or silent: one clear error each, in time, and `auto` goes on without them. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { Engine } from '../src/runtimes/docker/engine.ts';
import { createRuntimes, localPaths, selectRuntime } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const NOBODY = 65_534;
/** How long a person waits for `auto` to decide, in milliseconds: two seconds for the engine, the rest for a slow machine. */
const PATIENCE_MS = 6000;
const http = (status: string, body: string) =>
  `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
const version = (more: object) =>
  http('200 OK', JSON.stringify({ Version: '1', ApiVersion: '1.43', Os: 'linux', Arch: goArch, ...more }));
const goArch = process.arch === 'x64' ? 'amd64' : process.arch;
const otherArch = goArch === 'arm64' ? 'amd64' : 'arm64';

describe('an engine', () => {
  const { DOCKER_HOST } = process.env;
  let folder: string;
  let path: string;
  let servers: Server[] = [];
  let sockets: Socket[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-engine-'));
    path = join(folder, 'docker.sock');
    process.env.DOCKER_HOST = `unix://${path}`;
  });
  afterEach(() => {
    for (const each of [...servers, ...sockets]) 'destroy' in each ? each.destroy() : each.close();
    servers = [];
    sockets = [];
    rmSync(folder, { recursive: true, force: true });
    if (DOCKER_HOST === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = DOCKER_HOST;
  });

  /** Something that listens where an engine is looked for. */
  async function listen(answer: (socket: Socket) => void): Promise<void> {
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      answer(socket);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  /** Asked for, it is refused with a message; `auto` takes another. Both in time. */
  async function isRefused(message: RegExp): Promise<void> {
    const runtimes = createRuntimes(localPaths(folder));
    const begun = performance.now();
    await assert.rejects(selectRuntime(runtimes, 'docker'), (error: Error) => {
      assert.equal(error.name, 'RuntimeError');
      assert.match(error.message, message);
      assert.ok(error.message.split('\n').length === 1 && error.message.length < 400, error.message);
      return true;
    });
    assert.notEqual((await selectRuntime(runtimes, 'auto')).runtime.name, 'docker');
    assert.ok(performance.now() - begun < PATIENCE_MS, `${performance.now() - begun} ms`);
  }

  it('that is not there is to be started', async () => {
    await isRefused(/docker\.sock: no engine answers there; start it/);
  });

  it('that left its socket behind is to be started', async () => {
    await listen(() => {});
    // Closing removes the path that was listened on, and no other.
    renameSync(path, `${path}.left`);
    for (const server of servers) await new Promise((resolve) => server.close(resolve));
    process.env.DOCKER_HOST = `unix://${path}.left`;
    assert.ok(existsSync(`${path}.left`));
    await isRefused(/docker\.sock\.left: no engine answers there; start it/);
  });

  it('that this user may not use names the group', async () => {
    await listen((socket) => socket.end(version({})));
    chmodSync(path, 0);
    chmodSync(folder, 0o755);
    const isRoot = process.geteuid?.() === 0;
    // Root may use every socket.
    if (isRoot) process.seteuid?.(NOBODY);
    try {
      await isRefused(/docker\.sock: no permission; add your user to the group that owns it, usually "docker"/);
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('over the network is refused, because skills answer on a socket', async () => {
    process.env.DOCKER_HOST = 'tcp://192.0.2.1:2375';
    await isRefused(/only unix:\/\/ sockets are used/);
  });

  const strange: Record<string, string | Buffer> = {
    'another protocol': 'SSH-2.0-OpenSSH_9.2\r\n',
    noise: Buffer.from(Array.from({ length: 4096 }, (_, n) => (n * 89) % 256)),
    'a web page': http('200 OK', '<html>Welcome to nginx!</html>'),
    'JSON of something else': http('200 OK', '{"version":{"number":"8.1.0"}}'),
    'an API version that is none': version({ ApiVersion: 'newest' }),
    'that there is no such page': http('404 Not Found', '{"error":"not found"}'),
    'half an answer': 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"Version":',
    nothing: '',
  };
  for (const [what, bytes] of Object.entries(strange)) {
    it(`that answers ${what} is none`, async () => {
      await listen((socket) => socket.end(bytes));
      await isRefused(/docker\.sock: (what answers there is no Docker engine: check DOCKER_HOST|the engine went away)/);
    });
  }

  it('that says why it refuses is quoted', async () => {
    await listen((socket) => socket.end(http('403 Forbidden', '{"message":"authorization denied by plugin X"}')));
    await isRefused(/authorization denied by plugin X/);
  });

  it('for other containers or on other processors is not used', async () => {
    await listen((socket) => socket.end(version({ Os: 'windows' })));
    await isRefused(/the engine runs windows containers/);
    rmSync(path);
    for (const server of servers) server.close();
    await listen((socket) => socket.end(version({ Arch: otherArch })));
    await isRefused(new RegExp(`the engine runs on ${otherArch}, images are made for ${goArch}`));
  });

  const silent: Record<string, (socket: Socket) => void> = {
    'accepts and never answers': () => {},
    'never ends its answer': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{'),
    'answers a byte now and then': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n');
      const drip = setInterval(() => socket.write(' '), 100);
      socket.on('close', () => clearInterval(drip));
    },
  };
  for (const [what, answer] of Object.entries(silent)) {
    it(`that ${what} is given up after two seconds`, async () => {
      await listen(answer);
      const begun = performance.now();
      const [docker] = createRuntimes(localPaths(folder));
      const probe = await docker?.probe();
      assert.match(probe?.detail ?? '', /docker\.sock: no answer within 2 s to GET \/version/);
      assert.equal(probe?.available, false);
      const elapsed = performance.now() - begun;
      assert.ok(elapsed > 1900 && elapsed < PATIENCE_MS, `${elapsed} ms`);
      assert.notEqual((await selectRuntime(createRuntimes(localPaths(folder)), 'auto')).runtime.name, 'docker');
    });
  }

  it('that answers once and then no more is given up after the time that an answer has', async () => {
    await listen((socket) =>
      socket.once('data', (request: Buffer) => {
        if (request.toString().startsWith('GET /version')) socket.end(version({}));
      }),
    );
    await assert.rejects(new Engine(path).json('GET', '/info', undefined, 300), {
      name: 'EngineError',
      message: `${path}: no answer within 0.3 s to GET /v1.43/info`,
    });
  });
});

describe('an engine that hangs', { skip: isMissing('a Docker engine (dockerd, as root)', canStartEngine()) }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());

  it('takes no skill with it that runs', async () => {
    const test = createTestPool('docker');
    try {
      const client = await test.pool.getSkillClient('echo');
      engine.signal('SIGSTOP');
      assert.equal((await client.infer({ prompt: 'still here' })).text, 'still here');
      const [docker] = createRuntimes(test.paths);
      assert.match((await docker?.probe())?.detail ?? '', /no answer within 2 s/);
    } finally {
      engine.signal('SIGCONT');
      await test.cleanUp();
    }
  });
});
