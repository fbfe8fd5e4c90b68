import type { Origin } from '../speculative/index.ts';
import { noteSpan, type Span, startTrace, wallClock } from '../tracing/index.ts';
import type { EndedGeneration, GenerationInput, GenerationOptions } from './types.ts';

const PROVIDER = 'phoenix';

/**
 * One generation in a trace, with the settings and numbers of the GenAI conventions, and a step for the decoder. No text: neither of
 * the prompt nor of the answer.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md#inference
 */
export class GenerationSpan {
  readonly span: Span;
  readonly #startedAt = wallClock();
  #firstTokenAt: number | undefined;
  /** Tokens by where they came from. */
  readonly #origins: Partial<Record<Origin, number>> = {};

  private constructor(span: Span) {
    this.span = span;
  }

  /** @returns undefined where traces are off */
  static start(model: string, input: GenerationInput, options: GenerationOptions): GenerationSpan | undefined {
    const { temperature, topP, topK, maxTokens, seed, frequencyPenalty, presencePenalty, format } = options;
    const operation = 'messages' in input ? 'chat' : 'text_completion';
    const span = startTrace(`${operation} ${model}`, {
      attributes: {
        'gen_ai.operation.name': operation,
        'gen_ai.provider.name': PROVIDER,
        'gen_ai.request.model': model,
        'gen_ai.response.model': model,
        'gen_ai.request.stream': true,
        'gen_ai.output.type': format === undefined || format.kind === 'gbnf' ? 'text' : 'json',
        ...(temperature !== undefined && { 'gen_ai.request.temperature': temperature }),
        ...(topP !== undefined && { 'gen_ai.request.top_p': topP }),
        ...(topK !== undefined && { 'gen_ai.request.top_k': topK }),
        ...(maxTokens !== undefined && { 'gen_ai.request.max_tokens': maxTokens }),
        ...(seed !== undefined && { 'gen_ai.request.seed': seed }),
        ...(frequencyPenalty !== undefined && { 'gen_ai.request.frequency_penalty': frequencyPenalty }),
        ...(presencePenalty !== undefined && { 'gen_ai.request.presence_penalty': presencePenalty }),
      },
    });
    return span && new GenerationSpan(span);
  }

  /** A token came. */
  token(origin: Origin): void {
    this.#firstTokenAt ??= wallClock();
    this.#origins[origin] = (this.#origins[origin] ?? 0) + 1;
  }

  /** @param error why it failed, if it did */
  end({ finish, promptTokens, tokens, firstTokenSeconds }: EndedGeneration, error: unknown): void {
    const endedAt = wallClock();
    noteSpan('prefill', this.span, { startedAt: this.#startedAt, endedAt: this.#firstTokenAt ?? endedAt });
    if (this.#firstTokenAt !== undefined) {
      const origins = Object.entries(this.#origins).map(([origin, count]) => [`sarai.tokens.${origin}`, count]);
      const attributes = Object.fromEntries(origins) as Record<string, number>;
      noteSpan('decode', this.span, { startedAt: this.#firstTokenAt, endedAt, attributes });
    }
    this.span.set({
      'gen_ai.usage.input_tokens': promptTokens,
      'gen_ai.usage.output_tokens': tokens,
      'gen_ai.response.finish_reasons': [finish],
      ...(firstTokenSeconds !== undefined && { 'gen_ai.response.time_to_first_chunk': firstTokenSeconds }),
    });
    this.span.end(error);
  }
}

/** https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md#embeddings */
export function startEmbeddings(model: string): Span | undefined {
  return startTrace(`embeddings ${model}`, {
    attributes: {
      'gen_ai.operation.name': 'embeddings',
      'gen_ai.provider.name': PROVIDER,
      'gen_ai.request.model': model,
      'gen_ai.response.model': model,
    },
  });
}
