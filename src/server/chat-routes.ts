import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ChatAnswer, ChatMessage, Operations } from '../assistant/index.ts';
import { RequestError } from './errors.ts';

export const MODEL = 'phoenix';

const textPart = z.object({ type: z.literal('text'), text: z.string() });
const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z
    .union([z.string(), z.array(textPart, 'only parts of type "text" are understood'), z.null()])
    .optional()
    .transform((content) => (Array.isArray(content) ? content.map(({ text }) => text).join('') : (content ?? ''))),
});

/** The part of the chat completion request that matters here; what else clients send is accepted and has no effect. */
const chatRequest = z.object({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  n: z.literal(1, 'only one choice is made').nullish(),
});

type Usage = { prompt_tokens: number; completion_tokens: number; total_tokens: number };

/** `POST /v1/chat/completions` and `GET /v1/models`: https://platform.openai.com/docs/api-reference/chat */
export function chatRoutes(app: FastifyInstance, operations: Operations): void {
  app.get('/v1/models', () => ({ object: 'list', data: [modelObject()] }));
  app.get<{ Params: { id: string } }>('/v1/models/:id', ({ params }) => {
    if (params.id !== MODEL) throw unknownModel(params.id);
    return modelObject();
  });

  app.post('/v1/chat/completions', async (request, reply) => {
    const body = chatRequest.parse(request.body);
    if (body.model !== MODEL) throw unknownModel(body.model);
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new Error('the client went away')));
    const answer = await operations.chat(body.messages, gone.signal);
    const id = `chatcmpl-${randomUUID()}`;
    const created = Math.floor(Date.now() / 1000);
    const usage = usageOf(body.messages, answer);
    if (body.stream)
      return streamAnswer(reply, {
        id,
        created,
        answer,
        usage: body.stream_options?.include_usage ? usage : undefined,
      });
    return {
      id,
      object: 'chat.completion',
      created,
      model: MODEL,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: answer.text, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage,
      phoenix: details(answer),
    };
  });
}

function modelObject() {
  return { id: MODEL, object: 'model', created: 0, owned_by: 'phoenix' };
}

function unknownModel(id: string): RequestError {
  return new RequestError(404, `there is no model "${id}"; there is "${MODEL}"`, 'model');
}

/** What Phoenix did beside answering; clients that do not know the field ignore it. */
function details({ stored, recalled, forgotten, memory }: ChatAnswer) {
  return { stored, recalled, forgotten, memory };
}

/** Until a language model counts its own, a token is a word or a punctuation mark. */
function countTokens(text: string): number {
  return text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0;
}

function usageOf(messages: readonly ChatMessage[], { text }: ChatAnswer): Usage {
  const prompt = messages.reduce((sum, { content }) => sum + countTokens(content), 0);
  const completion = countTokens(text);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

function streamAnswer(
  reply: FastifyReply,
  { id, created, answer, usage }: { id: string; created: number; answer: ChatAnswer; usage: Usage | undefined },
): FastifyReply {
  const chunk = (delta: object, finish: string | null, extra: object = {}) => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model: MODEL,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...extra,
  });
  const pieces = answer.text.match(/\S+\s*|\s+/g) ?? [];
  const events = [
    chunk({ role: 'assistant', content: '' }, null),
    ...pieces.map((content) => chunk({ content }, null)),
    chunk({}, 'stop', { phoenix: details(answer) }),
    ...(usage ? [{ id, object: 'chat.completion.chunk', created, model: MODEL, choices: [], usage }] : []),
  ];
  const text = [...events.map((event) => `data: ${JSON.stringify(event)}\n\n`), 'data: [DONE]\n\n'].join('');
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache')
    .send(text);
}
