import { createHash } from 'node:crypto';
import type { LlamaModel } from 'node-llama-cpp';

/** How many tokens a model has, and a digest of their texts: equal for models whose token ids mean the same. */
export function vocabularyOf(model: LlamaModel): { vocabularySize: number; vocabularyHash: string } {
  const texts = Array.from(model.iterateAllTokens(), (token) => model.detokenize([token], true, []));
  const vocabularyHash = createHash('sha256').update(JSON.stringify(texts)).digest('hex');
  return { vocabularySize: texts.length, vocabularyHash };
}
