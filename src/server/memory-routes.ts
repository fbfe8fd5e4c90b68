import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../assistant/index.ts';
import { RequestError } from './errors.ts';

const pattern = {
  subject: z.string().optional(),
  verb: z.string().optional(),
  object: z.string().optional(),
};
const instant = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : Date.parse(text)))
  .refine(Number.isFinite, 'a moment is an ISO 8601 date or milliseconds since 1970');
const query = z.strictObject({
  ...pattern,
  limit: z.coerce.number().int().optional(),
  cursor: z.string().optional(),
  as_of: instant.optional(),
  text: z.string().optional(),
});
const forgetQuery = z.strictObject({ ...pattern, everything: z.stringbool().default(false) });
const fact = z.strictObject({
  subject: z.string(),
  verb: z.string(),
  object: z.string(),
  confidence: z.number().optional(),
  source: z.enum(['user_input', 'rag', 'skill']).optional(),
  at: z.number().optional(),
});
const storeBody = z.union([
  z.strictObject({ facts: z.array(fact).min(1) }).transform(({ facts }) => facts),
  fact.transform((one) => [one]),
]);
const whole = z.strictObject({ subject: z.string(), verb: z.string(), object: z.string() });
const correctBody = z.strictObject({ from: whole, to: whole, wasWrong: z.boolean() });
const rotateBody = z.strictObject({ days: z.number().positive() });

/** `/api/memory`: the entity memory. */
export function memoryRoutes(app: FastifyInstance, operations: Operations): void {
  app.get('/api/memory', (request) => {
    const { as_of, ...rest } = query.parse(request.query);
    return operations.recall({ ...rest, asOf: as_of });
  });
  app.get('/api/memory/history', (request) => {
    const { as_of, text, ...rest } = query.parse(request.query);
    if (text !== undefined)
      throw new RequestError(400, 'history is not searched: name a subject, verb or object', 'text');
    if (as_of !== undefined) throw new RequestError(400, 'history knows no as_of: it returns everything', 'as_of');
    return operations.history(rest);
  });
  app.post('/api/memory', async (request) => ({ stored: await operations.store(storeBody.parse(request.body)) }));
  app.post('/api/memory/correct', async (request) => ({
    corrected: await operations.correct(correctBody.parse(request.body)),
  }));
  app.delete('/api/memory', async (request) => {
    const { everything, ...rest } = forgetQuery.parse(request.query);
    return { forgotten: await operations.forget(rest, everything) };
  });
  app.get('/api/memory/stats', () => operations.memoryStats());
  app.post('/api/memory/rotate', async (request) => ({
    removed: await operations.rotate(rotateBody.parse(request.body).days),
  }));
  app.post('/api/memory/vacuum', async () => {
    await operations.vacuum();
    return { done: true };
  });
  app.get('/api/memory/export', (_request, reply) =>
    reply.type('application/x-ndjson').send(Readable.from(withLineEnds(operations.exportMemory()))),
  );

  app.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload));
  app.post('/api/memory/import', async (request) => {
    if (!(request.body instanceof Readable)) {
      throw new RequestError(415, 'send JSON Lines with the header "Content-Type: application/x-ndjson"');
    }
    return { imported: await operations.importMemory(createInterface({ input: request.body })) };
  });
}

async function* withLineEnds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield line.endsWith('\n') ? line : `${line}\n`;
}
