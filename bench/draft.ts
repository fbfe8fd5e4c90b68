/** From a commit to the proposal that follows it: drafting streams beside a bare gRPC stream and calls that carry the whole text. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import { SkillServiceClient } from '../src/contract/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { RemoteDraft } from '../src/speculative/index.ts';
import { availableRuntimes, createTestPool } from '../test/support/pool.ts';
import { Figures, percentile, ratio, report, timesOf } from './measure.ts';
import { benchCatalog } from './pool.ts';

/** Tokens of the text when it is asked, and that are asked for. */
const TEXT = 2000;
const TOKENS = 4;
const LONG_MS = 10_000;
/** How long the target is imagined to verify, in milliseconds: a small one on a processor. */
const VERIFY_MS = 5;
const OPTIONS = { seed: 1, temperature: 0, topK: 1, topP: 1, minP: 0, vocabularyHash: 'bench' };
const PROMPT = Array.from({ length: TEXT }, (_, n) => (n * 7919) % 32_000);

const BARE = 'bare gRPC stream, commit to 4 tokens, p50';
const corrected = (runtime: RuntimeName) => `${runtime}: wrong token committed to 4 tokens, p50`;
const ahead = (runtime: RuntimeName) => `${runtime}: wait for 4 tokens, ${VERIFY_MS} ms after right ones, p50`;
const whole = (runtime: RuntimeName) => `${runtime}: call with ${TEXT} tokens to ${TOKENS} tokens, p50`;
const unary = (runtime: RuntimeName) => `${runtime}: unary call with ${TEXT} tokens to ${TOKENS} tokens, p50`;

/** Measures one thing once. @returns microseconds */
type Measure = () => Promise<number>;

export async function benchDraft({ quick }: { quick: boolean }): Promise<Figures> {
  const runs = quick ? 200 : 1000;
  const rounds = quick ? 2 : 7;
  const runtimes = await availableRuntimes();
  const figures = new Figures();
  const stack = new AsyncDisposableStack();
  try {
    const measures: [name: string, measure: Measure][] = [[BARE, await bareStream(stack, runs)]];
    for (const runtime of runtimes) measures.push(...(await skillStreams(stack, runtime, runs)));
    for (const [, measure] of measures) await measure();
    for (let round = 0; round < rounds; round++) {
      for (const [name, measure] of measures) figures.add(name, 'us', await measure());
    }
  } finally {
    await stack.disposeAsync();
  }
  const ratios = runtimes.flatMap((runtime) => [
    ratio(`${runtime}: stream to bare stream`, figures.get(corrected(runtime)), figures.get(BARE)),
    ratio(
      `${runtime}: call with the whole text to stream`,
      figures.get(whole(runtime)),
      figures.get(corrected(runtime)),
    ),
    ratio(`${runtime}: unary call to stream`, figures.get(unary(runtime)), figures.get(corrected(runtime))),
  ]);
  process.stdout.write(report('proposals of a draft that takes no time itself', figures.all(), ratios));
  return figures;
}

async function bareStream(stack: AsyncDisposableStack, runs: number): Promise<Measure> {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
  const socket = join(folder, 'bidi.sock');
  const server = spawn(process.execPath, [join(import.meta.dirname, 'bidi_server.ts'), socket], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(() => {
    server.kill();
    rmSync(folder, { recursive: true });
  });
  await once(server.stdout, 'data');
  const client = new SkillServiceClient(`unix:${socket}`, credentials.createInsecure());
  stack.defer(() => client.close());
  const stream = client.draft();
  stream.on('error', () => {});
  stack.defer(() => stream.cancel());
  let position = TEXT;
  return async () =>
    p50(
      await timesOf(runs, () => {
        stream.write({ open: undefined, commit: { position: position++, tokens: [position % 32_000] } });
        return once(stream, 'data');
      }),
    );
}

async function skillStreams(
  stack: AsyncDisposableStack,
  runtime: RuntimeName,
  runs: number,
): Promise<[name: string, measure: Measure][]> {
  const { pool, paths, cleanUp } = createTestPool(runtime, { catalog: benchCatalog() });
  stack.defer(cleanUp);
  const client = await pool.getSkillClient('bench-draft');
  const socket = join(paths.socketDir('bench-draft'), 'skill.sock');
  const unaryClient = new SkillServiceClient(`unix:${socket}`, credentials.createInsecure());
  stack.defer(() => unaryClient.close());
  const stream = new RemoteDraft(client).open(PROMPT, OPTIONS);
  stack.defer(() => stream.close());
  const propose = async () => {
    const tokens = await stream.propose(TOKENS, LONG_MS);
    if (tokens.length < TOKENS) throw new Error(`${tokens.length} tokens were proposed: ${stream.reason}`);
    return tokens;
  };
  const request = {
    ...{ prompt: PROMPT.join(' '), maxTokens: TOKENS, temperature: 0, stop: [], topP: 0, context: {} },
    sql: undefined,
  };
  return [
    [
      corrected(runtime),
      async () => {
        let [proposed = 0] = await propose();
        return p50(
          await timesOf(runs, async () => {
            stream.commit([(proposed + 1) % 32_000]);
            [proposed = 0] = await propose();
          }),
        );
      },
    ],
    [
      ahead(runtime),
      async () => {
        const times: number[] = [];
        for (let n = 0; n < runs / 10; n++) {
          stream.commit(await propose());
          await sleep(VERIFY_MS);
          times.push(...(await timesOf(1, propose)));
        }
        return p50(times);
      },
    ],
    [whole(runtime), async () => p50(await timesOf(runs / 2, () => client.infer(request)))],
    [
      unary(runtime),
      async () =>
        p50(
          await timesOf(
            runs / 2,
            () =>
              new Promise((resolve, reject) => {
                unaryClient.infer(request, (error, answer) => (error ? reject(error) : resolve(answer)));
              }),
          ),
        ),
    ],
  ];
}

function p50(times: readonly number[]): number {
  return percentile(times, 0.5);
}
