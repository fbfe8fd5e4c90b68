/** Calls of a skill beside a stock Python grpcio echo server, both on unix sockets, in turns. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { credentials } from '@grpc/grpc-js';
import { SkillServiceClient } from '../src/contract/index.ts';
import { createTestPool } from '../test/support/pool.ts';
import { Figures, percentile, rateOf, ratio, report, timesOf } from './measure.ts';
import { benchCatalog, benchRuntime, engineRuntime } from './pool.ts';

const PYTHON = '/usr/bin/python3';
const PROTO = join(import.meta.dirname, '../proto');
const IN_FLIGHT = 64;

export async function benchCalls({ quick }: { quick: boolean }): Promise<Figures> {
  const calls = quick ? 500 : 5000;
  const rounds = quick ? 1 : 5;
  const runtime = await benchRuntime();
  const { pool, paths, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
  const engines = (await engineRuntime()).map((name) => createTestPool(name, { catalog: benchCatalog() }));
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
  const pythonSocket = join(folder, 'echo.sock');
  const python = spawn(PYTHON, [join(import.meta.dirname, 'echo_server.py'), pythonSocket, PROTO], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ping = spawn(process.execPath, [join(import.meta.dirname, 'ping_server.ts'), join(folder, 'ping.sock')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const figures = new Figures();
  try {
    await Promise.all([once(python.stdout, 'data'), once(ping.stdout, 'data')]);
    const raw = createConnection({ path: join(folder, 'ping.sock') });
    const callRaw = () => {
      raw.write('hello');
      return once(raw, 'data');
    };
    await timesOf(calls, callRaw);
    const client = await pool.getSkillClient('bench-echo');
    const unary = new SkillServiceClient(
      `unix:${join(paths.socketDir('bench-echo'), 'skill.sock')}`,
      credentials.createInsecure(),
    );
    const request = { prompt: 'hello', maxTokens: 0, temperature: 0, stop: [], topP: 0, context: {}, sql: undefined };
    const callUnary = () =>
      new Promise((resolve, reject) => {
        unary.infer(request, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
    const callSession = () => client.infer({ prompt: 'hello' });
    await timesOf(calls, callSession);
    const contained = await containedCall(engines);
    if (contained) await timesOf(calls, contained);
    await timesOf(500, callUnary);
    for (let round = 0; round < rounds; round++) {
      figures.add(
        'five bytes there and back between two Node processes, p50',
        'us',
        percentile(await timesOf(calls, callRaw), 0.5),
      );
      if (contained)
        figures.add('session call into a container, p50', 'us', percentile(await timesOf(calls, contained), 0.5));
      for (const [name, call] of [
        ['session', callSession],
        ['unary', callUnary],
      ] as const) {
        const times = await timesOf(name === 'unary' ? calls / 5 : calls, call);
        figures.add(`${name} call, p50`, 'us', percentile(times, 0.5));
        figures.add(`${name} call, p99`, 'us', percentile(times, 0.99));
        const many = name === 'unary' ? calls * 2 : calls * 10;
        figures.add(`${name} calls, ${IN_FLIGHT} in flight`, 'calls/s', await rateOf(many, IN_FLIGHT, call));
      }
      const { stdout } = await promisify(execFile)(PYTHON, [
        join(import.meta.dirname, 'echo_client.py'),
        ...[pythonSocket, PROTO, String(calls / 5), String(IN_FLIGHT)],
      ]);
      const grpcio = JSON.parse(stdout) as { p50_us: number; p99_us: number; rate: number };
      figures.add('grpcio echo server and client, p50', 'us', grpcio.p50_us);
      figures.add('grpcio echo server and client, p99', 'us', grpcio.p99_us);
      figures.add(`grpcio echo server and client, ${IN_FLIGHT} in flight`, 'calls/s', grpcio.rate);
    }
    unary.close();
    raw.destroy();
  } finally {
    python.kill();
    ping.kill();
    for (const engine of engines) await engine.cleanUp();
    await cleanUp();
    rmSync(folder, { recursive: true });
  }
  const rate = (name: string) => figures.get(`${name}, ${IN_FLIGHT} in flight`);
  process.stdout.write(
    report(`calls of a skill (${runtime})`, figures.all(), [
      ratio('session to grpcio, calls/s', rate('session calls'), rate('grpcio echo server and client')),
      ratio(
        'grpcio to session, p50',
        figures.get('grpcio echo server and client, p50'),
        figures.get('session call, p50'),
      ),
      ...(engines.length > 0
        ? [
            ratio(
              `container to ${runtime}, p50`,
              figures.get('session call into a container, p50'),
              figures.get('session call, p50'),
            ),
          ]
        : []),
    ]),
  );
  return figures;
}

/** A call through the session of a skill in a container, if there is an engine. */
async function containedCall(
  pools: readonly ReturnType<typeof createTestPool>[],
): Promise<(() => Promise<unknown>) | undefined> {
  const client = await pools[0]?.pool.getSkillClient('bench-echo');
  return client && (() => client.infer({ prompt: 'hello' }));
}
