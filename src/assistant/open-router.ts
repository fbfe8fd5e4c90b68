import { join } from 'node:path';
import type { LoadedConfig } from '../config/index.ts';
import type { Generator } from '../generation/index.ts';
import type { Catalog } from '../manifest/index.ts';
import { EmbeddingFeatures, RequestFeedback, RouterService } from '../router/index.ts';
import { type Logger, type Metrics, RouterMetrics } from '../telemetry/index.ts';

/** The router of a configuration, with its metrics and what it learns from. */
export function openRouter(
  { router: settings, state_dir }: LoadedConfig,
  { catalog, metrics, generator }: { catalog: Catalog; metrics: Metrics; generator: Generator },
  log: Logger,
): { router: RouterService; feedback: RequestFeedback; observed: RouterMetrics } {
  const observed = new RouterMetrics(metrics.registry, () => router.feedback.size);
  const router = new RouterService({
    folder: join(state_dir, 'router'),
    skills: [...catalog.skills.values()].map(({ name, examples }) => ({ name, examples })),
    threshold: settings.threshold,
    topK: settings.top_k,
    learns: settings.feedback !== 'off',
    feedbackLimit: settings.feedback_limit,
    ...(settings.embeddings === 'target' && { richer: () => embeddingsOf(generator) }),
    observer: {
      decided: (decision, seconds) => observed.decided(decision, seconds),
      trained: ({ weights }, seconds) => {
        observed.trained(true);
        log.info({ skills: weights.skills, seconds }, 'the router is trained');
      },
      rejected: (before, after) => {
        observed.trained(false);
        log.warn({ before, after }, 'feedback would make the router worse: it goes on as it was');
      },
      failed: (error) => log.warn(`the router: ${error.message}`),
    },
  });
  const feedback = new RequestFeedback({
    store: router.feedback,
    use: settings.feedback,
    skills: router.skillNames,
    onKept: ({ signal }) => {
      observed.kept(signal);
      router.learnSoon();
    },
  });
  return { router, feedback, observed };
}

/** The vectors of the model that the assistant speaks with. @throws GenerationError when there is none */
async function embeddingsOf(generator: Generator): Promise<EmbeddingFeatures> {
  const embed = async (text: string) => (await generator.embed([text])).vectors[0] ?? [];
  const { name } = await generator.load();
  return new EmbeddingFeatures({ name, size: (await embed('a')).length, embed });
}
