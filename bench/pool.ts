import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Catalog, readCatalog } from '../src/manifest/index.ts';
import { createRuntimes, localPaths, type RuntimeName } from '../src/runtimes/index.ts';
import { availableRuntimes } from '../test/support/pool.ts';

/** The skills that come with Phoenix and those of the benchmark. */
export function benchCatalog(): Catalog {
  return readCatalog([join(import.meta.dirname, 'skills'), join(import.meta.dirname, '../skills')]);
}

/** With a container engine: its runtime. */
export async function engineRuntime(): Promise<RuntimeName[]> {
  const docker = createRuntimes(localPaths(tmpdir())).find(({ name }) => name === 'docker');
  return (await docker?.probe())?.available ? ['docker'] : [];
}

/** The strongest runtime that works here without an engine. */
export async function benchRuntime(): Promise<RuntimeName> {
  const [runtime = 'process'] = await availableRuntimes();
  return runtime;
}
