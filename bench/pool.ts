import { join } from 'node:path';
import { type Catalog, readCatalog } from '../src/manifest/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { availableRuntimes } from '../test/support/pool.ts';

/** The skills that come with Phoenix and those of the benchmark. */
export function benchCatalog(): Catalog {
  return readCatalog([join(import.meta.dirname, 'skills'), join(import.meta.dirname, '../skills')]);
}

/** The strongest runtime that works here. */
export async function benchRuntime(): Promise<RuntimeName> {
  const [runtime = 'process'] = await availableRuntimes();
  return runtime;
}
