import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../assistant/index.ts';
import { followLog } from './log-stream.ts';
import { clientGone, sendEvents } from './sse.ts';

const MAX_LOG_LINES = 10_000;

const logQuery = z.strictObject({
  lines: z.coerce.number().int().min(1).max(MAX_LOG_LINES).default(100),
  /** New lines, too, as server-sent events. */
  follow: z.stringbool().default(false),
});
const callBody = z.strictObject({
  prompt: z.string(),
  maxTokens: z.int().min(0).optional(),
  timeoutMs: z.int().min(1).max(3_600_000).optional(),
  context: z.record(z.string(), z.string()).optional(),
  parameters: z.array(z.union([z.string(), z.number(), z.null()])).optional(),
  grants: z.array(z.literal('schema', 'the only right that can be given is "schema"')).optional(),
});

type Named = { Params: { name: string } };

/** `/api/skills`: what runs, and how to start, stop and call it. */
export function skillRoutes(app: FastifyInstance, operations: Operations): void {
  // Who follows a log does not keep the server from closing.
  const closing = new AbortController();
  app.addHook('preClose', async () => closing.abort());

  app.get('/api/skills', async () => ({ skills: await operations.listSkills() }));
  app.get<Named>('/api/skills/:name', ({ params }) => operations.skillStatus(params.name));
  app.post<Named>('/api/skills/:name/start', ({ params }) => operations.startSkill(params.name));
  app.post<Named>('/api/skills/:name/restart', ({ params }) => operations.restartSkill(params.name));
  app.post<Named>('/api/skills/:name/stop', async ({ params }) => ({
    stopped: await operations.stopSkill(params.name),
  }));
  app.post<Named>('/api/skills/:name/reload', async ({ params }) => ({
    reloaded: await operations.reloadSkill(params.name),
  }));
  app.get<Named>('/api/skills/:name/logs', async ({ params, query }, reply) => {
    const { lines, follow } = logQuery.parse(query);
    const read = () => operations.skillLogs(params.name, lines);
    if (follow) return await sendEvents(reply, followLog(read, AbortSignal.any([clientGone(reply), closing.signal])));
    return { lines: await read() };
  });
  app.post<Named>('/api/skills/:name/call', ({ params, body }) =>
    operations.callSkill(params.name, callBody.parse(body)),
  );
}
