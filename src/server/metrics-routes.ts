import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../telemetry/index.ts';
import { RequestError } from './errors.ts';

/**
 * `/metrics`, and what Prometheus needs to find and scrape every skill: `/sd/skills` and `/metrics/skills/NAME`. None of it launches
 * a skill or keeps one running.
 */
export function metricsRoutes(app: FastifyInstance, metrics: Metrics): void {
  const send = (reply: FastifyReply, { contentType, text }: Awaited<ReturnType<Metrics['exposition']>>) =>
    reply.type(contentType).send(text);

  app.get('/metrics', async (_request, reply) => send(reply, await metrics.exposition()));

  app.get('/api/metrics/history', () => metrics.history.read());

  // https://prometheus.io/docs/prometheus/latest/http_sd/
  app.get('/sd/skills', ({ host }) =>
    metrics.skillNames().map((name) => ({
      // Skills have no network: each is scraped where this was asked.
      targets: [host],
      labels: { __metrics_path__: `/metrics/skills/${name}`, skill_name: name },
    })),
  );

  app.get<{ Params: { name: string } }>('/metrics/skills/:name', async ({ params: { name } }, reply) => {
    if (!metrics.skillNames().includes(name)) {
      throw new RequestError(404, `there is no skill "${name}"; GET /sd/skills lists them`);
    }
    let exposition: Awaited<ReturnType<Metrics['skillExposition']>>;
    try {
      exposition = await metrics.skillExposition(name);
    } catch (error) {
      // Whatever the reason: it does not serve, and that is what "up" says.
      throw new RequestError(503, (error as Error).message);
    }
    return send(reply, exposition);
  });
}
