/** What observing costs: a call of a skill with metrics and without them, and a scrape with many skills. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { EntityMemory } from '../src/memory/index.ts';
import { createLogger, Metrics, openTracing } from '../src/telemetry/index.ts';
import { beginRequest, runIn } from '../src/tracing/index.ts';
import { createTestPool } from '../test/support/pool.ts';
import { copiesOf } from '../test/support/scoped-pool.ts';
import { Figures, median, percentile, rateOf, report, timesOf } from './measure.ts';
import { benchCatalog, benchRuntime } from './pool.ts';

const IN_FLIGHT = 64;
const SKILLS = 50;
/** Launches at once. */
const LAUNCHES = 4;

export async function benchTelemetry({ quick }: { quick: boolean }): Promise<Figures> {
  const figures = new Figures();
  await measureCalls(figures, quick);
  await measureScrapes(figures, quick);
  const of = (name: string) => median(figures.get(name)?.rounds ?? []);
  process.stdout.write(
    report('what observing costs', figures.all(), [
      `metrics of one call of a skill: ${of('metrics of a call, processor time').toFixed(2)} us of processor time (at most 3 us)`,
      `a scrape with ${SKILLS} skills: ${(of(`a scrape with ${SKILLS} skills, p50`) / 1000).toFixed(1)} ms (at most 20 ms)`,
    ]),
  );
  return figures;
}

/** The same calls in turns; of the assistant's own processor time, because the wall clock knows of everything else on the machine. */
async function measureCalls(figures: Figures, quick: boolean): Promise<void> {
  const runtime = await benchRuntime();
  const { pool, stateDir, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
  const memory = new EntityMemory({ path: join(stateDir, 'memory.db') });
  try {
    const client = await pool.getSkillClient('bench-echo');
    const call = () => client.infer({ prompt: 'hello' });
    new Metrics({ pool, memory, exemplars: false });
    const listeners = pool.listeners('call');
    const calls = 10_000;
    const without = () => {
      pool.removeAllListeners('call');
      return processorTime(calls, call);
    };
    const withMetrics = () => {
      for (const listener of listeners) pool.on('call', listener);
      return runIn(beginRequest('', {}).request, undefined, () => processorTime(calls, call));
    };
    await without();
    // In short turns, in both orders: whatever else happens on the machine hits both.
    for (let round = 0; round < (quick ? 4 : 40); round++) {
      const first = round % 2 === 0 ? await without() : undefined;
      const observed = await withMetrics();
      const bare = first ?? (await without());
      figures.add('a call without, processor time', 'us', bare);
      figures.add('a call with metrics, processor time', 'us', observed);
      figures.add('metrics of a call, processor time', 'us', observed - bare);
    }
    for (const listener of listeners) pool.on('call', listener);
    const finished = { skill: 'bench-echo', seconds: 0.00007, code: 'OK' };
    for (let round = 0; round < (quick ? 2 : 10); round++) {
      const started = performance.now();
      for (let n = 0; n < calls; n++) pool.emit('call', finished);
      figures.add('of that, counting it', 'us', ((performance.now() - started) * 1000) / calls);
      const traced = await withTraces(() => processorTime(calls, call));
      figures.add('a call with metrics and traces, processor time', 'us', traced);
    }
  } finally {
    await memory.close();
    await cleanUp();
  }
}

async function processorTime(calls: number, call: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await rateOf(calls, IN_FLIGHT, call);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

/** Runs something as part of a trace that is exported to somebody who does not look at it. */
async function withTraces<T>(run: () => Promise<T>): Promise<T> {
  const sink = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const tracing = await openTracing(
    `http://127.0.0.1:${(sink.address() as AddressInfo).port}`,
    createLogger('silent'),
    {},
  );
  const { request, span } = beginRequest('bench', {});
  try {
    return await runIn(request, span, run);
  } finally {
    span?.end();
    await tracing?.close();
    sink.closeAllConnections();
    sink.close();
  }
}

async function measureScrapes(figures: Figures, quick: boolean): Promise<void> {
  const names = Array.from({ length: SKILLS }, (_, n) => `skill-${n}`);
  using copies = copiesOf('echo', ...names);
  const { pool, stateDir, cleanUp } = createTestPool(await benchRuntime(), { catalog: copies.catalog });
  const memory = new EntityMemory({ path: join(stateDir, 'memory.db') });
  try {
    const metrics = new Metrics({ pool, memory, exemplars: false });
    const waiting = [...names];
    const launch = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) await pool.getSkillClient(name);
    };
    await Promise.all(Array.from({ length: LAUNCHES }, launch));
    await timesOf(5, () => metrics.exposition());
    for (let round = 0; round < (quick ? 1 : 5); round++) {
      const times = await timesOf(quick ? 10 : 40, () => metrics.exposition());
      figures.add(`a scrape with ${SKILLS} skills, p50`, 'us', percentile(times, 0.5));
      figures.add(`a scrape with ${SKILLS} skills, p99`, 'us', percentile(times, 0.99));
      figures.add(`size of a scrape with ${SKILLS} skills`, 'bytes', (await metrics.exposition()).text.length);
      const one = await timesOf(quick ? 10 : 200, () => metrics.skillExposition('skill-0'));
      figures.add('a scrape of one skill, p50', 'us', percentile(one, 0.5));
    }
  } finally {
    await memory.close();
    await cleanUp();
  }
}
