import type { ChatOptions } from './operations.ts';

/** A token of a text that no language model wrote: a word or a punctuation mark. */
export function countTokens(text: string): number {
  return text.match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu)?.length ?? 0;
}

/** A text that no model wrote, ended where a model would have had to end: at a stop sequence or the limit. */
export function cutOff(
  text: string,
  { stop = [], maxTokens = Number.POSITIVE_INFINITY }: Pick<ChatOptions, 'stop' | 'maxTokens'>,
): { pieces: string[]; finish: 'stop' | 'length' } {
  const ends = stop.map((sequence) => text.indexOf(sequence)).filter((at) => at >= 0);
  const whole = text.slice(0, Math.min(text.length, ...ends)).match(/\S+\s*|\s+/g) ?? [];
  const pieces: string[] = [];
  let tokens = 0;
  for (const piece of whole) {
    tokens += countTokens(piece);
    if (tokens > maxTokens) return { pieces, finish: 'length' };
    pieces.push(piece);
  }
  return { pieces, finish: 'stop' };
}
