import type { FastifyInstance } from 'fastify';
import type { ClientState, PrivacyReport } from '../federated/index.ts';

/** What federated learning has cost and done here. */
export type Privacy = PrivacyReport & { client: ClientState | undefined };

/** `GET /api/privacy`: what federated rounds have cost. JSON has no infinity: an epsilon that is null is infinite. */
export function privacyRoutes(app: FastifyInstance, read: () => Privacy): void {
  app.get('/api/privacy', async () => {
    const { spending = null, client = null, nextEpsilon, rounds } = read();
    return { spending, client, nextEpsilon, rounds };
  });
}
