import { currentRequest } from '../tracing/index.ts';
import type { ReplyPiece } from './operations.ts';

/**
 * The pieces of a reply as they come; the last one says what the request that this code runs for has needed.
 *
 * @param started performance.now() when the request began
 */
export async function* measured(
  pieces: AsyncIterable<ReplyPiece>,
  started = performance.now(),
): AsyncGenerator<ReplyPiece, void, undefined> {
  let firstAt: number | undefined;
  let lastAt = started;
  let tokens = 0;
  for await (const piece of pieces) {
    const now = performance.now();
    if (!piece.answer) {
      firstAt ??= now;
      lastAt = now;
      if (piece.origin) tokens++;
      yield piece;
      continue;
    }
    const seconds = (lastAt - (firstAt ?? lastAt)) / 1000;
    const request = currentRequest();
    const work = {
      totalMs: now - started,
      firstPieceMs: firstAt && firstAt - started,
      tokensPerSecond: tokens > 1 && seconds > 0 ? (tokens - 1) / seconds : undefined,
      skills: request?.skills ?? [],
      memory: request?.memory ?? [],
    };
    yield { ...piece, answer: { ...piece.answer, work } };
  }
}
