/** The request fields of the OpenAI API that Phoenix understands; what else clients send is accepted and has no effect. */
import { z } from 'zod';
import type { ChatMessage } from '../assistant/index.ts';
import type { GenerationOptions, OutputFormat } from '../generation/index.ts';
import { RequestError } from './errors.ts';

/** Most stop sequences of a request. */
const MAX_STOPS = 4;
/** Most inputs of an embedding request. */
const MAX_INPUTS = 2048;

const textPart = z.object({ type: z.literal('text'), text: z.string() });
export const message = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z
    .union([z.string(), z.array(textPart, 'only parts of type "text" are understood'), z.null()])
    .optional()
    .transform((content) => (Array.isArray(content) ? content.map(({ text }) => text).join('') : (content ?? ''))),
}) satisfies z.ZodType<ChatMessage, unknown>;

const count = z.int().min(1).max(1_048_576);

/** What chat and text completions have in common. */
export const sampling = {
  model: z.string(),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  n: z.literal(1, 'only one choice is made').nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  top_k: z.int().min(1).max(200).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  max_tokens: count.nullish(),
  stop: z
    .union(
      [z.string().min(1), z.array(z.string().min(1)).max(MAX_STOPS)],
      `must be a text, or at most ${MAX_STOPS} stop sequences`,
    )
    .nullish(),
  seed: z.int().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  /** Ours: whether each chunk of a stream says where its token came from. */
  phoenix: z.object({ origins: z.boolean().optional() }).nullish(),
};
type Sampling = z.output<z.ZodObject<typeof sampling>>;

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }),
  }),
  /** Ours: a grammar in the GBNF of llama.cpp. */
  z.object({ type: z.literal('grammar'), grammar: z.string().min(1) }),
]);

export const chatRequest = z.object({
  ...sampling,
  messages: z.array(message).min(1),
  max_completion_tokens: count.nullish(),
  response_format: responseFormat.nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.literal(0, 'only the probability of the chosen token is known').nullish(),
});

const oneText = z.string().min(1);
const oneTokens = z.array(z.int().min(0)).min(1);

type Input = string | number[];
/** A list of inputs, whether one came or several. */
const listOf = (input: Input | Input[]): Input[] =>
  typeof input === 'string' || typeof input[0] === 'number' ? [input as Input] : (input as Input[]);

export const completionRequest = z.object({
  ...sampling,
  prompt: z
    .union(
      [oneText, oneTokens, z.array(oneText).length(1), z.array(oneTokens).length(1)],
      'must be one text or one list of tokens',
    )
    .transform((prompt): Input => listOf(prompt)[0] ?? ''),
  echo: z.boolean().nullish(),
  suffix: z.null('text in the middle cannot be filled in').or(z.literal('')).optional(),
  best_of: z.literal(1, 'only one choice is made').nullish(),
  logprobs: z.literal(0, 'only the probability of the chosen token is known: logprobs must be 0').nullish(),
});

export const embeddingRequest = z.object({
  model: z.string(),
  input: z
    .union([oneText, oneTokens, z.array(oneText).min(1).max(MAX_INPUTS), z.array(oneTokens).min(1).max(MAX_INPUTS)])
    .transform(listOf),
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: z.null('the size of embeddings is that of the model').optional(),
});

/** The options of a request, as the generator takes them. Without a seed, each request draws its own. */
export function generationOptions(request: Sampling & { max_completion_tokens?: number | null }): GenerationOptions {
  const options: { [K in keyof GenerationOptions]: GenerationOptions[K] | null | undefined } = {
    // As the API defines them, not as the decoder does.
    temperature: request.temperature ?? 1,
    topP: request.top_p ?? 1,
    topK: request.top_k,
    minP: request.min_p,
    maxTokens: request.max_completion_tokens ?? request.max_tokens,
    seed: request.seed ?? Math.floor(Math.random() * 2 ** 32),
    stop: typeof request.stop === 'string' ? [request.stop] : request.stop,
    frequencyPenalty: request.frequency_penalty,
    presencePenalty: request.presence_penalty,
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== null && value !== undefined));
}

/** @throws RequestError when the format is none */
export function outputFormat(format: z.output<typeof responseFormat> | null | undefined): OutputFormat | undefined {
  switch (format?.type) {
    case 'json_object':
      return { kind: 'json' };
    case 'json_schema':
      return { kind: 'schema', schema: format.json_schema.schema };
    case 'grammar':
      return { kind: 'gbnf', grammar: format.grammar };
    default:
      return undefined;
  }
}

export function unknownModel(id: string, known: readonly string[]): RequestError {
  const list = known.map((name) => `"${name}"`).join(' and ');
  return new RequestError(404, `there is no model "${id}"; there is ${list}`, 'model', 'model_not_found');
}
