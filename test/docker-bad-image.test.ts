/** Images that cannot be used, and disks that are too full for them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readManifest } from '../src/manifest/index.ts';
import { imageCacheOf } from '../src/runtimes/docker/build.ts';
import { imageArchive, makeLayer } from '../src/runtimes/docker/layers.ts';
import { buildSkillImage, localPaths } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { createTestPool, FIXTURES } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const ECHO = readManifest(join(FIXTURES, 'echo/skill.yaml'));
const NAME = `saraiskill.echo:${ECHO.version}`;
const skip = isMissing('a Docker engine (dockerd, as root)', canStartEngine());

interface Image {
  Id: string;
  Architecture: string;
  Config: { Labels: Record<string, string> };
}

/** A file system in memory that can be full. */
function mountSmall(path: string, size: string): void {
  mkdirSync(path, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'phoenix-test', path);
}
function run(...[command = '', ...args]: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

describe('an image for another architecture', { skip }, () => {
  const engine = new TestEngine();
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-images-'));
  const paths = localPaths(folder);
  const inspect = () => engine.engine.json<Image>('GET', `/images/${NAME}/json`);
  before(() => engine.start());
  after(async () => {
    await engine.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Loads one under a name that is for other processors, with all labels of the one that it replaces. @returns its id */
  async function load(name: string): Promise<string> {
    await buildSkillImage(ECHO, paths, undefined);
    const { Architecture, Config: config } = await inspect();
    const layer = await makeLayer(join(folder, 'other.tar'), [{ path: 'other', owned: false, mode: 0o755 }]);
    const foreign = JSON.stringify({
      architecture: Architecture === 'amd64' ? 'arm64' : 'amd64',
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer.digest}`] },
    });
    await engine.engine.work('/images/load?quiet=1', imageArchive(name, foreign, [layer]));
    const { Id, Architecture: loaded } = await engine.engine.json<Image>('GET', `/images/${name}/json`);
    assert.notEqual(loaded, Architecture);
    return Id;
  }

  it('is replaced by one that runs', async () => {
    const foreign = await load(NAME);
    const test = createTestPool('docker');
    try {
      const client = await test.pool.getSkillClient('echo');
      assert.equal((await client.infer({ prompt: 'runs' })).text, 'runs');
      assert.notEqual((await inspect()).Id, foreign);
      // Somebody may still need it.
      assert.ok(await engine.engine.json('GET', `/images/${foreign}/json`));
    } finally {
      await test.cleanUp();
    }
  });

  it('is an error that says so, where images are not built', async () => {
    const foreign = await load(NAME);
    const test = createTestPool('docker', {}, undefined, { build: 'never', transport: 'auto' });
    try {
      await assert.rejects(
        test.pool.getSkillClient('echo'),
        /the image saraiskill\.echo:1\.0\.0 is for another architecture: run "phoenix skill build echo"/,
      );
      assert.equal((await inspect()).Id, foreign, 'it was touched');
    } finally {
      await test.cleanUp();
    }
  });

  it('is nothing to build on', async () => {
    await load('base-of-others:1');
    await assert.rejects(
      buildSkillImage(ECHO, paths, 'base-of-others:1'),
      /the base image base-of-others:1 is for (arm64|amd64): it has to be for (arm64|amd64)/,
    );
  });
});

describe('a disk that is full', { skip }, () => {
  const engine = new TestEngine();
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-images-'));
  const mounted: string[] = [];
  const mount = (path: string, size: string) => {
    mountSmall(path, size);
    mounted.push(path);
  };
  after(async () => {
    await engine.stop();
    for (const path of mounted) spawnSync('umount', [path]);
    await engine.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  it("of the engine is an error that says so, and leaves nothing that looks like the skill's image", async () => {
    mount(engine.dataRoot, '48m');
    await engine.start();
    const test = createTestPool('docker');
    try {
      await assert.rejects(test.pool.getSkillClient('echo'), /no space left on device/);
      assert.deepEqual(await engine.engine.json('GET', '/images/json?all=1'), []);
      assert.deepEqual(await engine.engine.json('GET', '/containers/json?all=1'), []);
      run('mount', '-o', 'remount,size=1g', engine.dataRoot);
      const client = await test.pool.getSkillClient('echo');
      assert.equal((await client.infer({ prompt: 'there is room now' })).text, 'there is room now');
    } finally {
      await test.cleanUp();
    }
  });

  it('of the assistant is an error that says so, and leaves no layer that looks complete', async () => {
    const paths = localPaths(join(folder, 'state'));
    const cache = imageCacheOf(paths);
    mount(cache, '16m');
    await engine.engine.json('DELETE', `/images/${NAME}?force=1`);
    await assert.rejects(buildSkillImage(ECHO, paths, undefined), (error: Error) => {
      assert.equal(error.name, 'RuntimeError');
      assert.ok(error.message.startsWith(cache), error.message);
      assert.match(error.message, /the layer of an image cannot be written: ENOSPC/);
      return true;
    });
    assert.deepEqual(readdirSync(cache), []);
    run('mount', '-o', 'remount,size=1g', cache);
    assert.match((await buildSkillImage(ECHO, paths, undefined)).id, /^sha256:/);
  });
});
