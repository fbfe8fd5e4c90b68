/** What is asked of the assistant, and how often. Every answer is looked at: a wrong one is an error. */
import type { PatchResult } from '../patch/index.ts';
import type { Operation } from './load.ts';
import type { SystemUnderTest } from './system.ts';

type Op = Operation<SystemUnderTest>;

export interface Scenario {
  description: string;
  /** Seconds, when nobody says otherwise. */
  seconds: number;
  operations: Op[];
  /** Skills of which a spare is kept. */
  warm: string[];
  /** Done before, and not measured. */
  prepare?(system: SystemUnderTest): Promise<void>;
}

/** Facts that are there before the load begins. */
const PEOPLE = 500;
const CITIES = ['Madrid', 'Roma', 'Lugo', 'Oslo', 'Lima', 'Quito', 'Praga', 'Viena'];

const person = (n: number) => `persona ${n % PEOPLE}`;
const city = (n: number) => CITIES[(n % PEOPLE) % CITIES.length] ?? '';

function expect(ok: boolean, what: string, seen: unknown): void {
  if (!ok) throw new Error(`${what}: ${JSON.stringify(seen)?.slice(0, 200)}`);
}

const callSkill = (system: SystemUnderTest, skill: string, body: object, signal: AbortSignal) =>
  system.ask<{ text: string }>('POST', `/api/skills/${skill}/call`, body, signal);

async function prepareFacts(system: SystemUnderTest): Promise<void> {
  const facts = Array.from({ length: PEOPLE }, (_, n) => ({ subject: person(n), verb: 'vive_en', object: city(n) }));
  await system.ask('POST', '/api/memory', { facts });
}

const store = (rate: number): Op => ({
  name: 'store',
  rate,
  timeoutMs: 10_000,
  async run(system, n, signal) {
    const fact = { subject: `cosa ${n}`, verb: 'está_en', object: `sitio ${n % 97}` };
    const { stored } = await system.ask<{ stored: number }>('POST', '/api/memory', fact, signal);
    expect(stored === 1, 'not stored', stored);
  },
});

const recall = (rate: number): Op => ({
  name: 'recall',
  rate,
  timeoutMs: 10_000,
  async run(system, n, signal) {
    const path = `/api/memory?subject=${encodeURIComponent(person(n * 7))}&verb=vive_en`;
    const { triples } = await system.ask<{ triples: { object: string }[] }>('GET', path, undefined, signal);
    expect(triples.length === 1 && triples[0]?.object === city(n * 7), 'recalled wrongly', triples);
  },
});

const chat = (rate: number): Op => ({
  name: 'chat',
  rate,
  timeoutMs: 30_000,
  async run(system, n, signal) {
    const isQuestion = n % 2 === 1;
    const name = `Vecino${'abcdefghij'[Math.floor(n / 2) % 10]}`;
    const content = isQuestion ? `¿Dónde vive ${name}?` : `${name} vive en ${city(Math.floor(n / 2) % 10)}.`;
    const body = { model: 'phoenix', messages: [{ role: 'user', content }] };
    const { choices } = await system.ask<Chat>('POST', '/v1/chat/completions', body, signal);
    const text = choices[0]?.message.content ?? '';
    // Asked before it was told of the first time, it may not know yet.
    expect(text.length > 0, 'no answer', choices);
  },
});

interface Chat {
  choices: { message: { content: string } }[];
}

const generate = (rate: number): Op => ({
  name: 'generate',
  rate,
  timeoutMs: 60_000,
  async run(system, n, signal) {
    const prompt = `<|extract|>Mi amiga ${['Ana', 'Eva', 'Inés', 'Lola'][n % 4]} vive en ${city(n)} y trabaja de jardinera.<|out|>`;
    const model = await system.languageModel();
    const body = { model, prompt, max_tokens: 96, temperature: 0 };
    const { choices } = await system.ask<{ choices: { text: string }[] }>('POST', '/v1/completions', body, signal);
    const text = choices[0]?.text.trim() ?? '';
    // Nano answers with triples; what another model makes of this is its own affair.
    expect(model.includes('nano') ? text.startsWith('[') : text.length > 0, 'no text that was asked for', choices);
  },
});

const sql = (rate: number): Op => ({
  name: 'sql',
  rate,
  timeoutMs: 10_000,
  async run(system, n, signal) {
    const { text } = await callSkill(system, 'sql', { prompt: 'SELECT ? * 2 AS twice', parameters: [n] }, signal);
    expect(text === `[{"twice":${n * 2}}]`, 'a wrong answer', text);
  },
});

const patch = (rate: number): Op => ({
  name: 'patch',
  rate,
  timeoutMs: 60_000,
  async run(system, n, signal) {
    const request = {
      diff: `--- a/sum.js\n+++ b/sum.js\n@@ -1 +1 @@\n-console.log(1);\n+console.log(${n} + 1);\n`,
      files: { 'sum.js': 'console.log(1);\n' },
      ...(system.runtime === 'process' ? {} : { command: ['node', 'sum.js'] }),
    };
    const { text } = await callSkill(
      system,
      'patch-sandbox',
      { prompt: JSON.stringify(request), timeoutMs: 60_000 },
      signal,
    );
    const { verdict, command } = JSON.parse(text) as PatchResult;
    const isRight = system.runtime === 'process' ? verdict === 'applied' : command?.stdout === `${n + 1}\n`;
    expect(isRight, 'a wrong verdict', text);
  },
});

const launch = (rate: number): Op => ({
  name: 'launch',
  rate,
  timeoutMs: 60_000,
  async run(system, _, signal) {
    const { state } = await system.ask<{ state: string }>('POST', '/api/skills/sql/restart', {}, signal);
    expect(state === 'ready', 'it is not ready', state);
  },
});

const MIXED = [store(5), recall(20), chat(4), generate(0.5), sql(10), patch(0.2)];

export const SCENARIOS: Record<string, Scenario> = {
  mixed: {
    description: 'store, recall, chat, generation with speculation, SQL and patches together',
    seconds: 300,
    warm: ['patch-sandbox'],
    operations: MIXED,
    prepare: prepareFacts,
  },
  memory: {
    description: 'storing and recalling, mostly recalling',
    seconds: 60,
    warm: [],
    operations: [store(20), recall(100)],
    prepare: prepareFacts,
  },
  calls: {
    description: 'small calls to one skill',
    seconds: 60,
    warm: [],
    operations: [sql(200)],
    prepare: prepareFacts,
  },
  launch: {
    description: 'a skill is stopped and launched again, and patches, which are a launch each',
    seconds: 60,
    warm: [],
    operations: [launch(0.5), patch(0.5)],
    prepare: prepareFacts,
  },
  speculative: {
    description: 'generation with speculative decoding',
    seconds: 60,
    warm: [],
    operations: [generate(2)],
  },
  soak: {
    description: 'as mixed, at half the rate, for long: what grows?',
    seconds: 3600,
    warm: ['patch-sandbox'],
    operations: MIXED.map((operation) => ({ ...operation, rate: operation.rate / 2 })),
    prepare: prepareFacts,
  },
};
