/** `phoenix deploy` against a real engine that this test starts, with the compose that is installed. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findCompose } from '../src/deploy/index.ts';
import { readCatalog } from '../src/manifest/index.ts';
import { phoenix, temporaryFolder } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { FIXTURES, SKILLS } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';
import { until } from './support/scoped-pool.ts';

const COMPOSE_FILE = join(import.meta.dirname, '../docker-compose.sentience.yml');
const hasCompose = findCompose() !== undefined;

interface Container {
  Id: string;
  Name: string;
  Image: string;
  RestartCount: number;
  State: { Status: string; Pid: number; Health: { Status: string } };
  Config: { User: string; Labels: Record<string, string>; Healthcheck: { Test: string[] } };
  HostConfig: Record<string, unknown>;
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> };
  Mounts: { Type: string; Source: string; Destination: string; RW: boolean }[];
}

describe('the compose file', { skip: isMissing('docker compose or docker-compose', hasCompose) }, () => {
  it('is valid for the compose that is installed here', () => {
    const [program = '', ...args] = findCompose()?.command ?? [];
    const { status, stderr, stdout } = spawnSync(
      program,
      [...args, '-f', COMPOSE_FILE, '--profile', 'monitoring', 'config'],
      { encoding: 'utf8', env: { PATH: process.env.PATH } },
    );
    assert.equal(status, 0, stderr);
    for (const service of ['sarai', 'skill-sql', 'prometheus', 'grafana'])
      assert.match(stdout, new RegExp(`^  ${service}:$`, 'm'));
    assert.doesNotMatch(stdout, /:latest|docker\.sock|privileged: true/);
  });
});

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return String(port);
}

describe('a deployment', {
  skip:
    isMissing('a Docker engine (dockerd, as root)', canStartEngine()) ||
    isMissing('docker compose or docker-compose', hasCompose),
}, () => {
  const engine = new TestEngine();
  const stateDir = temporaryFolder();
  const skillDir = join(stateDir, 'my-skills');
  const environment: Record<string, string> = {
    PHOENIX_STATE_DIR: stateDir,
    PHOENIX_SKILL_DIRS: JSON.stringify([skillDir]),
    // Healthy as soon as it serves, not after 15 seconds.
    SARAI_HEALTH_INTERVAL: '1s',
    DOCKER_HOST: `unix://${engine.socketPath}`,
  };
  const run = (args: string[], changed: Record<string, string> = {}) => phoenix(args, { ...environment, ...changed });
  const deploy = (...args: string[]) => run(['deploy', ...args]);

  async function containers(): Promise<Map<string, Container>> {
    const found = await engine.engine.json<{ Id: string }[]>('GET', '/containers/json?all=1');
    const inspected = await Promise.all(
      found.map(({ Id }) => engine.engine.json<Container>('GET', `/containers/${Id}/json`)),
    );
    return new Map(inspected.map((container) => [container.Name.slice(1), container]));
  }
  async function container(name: string): Promise<Container> {
    const found = (await containers()).get(name);
    assert.ok(found, `there is no container ${name}`);
    return found;
  }
  const ids = async () => [...(await containers()).values()].map(({ Id }) => Id).sort();
  function assertRefused(result: ReturnType<typeof phoenix>, message: RegExp): void {
    assert.equal(result.code, 1, result.stdout + result.stderr);
    assert.match(result.stderr, message);
    assert.doesNotMatch(result.stderr, /Step 1\/5|^ +at /m);
    assert.ok(!existsSync(join(stateDir, 'deploy')), 'files were written');
  }

  before(async () => {
    await engine.start();
    environment.PHOENIX_SERVER_PORT = await freePort();
    cpSync(join(FIXTURES, 'echo'), join(skillDir, 'echo'), { recursive: true });
  });
  after(async () => {
    deploy('--down', '--volumes');
    await engine.remove();
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('is refused, and nothing touched, without an engine, without compose, and with a broken file', async () => {
    assertRefused(
      run(['deploy'], { DOCKER_HOST: 'unix:///nowhere/docker.sock' }),
      /nowhere\/docker\.sock: no engine answers there; start it/,
    );
    assertRefused(run(['deploy'], { PATH: '/nowhere' }), /neither "docker compose" nor "docker-compose" is installed/);
    const broken = join(stateDir, 'broken.yml');
    writeFileSync(broken, 'services:\n  sarai:\n    imag: x\n');
    assertRefused(deploy('--file', broken), /compose config failed:[\s\S]*imag/);
    writeFileSync(broken, 'services: [\n');
    assertRefused(deploy('--file', broken), /broken\.yml/);
    assertRefused(deploy('--file', '/nowhere.yml'), /nowhere\.yml/);
    assert.match(deploy('--volumes').stderr, /--volumes goes with --down/);
    assert.match(deploy('--timeout', 'soon').stderr, /is no number of seconds/);
    assert.equal(deploy('--down').stdout, 'nothing is deployed\n');
    assert.deepEqual(await ids(), []);
  });

  it('is refused when its port is taken, which is named', async () => {
    const port = environment.PHOENIX_SERVER_PORT ?? '';
    const server = createServer().listen(Number(port), '127.0.0.1');
    await once(server, 'listening');
    const refused = deploy();
    server.close();
    assertRefused(
      refused,
      new RegExp(`127\\.0\\.0\\.1:${port}, where sarai would answer, is in use by another program: .*server\\.port`),
    );
  });

  it('says what it would do, and does not', async () => {
    const { code, stderr } = deploy('--dry-run');
    assert.equal(code, 0);
    assert.match(stderr, /build image saraiskill\.sql:1\.0\.0\n/);
    assert.match(stderr, /start skill-sql\n/);
    assert.match(stderr, /leave out prometheus/);
    assert.ok(!existsSync(join(stateDir, 'deploy')));
    assert.deepEqual(await ids(), []);
  });

  it('comes up healthy, remembers through the sql skill, and says what was left out', async () => {
    const { code, stdout, stderr } = deploy();
    assert.equal(code, 0, stderr);
    for (let step = 1; step <= 5; step++) assert.match(stderr, new RegExp(`^Step ${step}/5: `, 'm'));
    assert.match(stdout, /^left out: prometheus \(prom\/prometheus:v[\d.]+ cannot be pulled/m);
    assert.match(stdout, /^left out: grafana/m);
    assert.match(stdout, /^skill-sql +healthy +saraiskill\.sql:1\.0\.0/m);
    assert.equal(deploy('--status').code, 0);

    const { url, token } = JSON.parse(readFileSync(join(stateDir, 'deployment.json'), 'utf8')) as Record<
      string,
      string
    >;
    const chat = async (content: string, authorization: string) =>
      await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'phoenix', messages: [{ role: 'user', content }] }),
      });
    assert.equal((await chat('Mi hermana vive en Madrid', `Bearer ${token}`)).status, 200);
    assert.match(await (await chat('¿Dónde vive mi hermana?', `Bearer ${token}`)).text(), /Tu hermana vive en Madrid/);
    assert.equal((await chat('¿Dónde vive mi hermana?', 'Bearer wrong')).status, 401);
    // The console is in the image.
    const script = /\/console\/main-\w+\.js/.exec(await (await fetch(`${url}/`)).text())?.[0];
    assert.equal((await fetch(`${url}${script}`)).status, 200);
    // The other commands speak to the deployment.
    assert.match(run(['chat', 'Where does my sister live?']).stdout, /Madrid/);
    assert.match(run(['skill', 'call', 'sql', 'SELECT count(*) AS n FROM memory_fact']).stdout, /^\[\{"n":1\}\]/);
    assert.match(run(['skill', 'list']).stdout, /^sql +1\.0\.0 +ready +container +\d+ MiB/m);
    assert.match(
      run(['skill', 'restart', 'sql']).stderr,
      /docker compose starts and stops it.*docker restart saraiskill\.sql/,
    );
  });

  it('isolates and limits every container as the manifests say', async () => {
    const { skills } = readCatalog([skillDir, SKILLS]);
    const found = await containers();
    assert.deepEqual(
      [...found.keys()].sort(),
      ['sarai-sentience', ...[...skills.keys()].map((name) => `saraiskill.${name}`)].sort(),
    );
    for (const [name, { HostConfig: host, Config: config, NetworkSettings, Mounts }] of found) {
      const { resources } = skills.get(name.replace('saraiskill.', '')) ?? {
        resources: { memory: 1024 ** 3, cpus: 2, pids: 128 },
      };
      const expected = {
        ReadonlyRootfs: true,
        Privileged: false,
        CapDrop: ['ALL'],
        CapAdd: null,
        SecurityOpt: ['no-new-privileges:true'],
        Memory: resources.memory,
        MemorySwap: resources.memory,
        MemoryReservation: resources.memory / 2,
        NanoCpus: resources.cpus * 1e9,
        CpuShares: resources.cpus * 512,
        PidsLimit: resources.pids,
        PidMode: '',
        Devices: null,
        Init: true,
        RestartPolicy: { Name: 'unless-stopped', MaximumRetryCount: 0 },
        ...(name.startsWith('saraiskill.') ? { NetworkMode: 'none', IpcMode: 'none' } : {}),
      };
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((key) => [key, host[key] ?? null])),
        expected,
        name,
      );
      assert.equal(config.User, '65534:65534');
      assert.equal(config.Healthcheck.Test[0], 'CMD');
      assert.match((host.Tmpfs as Record<string, string>)['/tmp'] ?? '', /noexec,nosuid,nodev,size=/);
      for (const bindings of Object.values(NetworkSettings.Ports))
        for (const { HostIp } of bindings ?? []) assert.equal(HostIp, '127.0.0.1', name);
      for (const { Type, Source, RW } of Mounts) {
        assert.doesNotMatch(Source, /docker\.sock/);
        if (Type === 'bind') assert.equal(RW, false, Source);
      }
    }
  });

  it('changes nothing the second time', async () => {
    const first = await ids();
    const { code, stdout, stderr } = deploy();
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^deployed already: nothing was changed$/m);
    assert.deepEqual(await ids(), first);
  });

  it('is not replaced by that of another folder', async () => {
    const first = await ids();
    const elsewhere = { PHOENIX_STATE_DIR: join(stateDir, 'elsewhere') };
    for (const args of [['deploy'], ['deploy', '--down', '--volumes']])
      assert.match(run(args, elsewhere).stderr, /this engine runs the deployment of .*take that one down first/);
    assert.deepEqual(await ids(), first);
  });

  it('survives the death of a skill, and a restart of the engine', async () => {
    const { State } = await container('saraiskill.sql');
    process.kill(State.Pid, 'SIGKILL');
    assert.match(run(['chat', '¿Dónde vive mi hermana?']).stdout, /Madrid/);
    assert.match(run(['skill', 'call', 'sql', 'SELECT 1 AS one', '--timeout', '20000']).stdout, /^\[\{"one":1\}\]/);
    assert.equal((await container('saraiskill.sql')).RestartCount, 1);
    await engine.stop();
    assert.match(run(['chat', 'hello']).stderr, /does not answer.*phoenix deploy --status/);
    await engine.start();
    await until('all is healthy again', () => deploy('--status').code === 0);
    assert.match(run(['skill', 'call', 'sql', 'SELECT 1 AS one', '--timeout', '20000']).stdout, /^\[\{"one":1\}\]/);
  });

  it('brings back what ran before when a new version does not come up', async () => {
    const handler = join(skillDir, 'echo', 'handler.ts');
    const working = readFileSync(handler, 'utf8');
    const old = await containers();
    writeFileSync(handler, "throw new Error('broken on purpose');\n");
    const { code, stderr } = deploy('--timeout', '60');
    writeFileSync(handler, working);
    assert.equal(code, 1);
    assert.match(stderr, /phoenix: skill-echo: .*[\s\S]*broken on purpose/);
    assert.match(stderr, /rolled back: .*skill-echo.* run as before/);
    assert.equal(run(['skill', 'call', 'echo', 'hello']).stdout, 'hello\n');
    assert.match(run(['chat', '¿Dónde vive mi hermana?']).stdout, /Madrid/);
    const now = await containers();
    assert.deepEqual([...now.keys()].sort(), [...old.keys()].sort());
    for (const [name, { Id, Image }] of now) {
      assert.equal(Image, old.get(name)?.Image, name);
      // What was not replaced was not touched.
      if (name !== 'saraiskill.echo') assert.equal(Id, old.get(name)?.Id, name);
    }
    assert.match(deploy().stdout, /nothing was changed/);
  });

  it('replaces only what has changed', async () => {
    const old = await containers();
    const config = join(stateDir, 'phoenix.yaml');
    writeFileSync(config, 'skills: { echo: { config: { changed: true } } }\n');
    const { stdout, stderr } = deploy('--config', config);
    assert.match(stdout, /^deployed: .*skill-echo/m, stderr);
    const now = await containers();
    assert.notEqual(now.get('saraiskill.echo')?.Id, old.get('saraiskill.echo')?.Id);
    assert.equal(now.get('saraiskill.sql')?.Id, old.get('saraiskill.sql')?.Id);
    assert.equal(run(['skill', 'call', 'echo', 'hello']).stdout, 'hello\n');
  });

  it('leaves alone a container of the same name that is not its own, and keeps the data when it is taken down', async () => {
    assert.match(deploy('--down').stdout, /^removed: .*sarai.*; volumes were kept$/m);
    assert.equal(deploy('--status').code, 1);
    assert.deepEqual(await ids(), []);
    const { Id } = await engine.engine.json<{ Id: string }>('POST', '/containers/create?name=saraiskill.sql', {
      Image: 'saraiskill.sql:1.0.0',
      HostConfig: { NetworkMode: 'none' },
    });
    const refused = deploy();
    assert.match(refused.stderr, /a container named saraiskill\.sql is there that is not part of the deployment/);
    assert.deepEqual(await ids(), [Id]);
    await engine.engine.json('DELETE', `/containers/${Id}?force=1`);

    const again = deploy();
    assert.equal(again.code, 0, again.stderr);
    assert.match(run(['skill', 'call', 'sql', 'SELECT count(*) AS n FROM memory_fact']).stdout, /^\[\{"n":1\}\]/);
    assert.match(run(['chat', '¿Dónde vive mi hermana?']).stdout, /Madrid/);
    assert.match(deploy('--down', '--volumes').stdout, /volumes were removed/);
    const { Volumes } = await engine.engine.json<{ Volumes: object[] | null }>('GET', '/volumes');
    assert.deepEqual(Volumes ?? [], []);
  });
});
