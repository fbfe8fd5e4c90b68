import { DEFAULT_SAMPLER, type GenerateSettings } from 'phoenix/generation';
import { type CallContext, SkillError } from 'phoenix/skill';
import type { SkillModel } from './model.ts';

/** The part of a request that says what to write. */
export interface WriteRequest {
  prompt: string;
  maxTokens: number;
  temperature: number;
  topP: number;
  stop: readonly string[];
  /** `seed`: a whole number; `special_tokens`: "true" when control tokens in the prompt are meant as such. */
  context: Readonly<Record<string, string>>;
}

/** A piece of an answer. */
export interface Piece {
  text: string;
  tokensGenerated: number;
  /** Geometric mean of the probabilities of the tokens so far; 1 while there is none. */
  confidence: number;
  model: string;
  /** Empty until the last piece. */
  finishReason: '' | 'stop' | 'length';
}

/**
 * Writes what follows the prompt, piece by piece; the last one has the finish reason.
 *
 * @throws SkillError INVALID_ARGUMENT when the request makes no sense or does not fit into the context; the signal's reason
 */
export async function* write(
  model: Pick<SkillModel, 'name' | 'decoder' | 'tokenize'>,
  request: WriteRequest,
  { signal }: Pick<CallContext, 'signal'>,
): AsyncGenerator<Piece> {
  const { name, decoder } = model;
  const settings = settingsOf(request);
  if (request.maxTokens === 0) {
    yield { text: '', tokensGenerated: 0, confidence: 1, model: name, finishReason: 'length' };
    return;
  }
  const prompt = model.tokenize(request.prompt, request.context.special_tokens === 'true');
  let tokensGenerated = 0;
  let logarithms = 0;
  for await (const { text, finish, confidence = 1 } of checked(() => decoder.generate(prompt, settings, { signal }))) {
    // The token that ends a text is none of it.
    if (finish !== 'end') {
      tokensGenerated++;
      logarithms += Math.log(Math.max(confidence, Number.MIN_VALUE));
    }
    if (text === '' && finish === undefined) continue;
    yield {
      text,
      tokensGenerated,
      confidence: tokensGenerated === 0 ? 1 : Math.exp(logarithms / tokensGenerated),
      model: name,
      finishReason: finish === undefined ? '' : finish === 'length' ? 'length' : 'stop',
    };
  }
}

function settingsOf({ prompt, maxTokens, temperature, topP, stop, context }: WriteRequest): GenerateSettings {
  const seed = Number(context.seed ?? DEFAULT_SAMPLER.seed);
  const refuse = (what: string): never => {
    throw new SkillError('INVALID_ARGUMENT', what);
  };
  if (prompt === '') refuse('the prompt is empty');
  if (maxTokens < 0) refuse(`max_tokens must be a whole number from 0, not ${maxTokens}`);
  if (!Number.isSafeInteger(seed)) refuse(`context.seed must be a whole number, not "${context.seed}"`);
  const { special_tokens: special = 'false' } = context;
  if (!['true', 'false'].includes(special)) refuse(`context.special_tokens must be true or false, not "${special}"`);
  // 0 is what a request holds that says nothing.
  return { ...DEFAULT_SAMPLER, temperature, topP: topP || 1, seed, maxTokens, stop, confidence: true };
}

/** What the decoder refuses at once is the fault of the request. */
function checked<T>(start: () => T): T {
  try {
    return start();
  } catch (error) {
    const { name, message } = error as Error;
    if (name !== 'RangeError' && name !== 'ContextOverflowError') throw error;
    throw new SkillError('INVALID_ARGUMENT', message, { cause: error });
  }
}
