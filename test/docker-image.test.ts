/** Images of skills, built for a real Docker engine that this test starts. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readManifest } from '../src/manifest/index.ts';
import { buildSkillImage, localPaths } from '../src/runtimes/index.ts';
import { phoenix } from './support/assistant.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { createTestPool, FIXTURES, SKILLS } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

interface Image {
  Id: string;
  Config: { Labels: Record<string, string>; User: string; Healthcheck: { Test: string[] } };
  RootFS: { Layers: string[] };
}

const SQL = readManifest(join(SKILLS, 'sql/skill.yaml'));
const ECHO = readManifest(join(FIXTURES, 'echo/skill.yaml'));

describe('images of skills', { skip: isMissing('a Docker engine (dockerd, as root)', canStartEngine()) }, () => {
  const engine = new TestEngine();
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-images-'));
  const paths = localPaths(join(folder, 'state'));
  const environment = () => ({ PHOENIX_STATE_DIR: join(folder, 'state'), DOCKER_HOST: `unix://${engine.socketPath}` });
  const inspect = (name: string) => engine.engine.json<Image>('GET', `/images/${name}/json`);
  const removeImage = (name: string) => engine.engine.json('DELETE', `/images/${name}?force=1`);

  before(() => engine.start());
  after(async () => {
    await engine.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are built by the command line, with a bill of materials', () => {
    const { stdout, code } = phoenix(['skill', 'build', 'sql'], environment());
    assert.equal(code, 0);
    assert.match(stdout, /^saraiskill\.sql:1\.0\.0 {2}sha256:[0-9a-f]{64} {2}\d+ MB\n {2}bill of materials: \S+\n$/);
    const sbom = JSON.parse(readFileSync(/materials: (\S+)/.exec(stdout)?.[1] ?? '', 'utf8')) as {
      components: { name: string; version?: string; properties?: { name: string; value: string }[] }[];
    };
    const versions = new Map(sbom.components.map(({ name, version }) => [name, version]));
    assert.equal(versions.get('node'), process.versions.node);
    for (const name of ['@grpc/grpc-js', '@bufbuild/protobuf'])
      assert.match(versions.get(name) ?? '', /^\d+\.\d+/, name);
    assert.ok(versions.has('libc.so.6'));
    const { properties = [] } = sbom.components.find(({ name }) => name === 'node') ?? {};
    assert.match(properties.find(({ name }) => name === 'sarai:icu-data')?.value ?? '', /^subset: names of languages/);
    assert.match(phoenix(['skill', 'build'], environment()).stderr, /name one skill, or say --all/);
    const away = phoenix(['skill', 'build', '--all'], { ...environment(), DOCKER_HOST: 'unix:///nowhere' });
    assert.match(away.stderr, /nowhere: no engine answers there; start it/);
    assert.equal(away.code, 1);
  });

  it('have the same layers for the same input, wherever they are built', async () => {
    const { name } = await buildSkillImage(ECHO, paths, undefined);
    const first = await inspect(name);
    await removeImage(name);
    await buildSkillImage(ECHO, localPaths(join(folder, 'another-state')), undefined);
    const second = await inspect(name);
    assert.equal(first.RootFS.Layers.length, 2);
    assert.deepEqual(second.RootFS.Layers, first.RootFS.Layers);
    assert.equal(second.Id, first.Id);
  });

  it('say what they are made of, and by whom they are run', async () => {
    const { name, size } = await buildSkillImage(SQL, paths, undefined);
    const { Config } = await inspect(name);
    assert.ok(size <= 100_000_000, `${size} bytes`);
    assert.equal(Config.User, '65534:65534');
    assert.match(Config.Labels['sarai.manifest'] ?? '', /^[0-9a-f]{64}$/);
    for (const [label, value] of [
      ['title', 'sql'],
      ['version', SQL.version],
      ['description', SQL.description],
    ])
      assert.equal(Config.Labels[`org.opencontainers.image.${label}`], value);
  });

  it('have a health check that asks the skill over gRPC', async () => {
    const { name } = await buildSkillImage(ECHO, paths, undefined);
    const { Config } = await inspect(name);
    // Somebody else than the pool starts it, with the health check of the image made so quick that one runs all the time, also
    // while the skill looks around for processes that it should not see.
    const launch = {
      ...{
        format: 1,
        skill: 'echo',
        version: ECHO.version,
        fingerprint: 'none',
        instanceId: 'test',
        ownerToken: 'secret',
      },
      ...{ isolation: 'container', socket: '/run/skill/skill.sock', handler: '/app/handler.mjs', tmpDir: '/tmp' },
      ...{ config: {}, concurrency: 4, queue: 4, requestBytes: 65_536, requestTimeoutMs: 1000, drainTimeoutMs: 100 },
      leaseMs: 0,
    };
    const launchPath = join(folder, 'launch.json');
    const socketDir = join(folder, 'socket');
    mkdirSync(socketDir);
    writeFileSync(launchPath, JSON.stringify(launch), { mode: 0o400 });
    for (const path of [launchPath, socketDir]) chownSync(path, 65_534, 65_534);
    const { Id } = await engine.engine.json<{ Id: string }>('POST', '/containers/create', {
      Image: name,
      Healthcheck: { Test: Config.Healthcheck.Test, Interval: 1e7, Timeout: 5e9, Retries: 1 },
      HostConfig: {
        ...{ NetworkMode: 'none', ReadonlyRootfs: true, CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges:true'] },
        // As the pool does it: docker-init is the first process, and the only other one that the skill sees.
        Init: true,
        Binds: [`${launchPath}:/app/launch.json:ro`, `${socketDir}:/run/skill`],
      },
    });
    await engine.engine.json('POST', `/containers/${Id}/start`);
    const becomes = async (wanted: string) => {
      for (let i = 0; i < 150; i++) {
        const { State } = await engine.engine.json<{
          State: { Health: { Status: string; Log: { Output: string }[] } };
        }>('GET', `/containers/${Id}/json`);
        if (State.Health.Status === wanted) return State.Health.Log.at(-1)?.Output;
        await sleep(100);
      }
      return assert.fail(`it did not become ${wanted}`);
    };
    try {
      assert.equal(await becomes('healthy'), '');
      rmSync(join(socketDir, 'skill.sock'));
      assert.match((await becomes('unhealthy')) ?? '', /ENOENT/);
    } finally {
      await engine.engine.json('DELETE', `/containers/${Id}?force=1`);
    }
  });

  it('can stand on another image', async () => {
    // The only image with a C library that there is here: ours, under another name.
    const { name } = await buildSkillImage(SQL, paths, undefined);
    await engine.engine.json('POST', `/images/${name}/tag?repo=operators-base&tag=1`);
    const missing = phoenix(['skill', 'build', 'echo', '--base', 'nowhere:1'], { ...environment(), ...withFixtures });
    assert.match(missing.stderr, /the base image nowhere:1 is not there: pull or load it first/);
    assert.equal(missing.code, 1);
    const built = await buildSkillImage(ECHO, paths, 'operators-base:1');
    const image = await inspect(built.name);
    assert.deepEqual(image.RootFS.Layers.slice(0, 2), (await inspect(name)).RootFS.Layers);
    assert.equal(image.Config.Labels['sarai.base'], 'operators-base:1');
    assert.equal(image.Config.User, '65534:65534');
    const test = createTestPool('docker');
    try {
      const client = await test.pool.getSkillClient('echo');
      assert.equal((await client.infer({ prompt: 'on a base' })).text, 'on a base');
      assert.equal((await inspect(built.name)).Id, image.Id, 'it was built again');
    } finally {
      await test.cleanUp();
    }
    await buildSkillImage(ECHO, paths, undefined);
    assert.equal((await inspect(built.name)).Config.Labels['sarai.base'], undefined);
  });

  it('that are missing or old are built, or the command that builds them is named', async () => {
    const { name } = await buildSkillImage(ECHO, paths, undefined);
    const runs = createTestPool('docker', {}, undefined, { build: 'never', transport: 'auto' });
    try {
      assert.equal((await (await runs.pool.getSkillClient('echo')).infer({ prompt: 'there' })).text, 'there');
      await runs.pool.stop('echo');
      await removeImage(name);
      await assert.rejects(
        runs.pool.getSkillClient('echo'),
        /the image saraiskill\.echo:\S+ is missing: run "phoenix skill build echo"/,
      );
    } finally {
      await runs.cleanUp();
    }
  });
});

const withFixtures = { PHOENIX_SKILL_DIRS: `[${FIXTURES}]` };
