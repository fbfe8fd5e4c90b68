import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { bodyOfError } from './errors.ts';

/**
 * Sends events as they come (https://html.spec.whatwg.org/multipage/server-sent-events.html), ended by `[DONE]` as the OpenAI API
 * does it. What fails before the first event is an error of the request; what fails later becomes the last event. When the client
 * leaves, the iteration is left, too.
 */
export async function sendEvents(reply: FastifyReply, events: AsyncIterable<object>): Promise<FastifyReply> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  return reply
    .header('content-type', 'text/event-stream; charset=utf-8')
    .header('cache-control', 'no-cache')
    .header('x-accel-buffering', 'no')
    .send(Readable.from(lines(iterator, first)));
}

async function* lines(iterator: AsyncIterator<object>, first: IteratorResult<object>): AsyncGenerator<string> {
  let isDone = first.done === true;
  try {
    for (let next = first; !next.done; next = await iterator.next()) yield `data: ${JSON.stringify(next.value)}\n\n`;
    isDone = true;
  } catch (error) {
    isDone = true;
    yield `data: ${JSON.stringify(bodyOfError(error))}\n\n`;
  } finally {
    if (!isDone) await iterator.return?.();
  }
  yield 'data: [DONE]\n\n';
}

/** Aborted when the client of a request goes away before its answer is complete. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client went away'));
  });
  return gone.signal;
}
