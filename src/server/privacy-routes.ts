import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ClientReport, PrivacyReport } from '../federated/index.ts';
import { RequestError } from './errors.ts';

/** What federated learning has cost and done here. */
type Privacy = PrivacyReport & { client: ClientReport | undefined };

export interface PrivacyOperations {
  read(): Privacy;
  /** Switches taking part off and on. @throws FederationError where there is no federation */
  setPaused(isPaused: boolean): void;
}

const participationBody = z.strictObject({ paused: z.boolean() });

/**
 * `/api/privacy`: what federated rounds have cost, and whether this installation takes part. JSON has no infinity: an epsilon that is null
 * is infinite.
 */
export function privacyRoutes(app: FastifyInstance, { read, setPaused }: PrivacyOperations): void {
  app.get('/api/privacy', async () => {
    const { spending = null, client = null, nextEpsilon, rounds } = read();
    return { spending, client, nextEpsilon, rounds };
  });
  app.post('/api/privacy/participation', async ({ body }) => {
    const { paused } = participationBody.parse(body);
    if (!read().client) throw new RequestError(404, 'this installation belongs to no federation');
    setPaused(paused);
    return { paused };
  });
}
