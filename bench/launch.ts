/** From nothing, or from a spare, to the first answered call, in every runtime that works here, beside `docker run` and a pause. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { imageName } from '../src/runtimes/docker/image.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { availableRuntimes, createTestPool, onEvent } from '../test/support/pool.ts';
import { Figures, report } from './measure.ts';
import { launchAsTheSource, startEmptyContainer } from './other-launches.ts';
import { benchCatalog, engineRuntime } from './pool.ts';

const ECHO = 'bench-echo';

export async function benchLaunch({ quick }: { quick: boolean }): Promise<Figures> {
  const rounds = quick ? 2 : 20;
  const figures = new Figures();
  const withEngine = await engineRuntime();
  for (const runtime of [...withEngine, ...(await availableRuntimes())]) {
    await measureCold(runtime, rounds, figures);
    await measureWarm(runtime, rounds, figures);
  }
  const image = withEngine.length > 0 ? imageName({ manifest: echoManifest() }) : undefined;
  for (let round = 0; round < rounds; round++) {
    if (image !== undefined) {
      figures.add('a container that does nothing, create and start', 'ms', await startEmptyContainer(image));
      figures.add('docker run and a pause of 2 s, to first answer', 'ms', await launchAsTheSource(image));
    }
    const started = performance.now();
    const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' });
    await once(child, 'exit');
    figures.add('a Node process that does nothing, start to end', 'ms', performance.now() - started);
  }
  process.stdout.write(report('launch', figures.all()));
  return figures;
}

function echoManifest() {
  const manifest = benchCatalog().skills.get(ECHO);
  if (!manifest) throw new Error(`there is no skill ${ECHO}`);
  return manifest;
}

async function measureCold(runtime: RuntimeName, rounds: number, figures: Figures): Promise<void> {
  const { pool, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
  try {
    for (const skill of [ECHO, 'sql']) {
      // The first one bundles.
      await pool.getSkillClient(skill);
      for (let round = 0; round < rounds; round++) {
        await pool.stop(skill);
        const ready = onEvent(pool, 'ready');
        const started = performance.now();
        const client = await pool.getSkillClient(skill);
        figures.add(`${runtime}: ${skill}, cold, to SERVING`, 'ms', (await ready).durationMs);
        await client.infer({ prompt: skill === 'sql' ? 'SELECT 1' : 'hello' });
        figures.add(`${runtime}: ${skill}, cold, to first answer`, 'ms', performance.now() - started);
      }
      const [status] = await pool.status(skill);
      figures.add(`${runtime}: ${skill}, memory when idle`, 'MiB', (status?.memoryBytes ?? 0) / 1024 ** 2);
    }
  } finally {
    await cleanUp();
  }
}

/** A spare is taken. */
async function measureWarm(runtime: RuntimeName, rounds: number, figures: Figures): Promise<void> {
  const { pool, cleanUp } = createTestPool(runtime, { catalog: benchCatalog(), skills: { [ECHO]: { warm: 1 } } });
  try {
    for (let round = 0; round < rounds; round++) {
      const spare = onEvent(pool, 'spare_ready');
      if (round === 0) pool.warmUp();
      await spare;
      const [launching, ready] = [onEvent(pool, 'launching').then(() => performance.now()), onEvent(pool, 'ready')];
      await pool.restart(ECHO);
      const { durationMs, kind } = await ready;
      if (kind !== 'warm') throw new Error(`the launch was ${kind}`);
      figures.add(`${runtime}: ${ECHO}, warm, to SERVING`, 'ms', durationMs);
      await pool.client(ECHO).infer({ prompt: 'hello' });
      figures.add(`${runtime}: ${ECHO}, warm, to first answer`, 'ms', performance.now() - (await launching));
    }
  } finally {
    await cleanUp();
  }
}
