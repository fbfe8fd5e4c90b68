import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readCatalog } from '../../src/manifest/index.ts';
import { shippedModels } from '../../src/models/index.ts';
import { ModelPool, type ModelPoolOptions, type PoolEvent } from '../../src/pool/index.ts';
import { createRuntimes, localPaths, type RuntimeName } from '../../src/runtimes/index.ts';

export const FIXTURES = join(import.meta.dirname, '../fixtures/skills');
export const SKILLS = join(import.meta.dirname, '../../skills');

/** The runtimes that work on this machine without an engine, strongest first; containers have tests of their own. */
export async function availableRuntimes(): Promise<RuntimeName[]> {
  const found: RuntimeName[] = [];
  for (const runtime of createRuntimes(localPaths(tmpdir())))
    if (runtime.name !== 'docker' && (await runtime.probe()).available) found.push(runtime.name);
  return found;
}

/** A pool over the fixture skills in a state folder of its own; an existing folder stands for an earlier assistant's. */
export function createTestPool(
  runtimeName: RuntimeName,
  options: Partial<ModelPoolOptions> = {},
  stateDir = mkdtempSync(join(tmpdir(), 'phoenix-test-')),
  docker?: Parameters<typeof createRuntimes>[1],
) {
  const paths = localPaths(stateDir);
  const runtime = createRuntimes(paths, docker).find(({ name }) => name === runtimeName);
  if (!runtime) throw new Error(`there is no runtime ${runtimeName}`);
  const pool = new ModelPool({
    catalog: readCatalog([FIXTURES, SKILLS]),
    runtime,
    modelFile: shippedModels,
    // Shared: bundling is not what these tests are about.
    bundleDir: join(tmpdir(), 'phoenix-test-bundles'),
    ...options,
  });
  const cleanUp = async () => {
    await pool.close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  return { pool, stateDir, paths, cleanUp };
}

/** The next event of a kind. */
export function onEvent<T extends PoolEvent['t']>(pool: ModelPool, kind: T): Promise<Extract<PoolEvent, { t: T }>> {
  return new Promise((resolve) => {
    const listener = (event: PoolEvent) => {
      if (event.t !== kind) return;
      pool.off('event', listener);
      resolve(event as Extract<PoolEvent, { t: T }>);
    };
    pool.on('event', listener);
  });
}

/** Waits until a skill has so many spares. */
export async function untilSpares(pool: ModelPool, skill: string, count: number): Promise<void> {
  for (const started = performance.now(); performance.now() - started < 30_000; ) {
    if ((await pool.status(skill))[0]?.spares === count) return;
    await sleep(50);
  }
  assert.fail(`there are not ${count} spares of ${skill}, but ${(await pool.status(skill))[0]?.spares}`);
}
