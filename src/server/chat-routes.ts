import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import {
  type ChatAnswer,
  type ChatMessage,
  type ChatOptions,
  measured,
  type Operations,
  type ReplyPiece,
} from '../assistant/index.ts';
import type { Generation, Generator } from '../generation/index.ts';
import { continueTrace, iterateIn, RequestContext, runIn } from '../tracing/index.ts';
import { chatRequest, generationOptions, outputFormat, unknownModel } from './openai.ts';
import { clientGone, sendEvents } from './sse.ts';

/** The assistant, with its memory. */
export const ASSISTANT = 'phoenix';

/** `POST /v1/chat/completions` and `GET /v1/models`: https://platform.openai.com/docs/api-reference/chat */
export function chatRoutes(app: FastifyInstance, operations: Operations, generator: Generator): void {
  const models = () => [ASSISTANT, ...[generator.name].filter((name) => name !== undefined)];
  app.get('/v1/models', () => ({ object: 'list', data: models().map((id) => modelObject(id, generator)) }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', ({ params }) => {
    if (!models().includes(params.id)) throw unknownModel(params.id, models());
    return modelObject(params.id, generator);
  });

  app.post('/v1/chat/completions', async (request, reply) => {
    const body = chatRequest.parse(request.body);
    const { model, messages, logprobs, stream } = body;
    if (!models().includes(model)) throw unknownModel(model, models());
    const requestId = randomUUID();
    const options = {
      ...generationOptions(body),
      requestId,
      format: outputFormat(body.response_format),
      confidence: logprobs === true,
    };
    const gone = clientGone(reply);
    const pieces = await continueTrace(request.headers.traceparent, () =>
      model === ASSISTANT ? operations.reply(messages, options, gone) : plainReply(generator, messages, options, gone),
    );
    const context = { id: `chatcmpl-${requestId}`, created: Math.floor(Date.now() / 1000), model };
    if (stream) {
      const extras = {
        usage: body.stream_options?.include_usage === true,
        origins: body.phoenix?.origins === true,
        logprobs: logprobs === true,
        details: (answer: ChatAnswer) => detailsOf(answer, generator),
      };
      return await sendEvents(reply, chunks(pieces, context, extras));
    }
    const tokens: ReplyPiece[] = [];
    for await (const piece of pieces) {
      if (!piece.answer) {
        tokens.push(piece);
        continue;
      }
      const choice = {
        index: 0,
        message: { role: 'assistant', content: piece.answer.text, refusal: null },
        logprobs: logprobs ? { content: tokens.flatMap(logprobOf), refusal: null } : null,
        finish_reason: piece.answer.finish,
      };
      const details = detailsOf(piece.answer, generator);
      return {
        ...context,
        object: 'chat.completion',
        choices: [choice],
        usage: usageOf(piece.answer),
        phoenix: details,
      };
    }
    throw new Error('the assistant gave no answer');
  });
}

/** What the model says by itself, without the assistant and its memory. @throws GenerationError */
async function plainReply(
  generator: Generator,
  messages: readonly ChatMessage[],
  { requestId, ...options }: ChatOptions & { requestId: string },
  signal: AbortSignal,
): Promise<AsyncIterable<ReplyPiece>> {
  const started = performance.now();
  const request = new RequestContext();
  const turns = messages.map(({ role, content }) => ({
    role: role === 'assistant' || role === 'user' ? role : ('system' as const),
    text: content,
  }));
  const generation = await runIn(request, undefined, () => generator.generate({ messages: turns }, options, signal));
  return iterateIn(request, undefined, () => measured(replyOf(generation, requestId), started));
}

async function* replyOf(generation: Generation, requestId: string): AsyncGenerator<ReplyPiece> {
  const { promptTokens, model } = generation;
  let text = '';
  let completionTokens = 0;
  for await (const { token: _, finish, ...piece } of generation) {
    text += piece.text;
    completionTokens++;
    yield piece;
    if (!finish) continue;
    const nothing = { requestId, language: 'en', forgotten: 0, memory: undefined } as const;
    yield {
      text: '',
      answer: { ...nothing, stored: [], recalled: [], skills: [], text, model, finish, promptTokens, completionTokens },
    };
  }
}

interface Context {
  id: string;
  created: number;
  model: string;
}

async function* chunks(
  pieces: AsyncIterable<ReplyPiece>,
  context: Context,
  extras: Record<'usage' | 'origins' | 'logprobs', boolean> & { details: (answer: ChatAnswer) => object },
): AsyncGenerator<object> {
  const chunk = (delta: object, finish: string | null, more: object = {}, logprobs: object | null = null) => ({
    ...context,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs, finish_reason: finish }],
    ...more,
  });
  let isFirst = true;
  for await (const piece of pieces) {
    if (isFirst) yield chunk({ role: 'assistant', content: '' }, null);
    isFirst = false;
    const { text, origin, answer } = piece;
    if (answer) {
      yield chunk({}, answer.finish, { phoenix: extras.details(answer) });
      if (extras.usage) {
        yield { ...context, object: 'chat.completion.chunk', choices: [], usage: usageOf(answer) };
      }
    } else if (text !== '' || extras.origins || extras.logprobs) {
      const logprobs = extras.logprobs ? { content: logprobOf(piece), refusal: null } : null;
      yield chunk({ content: text }, null, extras.origins && origin ? { phoenix: { origin } } : {}, logprobs);
    }
  }
}

function logprobOf({ text, confidence }: ReplyPiece): object[] {
  if (confidence === undefined) return [];
  const logprob = Math.log(Math.max(confidence, Number.MIN_VALUE));
  return [{ token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }];
}

function modelObject(id: string, { loaded }: Generator) {
  // Ours: known once the model is loaded.
  const talks = id === loaded?.name ? { can_chat: loaded.canChat } : {};
  return { id, object: 'model', created: 0, owned_by: 'phoenix', ...talks };
}

/** What Phoenix did beside answering; clients that do not know the field ignore it. */
function detailsOf({ model, work, ...answer }: ChatAnswer, generator: Generator) {
  const { requestId, language, stored, recalled, forgotten, memory, skills } = answer;
  const plain = model === undefined ? undefined : generator.statistics()?.plainTokensPerSecond;
  return {
    request_id: requestId,
    ...{ language, stored, recalled, forgotten, memory, skills, generated_by: model },
    work: { ...work, ...(plain !== undefined && { plainTokensPerSecond: plain }) },
  };
}

function usageOf({ promptTokens, completionTokens }: Pick<ChatAnswer, 'promptTokens' | 'completionTokens'>) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}
