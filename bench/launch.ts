/** From nothing to the first answered call, in every runtime that works here, beside a bare Node process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createRuntimes, localPaths, type RuntimeName } from '../src/runtimes/index.ts';
import { availableRuntimes, createTestPool, onEvent } from '../test/support/pool.ts';
import { Figures, report } from './measure.ts';
import { benchCatalog } from './pool.ts';

/** With a container engine: its runtime too. */
async function engineRuntime(): Promise<RuntimeName[]> {
  const docker = createRuntimes(localPaths(tmpdir())).find(({ name }) => name === 'docker');
  return (await docker?.probe())?.available ? ['docker'] : [];
}

export async function benchLaunch({ quick }: { quick: boolean }): Promise<Figures> {
  const rounds = quick ? 2 : 20;
  const figures = new Figures();
  for (const runtime of [...(await engineRuntime()), ...(await availableRuntimes())]) {
    const { pool, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
    try {
      for (const skill of ['bench-echo', 'sql']) {
        // The first one bundles.
        await pool.getSkillClient(skill);
        for (let round = 0; round < rounds; round++) {
          await pool.stop(skill);
          const ready = onEvent(pool, 'ready');
          const started = performance.now();
          const client = await pool.getSkillClient(skill);
          figures.add(`${runtime}: ${skill}, launch to SERVING`, 'ms', (await ready).durationMs);
          await client.infer({ prompt: skill === 'sql' ? 'SELECT 1' : 'hello' });
          figures.add(`${runtime}: ${skill}, launch to first answer`, 'ms', performance.now() - started);
        }
      }
    } finally {
      await cleanUp();
    }
  }
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(child, 'exit');
    figures.add('a Node process that does nothing, start to end', 'ms', performance.now() - started);
  }
  process.stdout.write(report('cold launch', figures.all()));
  return figures;
}
