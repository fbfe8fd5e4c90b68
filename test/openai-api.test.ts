/** The OpenAI API with the model that comes with Phoenix, as its official client and the Vercel AI SDK see it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, Output, streamText } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';
import { type RunningAssistant, startAssistant } from './support/assistant.ts';
import { writeVariant } from './support/gguf.ts';
import { NANO_TARGET } from './support/nano.ts';

const model = 'phoenix-nano-target';
const prompt = '<|extract|>Mi hermana Ana vive en Oslo.<|out|>';
const user = (content: string) => [{ role: 'user' as const, content }];

let assistant: RunningAssistant;
let client: OpenAI;
before(async () => {
  assistant = await startAssistant();
  client = new OpenAI({ baseURL: `${assistant.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
after(() => assistant[Symbol.asyncDispose]());

async function refusal(request: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  try {
    await request;
  } catch (error) {
    assert.ok(error instanceof OpenAI.APIError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}

describe('/v1/completions', () => {
  it('gives the same text whole and streamed, with true counts', async () => {
    const whole = await client.completions.create({ model, prompt, max_tokens: 64, temperature: 0 });
    const { text, finish_reason } = whole.choices[0] ?? {};
    assert.ok(JSON.parse(text ?? '').length > 0);
    assert.equal(finish_reason, 'stop');
    const stream = await client.completions.create({
      ...{ model, prompt, max_tokens: 64, temperature: 0, stream: true },
      stream_options: { include_usage: true },
    });
    const pieces: string[] = [];
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      pieces.push(chunk.choices[0]?.text ?? '');
      usage = chunk.usage ?? usage;
    }
    assert.equal(pieces.join(''), text);
    assert.ok(pieces.filter((piece) => piece !== '').length > 5, 'it came in one piece');
    assert.deepEqual(usage, whole.usage);
    // A token for each piece, and the one that ends the text.
    assert.ok((usage?.completion_tokens ?? 0) >= pieces.filter((piece) => piece !== '').length);
  });

  it('honours length, stop sequences, echo and tokens as prompt', async () => {
    const create = async (more: Partial<OpenAI.CompletionCreateParamsNonStreaming>) =>
      (await client.completions.create({ model, prompt, temperature: 0, max_tokens: 64, ...more })).choices[0];
    const whole = (await create({}))?.text ?? '';
    const short = await create({ max_tokens: 3 });
    assert.equal(short?.finish_reason, 'length');
    assert.ok(short.text.length > 0 && whole.startsWith(short.text) && short.text !== whole);
    const stopped = await create({ stop: ['verb', 'never'] });
    assert.equal(stopped?.finish_reason, 'stop');
    assert.equal(stopped.text, whole.slice(0, whole.indexOf('verb')));
    assert.equal((await create({ echo: true }))?.text, prompt + whole);
    const [probable] = [(await create({ logprobs: 0 }))?.logprobs];
    assert.equal(probable?.tokens?.join(''), whole);
    assert.ok(probable.token_logprobs?.every((logprob) => logprob <= 0));
    // 1 is <|query|>, 4 is <|out|>: bytes and merges follow the control tokens.
    assert.equal(typeof (await create({ prompt: [1, 40, 41, 4] }))?.text, 'string');
  });

  it('draws the same text for the same seed, and others for others', async () => {
    const draw = async (seed: number) =>
      (await client.completions.create({ model, prompt: 'Ana', temperature: 1.5, max_tokens: 24, seed })).choices[0]
        ?.text;
    assert.equal(await draw(7), await draw(7));
    assert.ok(new Set(await Promise.all([1, 2, 3, 4].map(draw))).size > 1);
  });

  it('refuses what makes no sense in the shape of the API', async () => {
    const long = await refusal(client.completions.create({ model, prompt: 'palabra '.repeat(800) }));
    assert.deepEqual([long.status, long.code], [400, 'context_length_exceeded']);
    assert.match(long.message, /the prompt has \d+ tokens/);
    const unknown = await refusal(client.completions.create({ model: 'gpt-4', prompt: 'x' }));
    assert.deepEqual([unknown.status, unknown.code, unknown.param], [404, 'model_not_found', 'model']);
    const bad: [object, RegExp][] = [
      [{ temperature: 3 }, /temperature/],
      [{ top_p: 0 }, /top_p/],
      [{ max_tokens: 0 }, /max_tokens/],
      [{ stop: ['a', 'b', 'c', 'd', 'e'] }, /at most 4 stop sequences/],
      [{ n: 2 }, /only one choice/],
      [{ seed: 1.5 }, /seed/],
      [{ suffix: 'and then' }, /suffix/],
      [{ logprobs: 5 }, /logprobs must be 0/],
      [{ prompt: '' }, /prompt/],
      [{ prompt: [1_000_000] }, /tokens of the model/],
    ];
    for (const [wrong, message] of bad) {
      const error = await refusal(client.completions.create({ model, prompt: 'x', ...wrong } as never));
      assert.equal(error.status, 400, JSON.stringify(wrong));
      assert.match(error.message, message);
      assert.equal(error.type, 'invalid_request_error');
    }
  });
});

describe('/v1/chat/completions with the model itself', () => {
  it('writes JSON that a schema describes, by the assistant, too', async () => {
    const schema = { type: 'object', properties: { city: { enum: ['Oslo', 'Rome'] }, far: { type: 'boolean' } } };
    for (const name of [model, 'phoenix']) {
      const { choices } = await client.chat.completions.create({
        ...{ model: name, messages: user('Where is Ana?'), max_tokens: 64, seed: 1 },
        response_format: { type: 'json_schema', json_schema: { name: 'place', schema } },
      });
      const { city, far } = JSON.parse(choices[0]?.message.content ?? '');
      assert.ok(['Oslo', 'Rome'].includes(city) && typeof far === 'boolean');
    }
    const grammar = { type: 'grammar', grammar: 'root ::= "yes" | "no"' };
    const { choices } = await client.chat.completions.create({
      ...{ model, messages: user('Really?'), response_format: grammar as never },
    });
    assert.match(choices[0]?.message.content ?? '', /^(yes|no)$/);
  });

  it('says how probable tokens were and, when asked, where they came from', async () => {
    const { choices } = await client.chat.completions.create({
      ...{ model, messages: user('hola'), max_tokens: 4, logprobs: true, seed: 1 },
    });
    const tokens = choices[0]?.logprobs?.content ?? [];
    assert.ok(tokens.length > 0 && tokens.every(({ logprob }) => logprob <= 0));
    const stream = await client.chat.completions.create({
      ...{ model, messages: user('hola'), max_tokens: 4, seed: 1, stream: true, phoenix: { origins: true } },
    } as OpenAI.ChatCompletionCreateParamsStreaming);
    const origins: unknown[] = [];
    for await (const chunk of stream) {
      const { phoenix } = chunk as { phoenix?: { origin?: string } };
      if (phoenix?.origin) origins.push(phoenix.origin);
    }
    assert.equal(origins.length, tokens.length);
  });

  it('refuses grammars and schemas that are none', async () => {
    for (const format of [
      { type: 'grammar', grammar: 'root ::= (' },
      { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'nothing' } } },
    ]) {
      const request = { model, messages: user('x'), response_format: format as never, max_tokens: 8 };
      const error = await refusal(client.chat.completions.create(request));
      assert.deepEqual([error.status, error.param], [400, 'response_format'], error.message);
    }
    const wanted = { model, messages: user('x'), logprobs: true, top_logprobs: 3 };
    assert.match((await refusal(client.chat.completions.create(wanted))).message, /top_logprobs/);
  });

  it('cuts an answer by rules where a model would have had to stop', async () => {
    const say = async (more: object) =>
      (await client.chat.completions.create({ model: 'phoenix', messages: user('¿Qué puedes hacer?'), ...more }))
        .choices[0];
    const whole = (await say({}))?.message.content ?? '';
    const short = await say({ max_tokens: 3 });
    assert.equal(short?.finish_reason, 'length');
    assert.ok(whole.startsWith(short.message.content ?? '?'));
    assert.equal((await say({ stop: 'cuentas' }))?.message.content, whole.slice(0, whole.indexOf('cuentas')));
  });
});

describe('/v1/embeddings', () => {
  it('gives a vector for each text, the same in both encodings', async () => {
    const input = ['Ana vive en Oslo', 'tea'];
    const create = (encoding_format: 'float' | 'base64') => client.embeddings.create({ model, input, encoding_format });
    const { data, usage } = await create('float');
    assert.deepEqual(
      data.map(({ index }) => index),
      [0, 1],
    );
    assert.ok(data.every(({ embedding }) => embedding.length >= 64 && embedding.every(Number.isFinite)));
    assert.notDeepEqual(data[0]?.embedding, data[1]?.embedding);
    assert.ok(usage.prompt_tokens > 4);
    const coded = (await create('base64')).data[0]?.embedding as unknown as string;
    const bytes = Buffer.from(coded, 'base64');
    assert.equal(bytes.length, 4 * (data[0]?.embedding.length ?? 0));
    assert.equal(bytes.readFloatLE(0), Math.fround(data[0]?.embedding[0] ?? Number.NaN));
    const error = await refusal(client.embeddings.create({ model, input: 'x'.repeat(5000) }));
    assert.equal(error.code, 'context_length_exceeded');
  });
});

describe('a model that can talk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-chat-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('answers what is neither statement nor question, with the facts; the memory answers the rest', async () => {
    const file = join(folder, 'chat.gguf');
    const template = '{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]';
    writeVariant(NANO_TARGET, file, { type: 'q8_0', chatTemplate: template });
    const environment = { PHOENIX_MODELS_TARGET: file, PHOENIX_LANGUAGE_UNDERSTANDING: 'rules' };
    await using talking = await startAssistant(environment);
    const say = async (content: string) => {
      const body = { model: 'phoenix', messages: user(content), max_tokens: 12, seed: 1, temperature: 0 };
      const response = await fetch(`${talking.url}/v1/chat/completions`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
      });
      return (await response.json()) as { phoenix: { generated_by?: string; recalled: unknown[]; stored: unknown[] } };
    };
    const told = await say('Mi hermana vive en Madrid');
    assert.deepEqual([told.phoenix.generated_by, told.phoenix.stored.length], [undefined, 1]);
    assert.equal((await say('¿Dónde vive mi hermana?')).phoenix.generated_by, undefined);
    const talk = await say('2 + 2, y algo de la hermana');
    assert.deepEqual([talk.phoenix.generated_by, talk.phoenix.recalled.length], [model, 1]);
  });
});

describe('a client that goes away', () => {
  it('ends what was generated for it', async () => {
    const ended = async () => {
      const metrics = await (await fetch(`${assistant.url}/metrics`)).text();
      return Number(/^sarai_generations_total\{finish_reason="cancelled"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
    };
    const before = await ended();
    const gone = new AbortController();
    // A grammar without an end: only leaving ends it before the context is full.
    const response_format = { type: 'grammar', grammar: 'root ::= [a-z ] root' } as never;
    const request = { model, messages: user('hola'), response_format, stream: true } as const;
    const stream = await client.chat.completions.create(request, { signal: gone.signal });
    for await (const _ of stream) gone.abort();
    for (let left = 100; (await ended()) === before; left--) {
      assert.ok(left > 0, 'it goes on');
      await sleep(50);
    }
  });
});

describe('Vercel AI SDK', () => {
  const provider = () =>
    createOpenAICompatible({ name: 'phoenix', baseURL: `${assistant.url}/v1`, supportsStructuredOutputs: true });

  it('generates and streams text', async () => {
    const assistantModel = provider()('phoenix');
    const told = await generateText({ model: assistantModel, prompt: 'Mi tía vive en Lugo' });
    assert.equal(told.text, 'Entendido: tu tía vive en Lugo.');
    const { textStream, finishReason, usage } = streamText({ model: assistantModel, prompt: '¿Dónde vive mi tía?' });
    const pieces: string[] = [];
    for await (const piece of textStream) pieces.push(piece);
    assert.equal(pieces.join(''), 'Tu tía vive en Lugo.');
    assert.equal(await finishReason, 'stop');
    assert.ok(((await usage).inputTokens ?? 1) > 0);
  });

  it('generates an object that a schema describes', async () => {
    const schema = z.object({ mood: z.enum(['good', 'bad']), sure: z.boolean() });
    const { output } = await generateText({
      ...{ model: provider()(model), output: Output.object({ schema }), prompt: 'How are you?', seed: 3 },
    });
    assert.ok(schema.safeParse(output).success);
  });
});
