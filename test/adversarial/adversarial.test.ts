/** Inputs that try to be something else, against the real parts; what is expected of each stands beside it, in the YAML files here. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { applyChanges } from '../../skills/patch-sandbox/apply.ts';
import { DiffError, readDiff } from '../../skills/patch-sandbox/diff.ts';
import { Workspace } from '../../skills/patch-sandbox/workspace.ts';
import { loadConfig } from '../../src/config/index.ts';
import { readManifest } from '../../src/manifest/index.ts';
import { YamlFileError } from '../../src/yaml/read-yaml.ts';
import { type RunningAssistant, startAssistant } from '../support/assistant.ts';
import { sendRaw, toRequest } from '../support/raw-http.ts';

/** A text, or one that is repeated between two others. */
const text = z.union([
  z.string(),
  z
    .strictObject({ repeat: z.string(), times: z.int(), rest: z.string().default(''), end: z.string().default('') })
    .transform(({ repeat, times, rest, end }) => rest + repeat.repeat(times) + end),
]);
const fact = z.tuple([text, text, text]);
const answer = z.strictObject({
  status: z.union([z.int(), z.string()]).optional(),
  message: z.string().optional(),
  text: z.string().optional(),
});
const name = z.string();
const schemas = {
  memory: z.strictObject({
    name,
    memory: fact,
    expect: z.union([z.literal('kept'), answer]),
    not: fact.optional(),
    same: fact.optional(),
  }),
  sql: z.strictObject({
    name,
    sql: text,
    parameters: z.array(z.string()).optional(),
    grants: z.array(z.string()).optional(),
    timeoutMs: z.int().optional(),
    expect: answer,
  }),
  requests: z.strictObject({
    name,
    request: text,
    headers: z.record(z.string(), text).default({}),
    body: text.optional(),
    expect: answer,
  }),
  files: z.strictObject({
    name,
    manifest: text.optional(),
    config: text.optional(),
    diff: text.optional(),
    expect: z.string(),
  }),
  messages: z.strictObject({ name, chat: text, stored: z.int().optional() }),
};

function entries<K extends keyof typeof schemas>(kind: K): z.output<(typeof schemas)[K]>[] {
  const source = readFileSync(join(import.meta.dirname, `${kind}.yaml`), 'utf8');
  return z.array(schemas[kind]).parse(parse(source)) as z.output<(typeof schemas)[K]>[];
}

interface Answer {
  status: number;
  body: string;
}

async function post({ url }: RunningAssistant, path: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(path, url), { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.text() };
}

function assertAnswer({ status, body }: Answer, expected: z.output<typeof answer>): void {
  assert.ok(status < 500 || [503, 504].includes(status), `${status} ${body.slice(0, 300)}`);
  if (expected.status !== undefined)
    assert.match(`${status}`, new RegExp(`^(${expected.status})$`), body.slice(0, 300));
  const json = JSON.parse(body.startsWith('{') ? body : '{}') as { error?: { message?: string }; text?: string };
  if (expected.message !== undefined) assert.match(json.error?.message ?? body, new RegExp(expected.message));
  if (expected.text !== undefined) assert.equal(json.text, expected.text);
}

/** What nothing here may touch. */
const CANARY = { subject: 'canario', verb: 'canta_en', object: 'la mina' };
const HERMANA = 'Mi hermana vive en Madrid';

async function plantCanary(assistant: RunningAssistant): Promise<void> {
  await post(assistant, '/api/memory', CANARY);
  await post(assistant, '/v1/chat/completions', say(HERMANA));
}

async function assertCanary({ url }: RunningAssistant): Promise<void> {
  const { triples } = (await (await fetch(new URL('/api/memory?subject=canario', url))).json()) as {
    triples: (typeof CANARY)[];
  };
  assert.deepEqual(
    triples.map(({ subject, verb, object }) => ({ subject, verb, object })),
    [CANARY],
  );
}

const say = (content: string) => ({ model: 'phoenix', messages: [{ role: 'user', content }] });

describe('adversarial: over HTTP', () => {
  let assistant: RunningAssistant;
  before(async () => {
    assistant = await startAssistant({ PHOENIX_LANGUAGE_UNDERSTANDING: 'rules', PHOENIX_LOG_LEVEL: 'warn' });
    await plantCanary(assistant);
  });
  after(() => assistant[Symbol.asyncDispose]());

  for (const { name, memory, expect, not, same } of entries('memory')) {
    it(`a fact: ${name}`, async () => {
      const told = await post(assistant, '/api/memory', factOf(memory));
      if (expect !== 'kept') return assertAnswer(told, expect);
      assert.equal(told.status, 200, told.body);
      assert.deepEqual(await recalled(assistant, memory), [memory]);
      if (same) assert.deepEqual(await recalled(assistant, same), [memory], 'another name for the same');
      if (not) assert.deepEqual(await recalled(assistant, not), [], 'another name');
    });
  }

  for (const { name, sql, expect, ...rest } of entries('sql')) {
    it(`SQL: ${name}`, async () => {
      assertAnswer(await post(assistant, '/api/skills/sql/call', { prompt: sql, ...rest }), expect);
    });
  }

  for (const { name, request, headers, body, expect } of entries('requests')) {
    it(`a request: ${name}`, async () => {
      const all =
        body === undefined || headers['content-type'] ? headers : { 'content-type': 'application/json', ...headers };
      const lines = Object.entries(all).map(([key, value]) => `${key}: ${value}`);
      const bytes = toRequest(Buffer.from(`${[request, ...lines].join('\n')}\n\n${body ?? ''}`));
      assertAnswer(await sendRaw(assistant.url, bytes), expect);
    });
  }

  it('leaves everything as it was, and a server that goes on without a word of trouble', async () => {
    await assertCanary(assistant);
    // A query without end was among them: the skill is launched anew once its health is asked for in vain.
    const answers = async () => (await post(assistant, '/api/skills/sql/call', { prompt: 'SELECT 1' })).status === 200;
    for (let tries = 0; !(await answers()); tries++) assert.ok(tries < 60, 'the sql skill does not come back');
    const tables = await post(assistant, '/api/skills/sql/call', {
      prompt:
        "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'trigger' OR name NOT GLOB '*memory*' AND name NOT GLOB 'sqlite_*'",
    });
    assert.equal((JSON.parse(tables.body) as { text: string }).text, '[{"n":0}]');
    assert.equal((await fetch(new URL('/health', assistant.url))).status, 200);
    assert.doesNotMatch(assistant.log(), /the request failed|unhandled|Error:/i);
  });
});

function factOf([subject, verb, object]: [string, string, string]) {
  return { subject, verb, object };
}

async function recalled({ url }: RunningAssistant, [subject, verb, object]: [string, string, string]) {
  const target = new URL('/api/memory', url);
  // A longer address is refused: what is recalled by the subject alone has it in it.
  for (const [key, value] of Object.entries({ subject, verb, object }))
    if (value.length < 4000) target.searchParams.set(key, value);
  const { triples } = (await (await fetch(target)).json()) as {
    triples: { subject: string; verb: string; object: string }[];
  };
  return triples.map((triple) => [triple.subject, triple.verb, triple.object]);
}

const wordsOf = (sentence: string): string[] => sentence.toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

for (const understanding of ['rules', 'model'] as const) {
  describe(`adversarial: messages, read by ${understanding}`, () => {
    let assistant: RunningAssistant;
    before(async () => {
      assistant = await startAssistant({ PHOENIX_LANGUAGE_UNDERSTANDING: understanding, PHOENIX_LOG_LEVEL: 'warn' });
      await plantCanary(assistant);
    });
    after(() => assistant[Symbol.asyncDispose]());

    for (const { name, chat, stored } of entries('messages')) {
      it(name, async () => {
        const { status, body } = await post(assistant, '/v1/chat/completions', say(chat));
        assert.ok([200, 400, 413].includes(status), `${status} ${body.slice(0, 300)}`);
        if (status === 200) {
          const { phoenix } = JSON.parse(body) as { phoenix: { stored: (typeof CANARY)[]; forgotten: number } };
          assert.equal(phoenix.forgotten, 0);
          if (understanding === 'rules' && stored !== undefined) assert.equal(phoenix.stored.length, stored, body);
          // Signs between words are no part of them.
          const said = wordsOf(chat);
          for (const word of phoenix.stored.flatMap(({ object }) => wordsOf(object)))
            assert.ok(said.includes(word), `${JSON.stringify(word)} is not in the message`);
        }
        await assertCanary(assistant);
      });
    }

    it('leaves what it knew', async () => {
      const { triples } = (await (await fetch(new URL('/api/memory?object=Madrid', assistant.url))).json()) as {
        triples: unknown[];
      };
      assert.equal(triples.length, 1);
      assert.doesNotMatch(assistant.log(), /the request failed|unhandled|Error:/i);
    });
  });
}

describe('adversarial: files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-adversarial-'));
  after(() => rmSync(folder, { recursive: true }));

  const refusal = (read: () => unknown): string => {
    try {
      read();
      return 'read';
    } catch (error) {
      assert.ok(error instanceof YamlFileError || error instanceof DiffError, String(error));
      return error.message;
    }
  };

  for (const { name, manifest, config, diff, expect } of entries('files')) {
    it(name, () => {
      let found = '';
      if (manifest !== undefined) {
        writeFileSync(join(folder, 'handler.ts'), '');
        writeFileSync(join(folder, 'skill.yaml'), `name: a\nversion: 1.0.0\ndescription: d\n${manifest}\n`);
        found = refusal(() => JSON.stringify(readManifest(join(folder, 'skill.yaml'))));
      } else if (config !== undefined) {
        writeFileSync(join(folder, 'phoenix.yaml'), config);
        found = refusal(() => loadConfig(join(folder, 'phoenix.yaml'), {}));
      } else if (diff !== undefined) {
        const root = join(folder, 'work');
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        writeFileSync(join(root, 'f'), 'a\n');
        symlinkSync(folder, join(root, 'link'));
        found = refusal(() => {
          const { problems } = applyChanges(new Workspace(root), readDiff(diff, undefined), 2);
          if (problems[0]) throw new DiffError(problems[0].reason);
        });
      }
      assert.match(found, new RegExp(expect));
      assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    });
  }
});
