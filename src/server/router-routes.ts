import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../assistant/index.ts';

/** Longest text that is explained. */
const MAX_TEXT = 100_000;
const MAX_RECORDS = 10_000;

const explainQuery = z.strictObject({ text: z.string().max(MAX_TEXT) });
const feedbackBody = z
  .strictObject({
    request_id: z.string().min(1).max(200).optional(),
    text: z.string().min(1).max(MAX_TEXT).optional(),
    helpful: z.boolean().optional(),
    /** The skill that would have been right; null: none. */
    skill: z.string().min(1).nullable().optional(),
    skills: z.array(z.string().min(1)).max(16).optional(),
  })
  .refine(({ skill, skills }) => skill === undefined || skills === undefined, 'give skill or skills, not both');
/** An encoded model, base64; null: what was trained here. */
const weightsBody = z.strictObject({ model: z.base64().nullable() });
const listQuery = z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_RECORDS).default(100) });
const id = z.coerce.number().int().min(1);

/** `/api/router` and `/api/feedback`: which skills a request needs, and whether that was right. */
export function routerRoutes(app: FastifyInstance, operations: Operations): void {
  app.get('/api/router/explain', ({ query }) => operations.explainRoute(explainQuery.parse(query).text));
  app.post('/api/router/explain', ({ body }) => operations.explainRoute(explainQuery.parse(body).text));
  app.post('/api/router/train', () => operations.trainRouter());
  app.get('/api/router/evaluation', () => operations.evaluateRouter());
  app.post('/api/router/weights', async ({ body }) => {
    const { model } = weightsBody.parse(body);
    await operations.useRouterWeights(model === null ? undefined : Buffer.from(model, 'base64'));
    return { used: model !== null };
  });

  app.post('/api/feedback', async ({ body }) => {
    const { request_id: requestId, text, helpful, skill, skills } = feedbackBody.parse(body);
    const right = skill === undefined ? skills : skill === null ? [] : [skill];
    return { id: await operations.giveFeedback({ requestId, text, helpful, skills: right }) };
  });
  app.get('/api/feedback', async ({ query }) => ({
    feedback: await operations.listFeedback(listQuery.parse(query).limit),
  }));
  app.delete('/api/feedback', async () => ({ deleted: await operations.clearFeedback() }));
  app.delete<{ Params: { id: string } }>('/api/feedback/:id', async ({ params }) => ({
    deleted: await operations.clearFeedback(id.parse(params.id)),
  }));
}
