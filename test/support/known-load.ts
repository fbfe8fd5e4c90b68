/** An assistant, a Prometheus that scrapes it, and a load of which every number is known. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ClientEvent,
  enrol,
  FederationClient,
  FederationServer,
  federatedFolders,
  invite,
} from '../../src/federated/index.ts';
import { startAssistant } from './assistant.ts';
import { writeVariant } from './gguf.ts';
import { MEAN_SPEC, MeanModel } from './mean-model.ts';
import { NANO_TARGET } from './nano.ts';
import { FIXTURES } from './pool.ts';
import { type RunningPrometheus, startPrometheus } from './prometheus.ts';

/** What happened while Prometheus looked, and what skills there are. */
export const LOAD = {
  requests: 30,
  withSkill: 18,
  /** Calls of `echo` that sleep for 30 ms. */
  sleeps: 10,
  memoryBudget: 8 * 1024 ** 3,
  running: ['draft', 'echo', 'sql'],
  idle: ['chain-draft', 'once', 'patch-sandbox', 'reader', 'rogue-draft', 'stateless'],
  /** One cannot start, one cannot be read. */
  broken: ['bad-manifest', 'broken-start'],
  /** Of one federated round. */
  privacy: { noise: 4, budget: 2, delta: 1e-5 },
} as const;

/** One line of a model's own prompt; three of them are fewer tokens than the acceptance rate looks back on. */
const COMPLETION = {
  model: 'phoenix-nano-target',
  prompt: '<|extract|>Mi hermana Ana vive en Oslo y le gusta el ajedrez.<|out|>',
  max_tokens: 64,
  temperature: 0,
};
const GRAMMAR = { response_format: { type: 'grammar', grammar: 'root ::= "x"' } };

export interface KnownLoad extends AsyncDisposable {
  prometheus: RunningPrometheus;
  /** How each running skill is isolated, as the assistant says. */
  isolation(): Promise<Record<string, string>>;
}

/** A federated round that is coordinated here, with an update of a client, and no second one. */
async function coordinateRound(stateDir: string): Promise<void> {
  const { noise, budget, delta } = LOAD.privacy;
  const folder = federatedFolders(stateDir).coordinator;
  await using stack = new AsyncDisposableStack();
  const released = Promise.withResolvers<void>();
  stack.use(
    await FederationServer.start({
      ...{ folder, spec: MEAN_SPEC, host: '127.0.0.1', port: 0, enrolmentPort: 0 },
      settings: { mode: 'full', rate: 1, noise, clip: 10, population: 100, roundMs: 2000, pauseMs: 600_000 },
      policy: { epsilon: budget, delta, adjacency: 'add_remove', unit: 'client' },
      onEvent(event) {
        if (event.type === 'failed') released.reject(event.error);
        if (event.type === 'round') released.resolve();
      },
    }),
  );
  const own = join(stateDir, 'client');
  await enrol(own, await invite(folder, 60_000));
  const events: string[] = [];
  const onEvent = ({ type }: ClientEvent) => events.push(type);
  const client = stack.use(new FederationClient({ folder: own, model: new MeanModel([1, 0, 0, 0]), onEvent }));
  await client.step(30_000);
  await released.promise;
  assert.deepEqual(events, ['submitted']);
}

/** Starts both, makes the load, and waits until all of it was scraped. */
export async function startKnownLoad(): Promise<KnownLoad> {
  await using stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-load-'));
  stack.defer(() => rmSync(folder, { recursive: true, force: true }));
  // A model for which proposals pay: it says what nano says, and takes longer.
  const model = join(folder, 'slow.gguf');
  writeVariant(NANO_TARGET, model, { type: 'q8_0', extraLayers: 12, width: 1024 });
  const assistant = stack.use(
    await startAssistant({
      PHOENIX_SKILL_DIRS: `[${FIXTURES}]`,
      PHOENIX_MEMORY_TIMEOUT: '30s',
      PHOENIX_LANGUAGE_UNDERSTANDING: 'rules',
      PHOENIX_MODELS_TARGET: model,
      PHOENIX_MODELS_SPECULATION: 'distribution',
      PHOENIX_POOL_MEMORY_BUDGET: String(LOAD.memoryBudget),
    }),
  );
  await coordinateRound(assistant.stateDir);
  const get = (path: string) => fetch(new URL(path, assistant.url));
  const post = async (path: string, body: unknown = {}, expected = 200) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(new URL(path, assistant.url), init);
    assert.equal(response.status, expected, `${path}: ${await response.text()}`);
  };
  const say = (content: string, options: object = {}) =>
    post('/v1/chat/completions', { model: 'phoenix', messages: [{ role: 'user', content }], ...options });
  const call = (prompt: string, status?: number) => post('/api/skills/echo/call', { prompt }, status);

  // The memory knows its skill, and the model is loaded, from here on.
  await post('/api/skills/sql/start');
  await post('/api/memory', { subject: 'Ana', verb: 'tiene', object: 'prisa' });
  await post('/v1/completions', COMPLETION);
  const prometheus = stack.use(await startPrometheus({ assistantUrl: assistant.url }));
  await prometheus.untilScraped(2);

  // The first error of a code makes its series: one that is counted has to follow.
  await call('fail:on purpose', 400);
  await prometheus.untilScraped();
  await call('fail:on purpose', 400);
  await post('/api/skills/broken-start/start', {}, 503);
  for (let n = 0; n < LOAD.sleeps; n++) await call('sleep:30');
  for (let n = 0; n < LOAD.requests; n++) {
    if (n >= LOAD.withSkill) await say('Hola');
    else if (n % 2 === 0) await say(`Mi hermana vive en Ciudad${n}`);
    // A grammar is decoded without speculation.
    else await say('¿Dónde vive mi hermana?', n === 1 ? GRAMMAR : {});
  }
  // Whether to propose is decided by measured time: a busy machine may need another go.
  const tested = async () => {
    const text = await (await get('/metrics')).text();
    return [...text.matchAll(/^sarai_speculative_tested_total\S* (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
  };
  const before = await tested();
  for (let n = 0; n < 20 && (n < 2 || (await tested()) === before); n++) await post('/v1/completions', COMPLETION);
  // One recall without the skill, which starts it again.
  await post('/api/skills/sql/stop');
  await prometheus.untilScraped();
  assert.equal((await get('/api/memory?subject=hermana')).status, 200);
  await prometheus.untilQuery('it is back', 'up{skill_name="sql"}', ([sample]) => sample?.value === 1);
  const memory = 'container_memory_usage_bytes{name="saraiskill.sql"}';
  await prometheus.untilQuery('its memory was measured', memory, (samples) => samples.length === 1);
  await prometheus.untilScraped(2);

  const owned = stack.move();
  return {
    prometheus,
    async isolation() {
      const { skills } = (await (await get('/api/skills')).json()) as {
        skills: { name: string; isolation?: string }[];
      };
      return Object.fromEntries(skills.flatMap(({ name, isolation }) => (isolation ? [[name, isolation]] : [])));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
