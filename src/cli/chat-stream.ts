import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ChatAnswer, ChatOptions, ReplyPiece } from '../assistant/index.ts';
import { CliError } from './errors.ts';

type Chunk = {
  choices: { delta: { content?: string }; finish_reason: ChatAnswer['finish'] | null }[];
  phoenix?: Omit<ChatAnswer, 'requestId' | 'text' | 'finish' | 'model' | 'promptTokens' | 'completionTokens'> & {
    request_id: string;
    generated_by?: string;
    origin?: ReplyPiece['origin'];
  };
  usage?: { prompt_tokens: number; completion_tokens: number };
  error?: { message: string };
};

/** The fields of a chat request that say how to write. */
export function requestOptions(options: ChatOptions): object {
  const { format } = options;
  return {
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    min_p: options.minP,
    max_tokens: options.maxTokens,
    seed: options.seed,
    stop: options.stop,
    frequency_penalty: options.frequencyPenalty,
    presence_penalty: options.presencePenalty,
    ...(format?.kind === 'json' && { response_format: { type: 'json_object' } }),
    ...(format?.kind === 'schema' && {
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: format.schema } },
    }),
    ...(format?.kind === 'gbnf' && { response_format: { type: 'grammar', grammar: format.grammar } }),
  };
}

/** Reads the answer of `/v1/chat/completions` as it comes. @throws CliError when it breaks off */
export async function* readReply(body: ReadableStream): AsyncGenerator<ReplyPiece, void, undefined> {
  let text = '';
  let end: Omit<ChatAnswer, 'promptTokens' | 'completionTokens'> | undefined;
  for await (const line of createInterface({ input: Readable.fromWeb(body as never) })) {
    if (!line.startsWith('data: ') || line === 'data: [DONE]') continue;
    const { choices, phoenix, usage, error } = JSON.parse(line.slice('data: '.length)) as Chunk;
    if (error) throw new CliError(error.message);
    const [choice] = choices;
    if (choice?.finish_reason && phoenix) {
      const { request_id: requestId, generated_by, origin: _, ...details } = phoenix;
      end = { requestId, ...details, text, model: generated_by, finish: choice.finish_reason };
    } else if (choice?.delta.content) {
      text += choice.delta.content;
      yield { text: choice.delta.content, ...(phoenix?.origin ? { origin: phoenix.origin } : {}) };
    }
    if (end && usage) {
      const [promptTokens, completionTokens] = [usage.prompt_tokens, usage.completion_tokens];
      yield { text: '', answer: { ...end, promptTokens, completionTokens } };
      return;
    }
  }
  throw new CliError('the answer broke off: the Phoenix that gave it has ended');
}
