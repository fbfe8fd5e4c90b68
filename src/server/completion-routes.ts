import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { GeneratedPiece, Generation, Generator } from '../generation/index.ts';
import { continueTrace } from '../tracing/index.ts';
import { completionRequest, embeddingRequest, generationOptions, unknownModel } from './openai.ts';
import { clientGone, sendEvents } from './sse.ts';

/** Tokens that are generated when a request does not say how many: https://platform.openai.com/docs/api-reference/completions */
const DEFAULT_MAX_TOKENS = 16;

/** `POST /v1/completions` and `POST /v1/embeddings`: the language model by itself. */
export function completionRoutes(app: FastifyInstance, generator: Generator): void {
  const check = (model: string) => {
    const known = [generator.name].filter((name) => name !== undefined);
    if (!known.includes(model)) throw unknownModel(model, known);
  };

  app.post('/v1/completions', async (request, reply) => {
    const body = completionRequest.parse(request.body);
    check(body.model);
    const { prompt } = body;
    const input = typeof prompt === 'string' ? { raw: prompt } : { tokens: prompt };
    const options = { maxTokens: DEFAULT_MAX_TOKENS, ...generationOptions(body), confidence: body.logprobs === 0 };
    const generation = await continueTrace(request.headers.traceparent, () =>
      generator.generate(input, options, clientGone(reply)),
    );
    const context = { id: `cmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model: body.model };
    const echo = body.echo === true && typeof prompt === 'string' ? prompt : '';
    if (body.stream) {
      const origins = body.phoenix?.origins === true;
      const usage = body.stream_options?.include_usage === true;
      return await sendEvents(reply, chunks(generation, context, echo, { origins, usage }));
    }
    const pieces: GeneratedPiece[] = [];
    for await (const piece of generation) pieces.push(piece);
    const choice = {
      index: 0,
      text: echo + pieces.map(({ text }) => text).join(''),
      logprobs: body.logprobs === 0 ? logprobsOf(pieces) : null,
      finish_reason: pieces.at(-1)?.finish ?? 'stop',
    };
    return {
      ...context,
      object: 'text_completion',
      choices: [choice],
      usage: usageOf(generation.promptTokens, pieces.length),
    };
  });

  app.post('/v1/embeddings', async (request, reply) => {
    const body = embeddingRequest.parse(request.body);
    check(body.model);
    const { vectors, tokens } = await continueTrace(request.headers.traceparent, () =>
      generator.embed(body.input, clientGone(reply)),
    );
    const encode = (vector: readonly number[]) =>
      body.encoding_format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector;
    return {
      object: 'list',
      data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
      model: body.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  });
}

async function* chunks(
  generation: Generation,
  context: { id: string; created: number; model: string },
  echo: string,
  { origins, usage }: { origins: boolean; usage: boolean },
): AsyncGenerator<object> {
  const chunk = (text: string, finish: string | null, more: object = {}) => ({
    ...context,
    object: 'text_completion',
    choices: [{ index: 0, text, logprobs: null, finish_reason: finish }],
    ...more,
  });
  let tokens = 0;
  if (echo) yield chunk(echo, null);
  for await (const { text, finish = null, origin } of generation) {
    tokens++;
    if (text === '' && finish === null && !origins) continue;
    yield chunk(text, finish, origins ? { phoenix: { origin } } : {});
  }
  if (usage) {
    yield { ...context, object: 'text_completion', choices: [], usage: usageOf(generation.promptTokens, tokens) };
  }
}

function logprobsOf(pieces: readonly GeneratedPiece[]) {
  const known = pieces.filter(({ confidence }) => confidence !== undefined);
  return {
    tokens: known.map(({ text }) => text),
    token_logprobs: known.map(({ confidence = 1 }) => Math.log(Math.max(confidence, Number.MIN_VALUE))),
    top_logprobs: null,
    text_offset: known.map((_, n) => known.slice(0, n).reduce((sum, { text }) => sum + text.length, 0)),
  };
}

function usageOf(prompt: number, completion: number) {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}
