/** What a real engine says of every container: exactly what the manifest says, and never reused when it is anything else. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { readCatalog } from '../src/manifest/index.ts';
import { containerLogs } from '../src/runtimes/docker/docker-instance.ts';
import { createRuntimes } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import type { TestPool } from './support/level.ts';
import { createTestPool, FIXTURES, SKILLS } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

interface Config {
  Image: string;
  User: string;
  Hostname: string;
  Env: string[];
  Entrypoint: string[];
  Labels: Record<string, string>;
  Volumes: object | null;
  ExposedPorts?: object;
}
interface Container {
  Id: string;
  Config: Config;
  HostConfig: Record<string, unknown> & { Mounts: object[] };
  Mounts: { Type: string; Name?: string; Destination: string; RW: boolean; Propagation: string }[];
  NetworkSettings: { Networks: Record<string, object>; Ports: Record<string, object[] | null> };
}

/** What the engine fills in for every container, by its version and that of the kernel. */
const FILLED_IN = new Set([
  ...['ShmSize', 'Runtime', 'ConsoleSize', 'Isolation', 'MaskedPaths', 'ReadonlyPaths', 'MemorySwappiness'],
]);
const isEmpty = (value: unknown) =>
  !value || (typeof value === 'object' && Object.keys(value).length === 0) || value === 'default';
/** What is set, sorted, without what the engine fills in itself: anything more than expected is found. */
const whatIsSet = (host: object) =>
  Object.fromEntries(
    Object.entries(host)
      .filter(([key, value]) => !isEmpty(value) && !FILLED_IN.has(key))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

describe('isolation of containers', { skip: isMissing('a Docker engine (dockerd, as root)', canStartEngine()) }, () => {
  const engine = new TestEngine();
  let test: TestPool | undefined;
  const ask = <T>(method: string, path: string, body?: object) => engine.engine.json<T>(method, path, body);

  before(() => engine.start());
  afterEach(async () => {
    await test?.cleanUp();
    const left = await ask<{ Id: string }[]>('GET', '/containers/json?all=1');
    assert.deepEqual(left, [], 'a container was left behind');
  });
  after(() => engine.remove());

  async function onlyContainer(): Promise<Container> {
    const [{ Id } = { Id: '' }, ...more] = await ask<{ Id: string }[]>('GET', '/containers/json?all=1');
    assert.equal(more.length, 0);
    return await ask<Container>('GET', `/containers/${Id}/json`);
  }

  /** The folder of a skill that has nothing beside its code, and other numbers than the rest. */
  const frugal = mkdtempSync(join(tmpdir(), 'phoenix-skills-'));
  cpSync(join(FIXTURES, 'echo'), join(frugal, 'frugal'), { recursive: true });
  writeFileSync(
    join(frugal, 'frugal/skill.yaml'),
    [
      ...['name: frugal', 'version: 3.1.4', 'description: Has nothing.', 'entry: handler.ts'],
      'resources: { memory: 128MiB, cpus: 0.5, pids: 17, tmp: 1MiB }',
    ].join('\n'),
  );
  after(() => rmSync(frugal, { recursive: true, force: true }));

  for (const name of ['echo', 'sql', 'frugal']) {
    it(`the container of ${name} is what its manifest says, field by field`, async () => {
      test = createTestPool('docker', { catalog: readCatalog([FIXTURES, SKILLS, frugal]) });
      await test.pool.getSkillClient(name);
      const { Config: config, HostConfig: host, Mounts, NetworkSettings } = await onlyContainer();
      const { resources, volumes, version } = test.pool.manifest(name);
      const hasData = volumes.includes('data');
      const volume = host.Mounts.map((mount) => (mount as { Source: string }).Source).at(-1) ?? '';
      assert.deepEqual(whatIsSet(host), {
        CapDrop: ['ALL'],
        CgroupnsMode: 'private',
        Init: true,
        IpcMode: 'none',
        LogConfig: { Type: 'json-file', Config: { 'max-file': '2', 'max-size': '10m' } },
        Memory: resources.memory,
        // Memory and swap together.
        MemorySwap: resources.memory,
        Mounts: [
          { Type: 'bind', Source: test.paths.socketDir(name), Target: '/run/skill' },
          {
            Type: 'bind',
            Source: join(test.paths.run(name), 'launch.json'),
            Target: '/app/launch.json',
            ReadOnly: true,
          },
          ...(hasData ? [{ Type: 'volume', Source: volume, Target: '/data' }] : []),
        ],
        NanoCpus: resources.cpus * 1e9,
        NetworkMode: 'none',
        PidsLimit: resources.pids,
        ReadonlyRootfs: true,
        RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
        SecurityOpt: ['no-new-privileges:true'],
        Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=${resources.tmp},mode=1777` },
        Ulimits: [
          { Name: 'core', Soft: 0, Hard: 0 },
          { Name: 'nofile', Soft: 1024, Hard: 1024 },
        ],
      });
      for (const hidden of ['/proc/kcore', '/proc/keys'])
        assert.ok((host.MaskedPaths as string[]).includes(hidden), hidden);
      assert.ok((host.ReadonlyPaths as string[]).includes('/proc/sys'));
      // What it really got, not what was asked for.
      assert.deepEqual(
        Mounts.map(({ Type, Destination, RW, Propagation }) => [Type, Destination, RW, Propagation]).sort(),
        [
          ['bind', '/app/launch.json', false, 'rprivate'],
          ['bind', '/run/skill', true, 'rprivate'],
          ...(hasData ? [['volume', '/data', true, '']] : []),
        ].sort(),
      );
      assert.deepEqual(Object.keys(NetworkSettings.Networks), ['none']);
      assert.deepEqual(NetworkSettings.Ports, {});
      assert.equal(config.User, '65534:65534');
      assert.equal(config.Hostname, `skill-${name}`);
      assert.equal(config.Volumes, null);
      assert.equal(config.ExposedPorts, undefined);
      assert.deepEqual(config.Env, ['HOME=/tmp', 'TMPDIR=/tmp', 'UV_THREADPOOL_SIZE=2']);
      assert.deepEqual(
        [config.Entrypoint.at(0), ...config.Entrypoint.slice(-2)],
        ['/app/node', '/app/host.mjs', '/app/launch.json'],
      );
      assert.equal(config.Labels['sarai.skill'], name);
      assert.equal(config.Labels['org.opencontainers.image.version'], version);
      for (const label of ['spec', 'instance', 'state', 'limits', 'manifest', 'content'])
        assert.ok(config.Labels[`sarai.${label}`], label);
    });
  }

  it('one that answers on a port has that port, on 127.0.0.1, and no folder for a socket', async () => {
    test = createTestPool('docker', {}, undefined, { build: 'auto', transport: 'tcp' });
    await test.pool.getSkillClient('echo');
    const { HostConfig: host, Mounts, NetworkSettings, Config: config } = await onlyContainer();
    const { NetworkMode: network, PortBindings, Tmpfs } = host;
    assert.match(String(network), /^phoenix-[0-9a-f]{16}-echo$/);
    assert.deepEqual(Object.keys(NetworkSettings.Networks), [network]);
    assert.deepEqual(PortBindings, { '50051/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] });
    assert.deepEqual(Object.keys(config.ExposedPorts ?? {}), ['50051/tcp']);
    assert.match((Tmpfs as Record<string, string>)['/run/skill'] ?? '', /noexec,nosuid,nodev,size=64k,mode=0700/);
    assert.deepEqual(Mounts.map(({ Destination }) => Destination).sort(), ['/app/launch.json', '/data']);
    for (const [key, value] of Object.entries({ CapDrop: ['ALL'], ReadonlyRootfs: true, CapAdd: null }))
      assert.deepEqual(host[key], value, key);
  });

  describe('found again', () => {
    type Change = (container: { config: Config; host: Container['HostConfig'] }) => void;
    const set =
      (key: string, value: unknown): Change =>
      ({ host }) => {
        host[key] = value;
      };
    const addMount =
      (mount: object): Change =>
      ({ host }) =>
        host.Mounts.push(mount);
    /** Each takes away something from a container that is otherwise launched as ours. */
    const weaker: Record<string, Change> = {
      'as root': ({ config }) => {
        config.User = '0:0';
      },
      'in the network of the host': set('NetworkMode', 'host'),
      'with a root that can be written': set('ReadonlyRootfs', false),
      privileged: set('Privileged', true),
      'with all usual capabilities': set('CapDrop', []),
      'with a capability more': set('CapAdd', ['SYS_ADMIN']),
      'that may gain privileges': set('SecurityOpt', []),
      'without a filter of system calls': set('SecurityOpt', ['no-new-privileges:true', 'seccomp=unconfined']),
      'among the processes of the host': set('PidMode', 'host'),
      'with the shared memory of the host': set('IpcMode', 'host'),
      'with the name of the host': ({ config, host }) => {
        host.UTSMode = 'host';
        config.Hostname = '';
      },
      'in the user namespace of the host': set('UsernsMode', 'host'),
      'in the control groups of the host': set('CgroupnsMode', 'host'),
      'with more memory': ({ host }) => {
        host.Memory = host.MemorySwap = Number(host.Memory) * 2;
      },
      'with swap': set('MemorySwap', -1),
      'without a limit of processes': set('PidsLimit', 0),
      'without a limit of processors': set('NanoCpus', 0),
      'without a limit of open files': set('Ulimits', []),
      'that is killed at another turn when memory runs out': set('OomScoreAdj', 500),
      'with a temporary folder that runs programs': set('Tmpfs', { '/tmp': 'rw,exec' }),
      'with a folder of the host': set('Binds', ['/usr:/host:ro']),
      'with the socket of the engine': addMount({
        Type: 'bind',
        Source: engine.socketPath,
        Target: '/var/run/docker.sock',
      }),
      'with the data of another skill': addMount({ Type: 'volume', Source: 'phoenix-other-data', Target: '/other' }),
      'with a launch configuration that can be written': ({ host }) => {
        host.Mounts = host.Mounts.map((mount) => ({ ...mount, ReadOnly: false }));
      },
      'with a device': set('Devices', [
        { PathOnHost: '/dev/null', PathInContainer: '/dev/x', CgroupPermissions: 'rwm' },
      ]),
      'with a group of the host': set('GroupAdd', ['0']),
      'with other settings of the kernel': set('Sysctls', { 'net.ipv4.ip_unprivileged_port_start': '0' }),
      'with all of /proc': set('MaskedPaths', []),
      'with settings of the kernel that can be written': set('ReadonlyPaths', []),
      'with a published port': set('PortBindings', { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '' }] }),
    };

    let template: Container;
    let left: TestPool;
    before(async () => {
      left = createTestPool('docker');
      await left.pool.getSkillClient('echo');
      await left.pool.close({ keepRunning: true });
      template = await onlyContainer();
      await ask('DELETE', `/containers/${template.Id}?force=1`);
    });
    after(() => rmSync(left.stateDir, { recursive: true, force: true }));

    /** What the next assistant makes of a container that somebody launched by hand in place of ours. */
    async function fingerprintOf(change: Change): Promise<string | undefined> {
      const { Config: config, HostConfig: host } = structuredClone(template);
      change({ config, host });
      const body = { ...config, Entrypoint: ['/app/node', '-e', 'setInterval(() => {}, 1000)'], HostConfig: host };
      const { Id } = await ask<{ Id: string }>('POST', '/containers/create', body);
      try {
        await ask('POST', `/containers/${Id}/start`);
        const [docker] = createRuntimes(left.paths);
        return (await docker?.find('echo'))?.fingerprint;
      } finally {
        await ask('DELETE', `/containers/${Id}?force=1`);
      }
    }

    it('one that is as it was launched is used again', async () => {
      assert.equal(await fingerprintOf(() => {}), template.Config.Labels['sarai.spec']);
    });

    for (const [what, change] of Object.entries(weaker)) {
      it(`one ${what} is not`, async () => {
        assert.equal(await fingerprintOf(change), 'not isolated as it should be');
      });
    }

    /** What a skill finds out itself, from inside, before it serves. */
    const noticed: [what: keyof typeof weaker, says: RegExp][] = [
      ['in the network of the host', /a network is reachable/],
      ['with all usual capabilities', /it has capabilities \(CapBnd /],
      ['that may gain privileges', /it can gain privileges \(no_new_privs is not set\)/],
      ['among the processes of the host', /it sees \d+ other processes/],
      ['privileged', /it has capabilities/],
    ];
    for (const [what, says] of noticed) {
      it(`one ${what} refuses to serve`, async () => {
        const { Config: config, HostConfig: host } = structuredClone(template);
        weaker[what]?.({ config, host });
        const { Id } = await ask<{ Id: string }>('POST', '/containers/create', { ...config, HostConfig: host });
        try {
          await ask('POST', `/containers/${Id}/start`);
          const { StatusCode } = await ask<{ StatusCode: number }>('POST', `/containers/${Id}/wait`);
          const said = (await containerLogs(engine.engine, Id, 20)).join('\n');
          assert.notEqual(StatusCode, 0);
          assert.match(said, /the container isolation does not hold: .*The skill refuses to start/);
          assert.match(said, says);
        } finally {
          await ask('DELETE', `/containers/${Id}?force=1`);
        }
      });
    }

    it('one whose limits were raised while it ran is not', async () => {
      const { Config: config, HostConfig: host } = structuredClone(template);
      const { Id } = await ask<{ Id: string }>('POST', '/containers/create', { ...config, HostConfig: host });
      try {
        await ask('POST', `/containers/${Id}/start`);
        const twice = 2 * Number(host.Memory);
        await ask('POST', `/containers/${Id}/update`, { Memory: twice, MemorySwap: twice });
        const [docker] = createRuntimes(left.paths);
        assert.equal((await docker?.find('echo'))?.fingerprint, 'not isolated as it should be');
      } finally {
        await ask('DELETE', `/containers/${Id}?force=1`);
      }
    });
  });
});
