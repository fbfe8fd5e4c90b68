/** Skills as containers of a real Docker engine that this test starts. */
import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { launchCertificates } from '../src/runtimes/docker/certificates.ts';
import { readContainerRecord } from '../src/runtimes/docker/container-record.ts';
import { createRuntimes, stopElsewhere } from '../src/runtimes/index.ts';
import { startAssistant } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { skillProcesses } from './support/kill.ts';
import { createTestPool, FIXTURES, onEvent } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

interface Container {
  Id: string;
  Image: string;
  State: { Status: string };
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: Record<string, unknown> & { Mounts: object[]; RestartPolicy: object };
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | undefined> };
}

describe('containers', { skip: isMissing('a Docker engine (dockerd, as root)', canStartEngine()) }, () => {
  const engine = new TestEngine();
  let test: ReturnType<typeof createTestPool>;
  let stateDirs: string[] = [];

  before(() => engine.start());
  after(() => engine.remove());
  beforeEach(() => {
    test = createTestPool('docker');
    stateDirs = [test.stateDir];
  });
  afterEach(async () => {
    await test.cleanUp();
    assert.deepEqual(await containers(), [], 'a container was left behind');
  });

  async function containers(): Promise<Container[]> {
    const found = await engine.engine.json<{ Id: string }[]>('GET', '/containers/json?all=1');
    return await Promise.all(found.map(({ Id }) => engine.engine.json<Container>('GET', `/containers/${Id}/json`)));
  }
  async function onlyContainer(): Promise<Container> {
    const [container, ...more] = await containers();
    assert.ok(container && more.length === 0);
    return container;
  }
  /** The next assistant on the same state folder. */
  function next(options: Parameters<typeof createTestPool>[1] = {}) {
    test = createTestPool('docker', options, stateDirs[0]);
    return test.pool;
  }
  const networks = async () =>
    (await engine.engine.json<{ Name: string }[]>('GET', '/networks')).filter(({ Name }) =>
      Name.startsWith('phoenix-'),
    );
  const action = (id: string, what: string) => engine.engine.json('POST', `/containers/${id}/${what}`);

  it('are isolated and limited as the manifest says', async () => {
    const client = await test.pool.getSkillClient('echo');
    assert.equal((await client.infer({ prompt: 'hello' })).text, 'hello');
    const { HostConfig: host, Config: config } = await onlyContainer();
    const { resources } = test.pool.manifest('echo');
    const expected = {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      CapAdd: null,
      SecurityOpt: ['no-new-privileges:true'],
      PidsLimit: resources.pids,
      Memory: resources.memory,
      MemorySwap: resources.memory,
      NanoCpus: resources.cpus * 1e9,
      IpcMode: 'none',
      PidMode: '',
      PortBindings: null,
      Devices: null,
      Init: true,
    };
    assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, host[key] ?? null])), expected);
    assert.equal(config.User, '65534:65534');
    assert.deepEqual(host.RestartPolicy, { Name: 'no', MaximumRetryCount: 0 });
    const [status] = await test.pool.status('echo');
    assert.equal(status?.isolation, 'container');
    assert.ok((status?.memoryBytes ?? 0) > 0 && (status?.processes ?? 0) > 0);
    assert.match((await test.pool.logs('echo', 10)).join('\n'), /"isolation":"container"/);
  });

  it('are reused by the next assistant, and replaced when they would be launched differently', async () => {
    await test.pool.getSkillClient('echo');
    const { Id } = await onlyContainer();
    await test.pool.close({ keepRunning: true });
    const second = next();
    const reused = onEvent(second, 'ready');
    await second.getSkillClient('echo');
    assert.equal((await reused).kind, 'reused');
    assert.equal((await onlyContainer()).Id, Id);
    await second.close({ keepRunning: true });
    const third = next({ skills: { echo: { config: { changed: true } } } });
    await third.getSkillClient('echo');
    assert.notEqual((await onlyContainer()).Id, Id);
  });

  it('stay when an operator started them, and the assistant ends all the same', async () => {
    const assistant = await startAssistant({
      PHOENIX_STATE_DIR: test.stateDir,
      PHOENIX_SKILL_RUNTIME: 'docker',
      PHOENIX_SKILL_DIRS: JSON.stringify([FIXTURES]),
    });
    try {
      const started = await fetch(`${assistant.url}/api/skills/echo/start`, { method: 'POST' });
      assert.equal(started.status, 200, await started.text());
      // The memory may have started its own, which goes with the assistant.
      const echo = (await containers()).find(({ Config }) => Config.Labels['sarai.skill'] === 'echo');
      assert.equal(await assistant.stop(), 0);
      const { Id, State } = await onlyContainer();
      assert.deepEqual([Id, State.Status], [echo?.Id, 'running']);
    } finally {
      await assistant.stop('SIGKILL');
    }
    // The next one has it, and stops it.
    const second = next();
    const reused = onEvent(second, 'ready');
    await second.getSkillClient('echo');
    assert.equal((await reused).kind, 'reused');
    await second.stop('echo');
  });

  it("that are paused, dead or somebody else's are handled", async () => {
    await test.pool.getSkillClient('echo');
    const { Id, Image, Config } = await onlyContainer();
    await test.pool.close({ keepRunning: true });
    await action(Id, 'pause');
    const second = next();
    const reused = onEvent(second, 'ready');
    await second.getSkillClient('echo');
    assert.equal((await reused).kind, 'reused');
    await second.close({ keepRunning: true });
    // One with our labels that is not isolated takes the place of ours.
    await engine.engine.json('DELETE', `/containers/${Id}?force=1`);
    const body = {
      Image,
      Labels: Config.Labels,
      Entrypoint: ['/app/node', '-e', 'setInterval(() => {}, 1000)'],
      HostConfig: { NetworkMode: 'none' },
    };
    const weak = await engine.engine.json<{ Id: string }>('POST', '/containers/create', body);
    await action(weak.Id, 'start');
    const foreign = await engine.engine.json<{ Id: string }>('POST', '/containers/create?name=echo', {
      ...body,
      Labels: { ...Config.Labels, 'sarai.state': 'of another folder' },
    });
    await next().getSkillClient('echo');
    const left = (await containers()).map((container) => container.Id);
    assert.ok(!left.includes(weak.Id) && left.includes(foreign.Id) && left.length === 2);
    await engine.engine.json('DELETE', `/containers/${foreign.Id}?force=1`);
  });

  it('are relaunched after docker kill, and told apart when memory was the reason', async () => {
    const client = await test.pool.getSkillClient('echo');
    const killed = onEvent(test.pool, 'stopped');
    await action((await onlyContainer()).Id, 'kill');
    assert.match((await killed).reason, /^crashed:SIGKILL/);
    assert.equal((await client.infer({ prompt: 'again' })).text, 'again');
    const starved = onEvent(test.pool, 'stopped');
    const hog = 'eval:const all = []; while (true) all.push(Buffer.alloc(1 << 24, 1))';
    await assert.rejects(client.infer({ prompt: hog }, { timeoutMs: 20_000 }), { code: 'UNAVAILABLE' });
    assert.equal((await starved).reason, 'oom');
    assert.equal((await client.infer({ prompt: 'again' }, { timeoutMs: 20_000 })).text, 'again');
  });

  it('take over from what another runtime left running, and the other way round', async () => {
    const local = createTestPool('process', {}, stateDirs[0]);
    await local.pool.getSkillClient('echo');
    const processes = skillProcesses(local.paths, 'echo');
    await local.pool.close({ keepRunning: true });
    const runtimes = createRuntimes(test.paths);
    const [docker, , plain] = runtimes;
    assert.ok(docker && plain && processes.length > 0);
    await stopElsewhere(runtimes, docker, [test.pool.manifest('echo')]);
    assert.deepEqual(skillProcesses(local.paths, 'echo'), []);
    await test.pool.getSkillClient('echo');
    await test.pool.close({ keepRunning: true });
    await stopElsewhere(runtimes, plain, [test.pool.manifest('echo')]);
    assert.deepEqual(await containers(), []);
  });

  it('say why they did not start', async () => {
    await assert.rejects(test.pool.getSkillClient('broken-start'), (error: Error) => {
      assert.equal(error.name, 'SkillLaunchError');
      assert.match(error.message, /last log lines/);
      return true;
    });
  });

  it('answer on a port of this machine, to us alone, where a socket cannot cross', async () => {
    const overTcp = { build: 'auto', transport: 'tcp' } as const;
    test = createTestPool('docker', {}, stateDirs[0], overTcp);
    const client = await test.pool.getSkillClient('echo');
    assert.equal((await client.infer({ prompt: 'over a port' })).text, 'over a port');
    const { Id, HostConfig, NetworkSettings } = await onlyContainer();
    const [published] = NetworkSettings.Ports['50051/tcp'] ?? [];
    assert.equal(published?.HostIp, '127.0.0.1');
    assert.match(String(HostConfig.NetworkMode), /^phoenix-[0-9a-f]{16}-echo$/);
    const port = Number(published?.HostPort);
    assert.match(await askAs(port, {}), /alert|certificate|ECONNRESET/i);
    const stranger = (await launchCertificates()).client;
    assert.match(await askAs(port, { cert: stranger.certificate, key: stranger.key }), /alert|certificate|ECONNRESET/i);
    const own = readContainerRecord(test.paths.run('echo'))?.tls;
    assert.equal(await askAs(port, { cert: own?.certificate ?? '', key: own?.key ?? '' }), 'an answer');
    assert.equal((await networks()).length, 1);
    // The next assistant finds it, with its keys; one that would use a socket replaces it.
    await test.pool.close({ keepRunning: true });
    test = createTestPool('docker', {}, stateDirs[0], overTcp);
    await test.pool.getSkillClient('echo');
    assert.equal((await onlyContainer()).Id, Id);
    await test.pool.close({ keepRunning: true });
    await next().getSkillClient('echo');
    assert.equal((await onlyContainer()).HostConfig.NetworkMode, 'none');
    assert.deepEqual(await networks(), []);
  });

  it('keep /data of the sql skill', async () => {
    const sql = await test.pool.getSkillClient('sql');
    await sql.infer({ prompt: 'CREATE TABLE t (a)' }, { grants: ['schema'] });
    await sql.infer({ prompt: "INSERT INTO t VALUES ('kept')" });
    await test.pool.stop('sql');
    assert.equal((await sql.infer({ prompt: 'SELECT a FROM t' }, { timeoutMs: 20_000 })).text, '[{"a":"kept"}]');
  });

  it('come back after the engine was restarted', async () => {
    const client = await test.pool.getSkillClient('echo');
    const stopped = onEvent(test.pool, 'stopped');
    await engine.stop();
    await stopped;
    await engine.start();
    for (let i = 0; ; i++) {
      const text = await client.infer({ prompt: 'back' }, { timeoutMs: 5000 }).then(
        (answer) => answer.text,
        () => '',
      );
      if (text === 'back') break;
      assert.ok(i < 100, 'it did not come back');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  });
});

/** What a client with these keys hears on a port. */
function askAs(port: number, keys: { cert?: string; key?: string }): Promise<string> {
  const session = connect(`https://127.0.0.1:${port}`, { ...keys, rejectUnauthorized: false });
  const heard = new Promise<string>((resolve) => {
    session.on('error', (error) => resolve(error.message));
    session.on('close', () => resolve('certificate refused: closed without a word'));
    const call = session.request({ ':method': 'POST', ':path': '/grpc.health.v1.Health/Check' });
    call.on('error', (error) => resolve(error.message));
    call.on('response', () => resolve('an answer'));
    call.end();
  });
  return heard.finally(() => session.destroy());
}
