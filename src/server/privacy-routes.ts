import type { FastifyInstance } from 'fastify';
import type { PrivacyReport } from '../federated/index.ts';

/** `GET /api/privacy`: what federated rounds have cost. JSON has no infinity: an epsilon that is null is infinite. */
export function privacyRoutes(app: FastifyInstance, read: () => PrivacyReport): void {
  app.get('/api/privacy', async () => {
    const { spending = null, nextEpsilon, rounds } = read();
    return { spending, nextEpsilon, rounds };
  });
}
