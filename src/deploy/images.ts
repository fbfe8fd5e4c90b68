import { type Engine, EngineError } from '../runtimes/index.ts';
import type { ServiceState } from './containers.ts';

/** Gives the images of these containers their names back: a newer build may have taken them. */
export async function restoreImages(engine: Engine, states: readonly ServiceState[]): Promise<void> {
  for (const { image, imageId } of states) {
    const [, repo = image, tag = 'latest'] = /^(.*):([^:/]+)$/.exec(image) ?? [];
    await engine.json('POST', `/images/${imageId}/tag?${new URLSearchParams({ repo, tag })}`);
  }
}

/** Removes the images that were replaced; one that somebody uses or has named stays. */
export async function removeImages(
  engine: Engine,
  before: readonly ServiceState[],
  now: readonly ServiceState[],
): Promise<void> {
  const used = new Set(now.map(({ imageId }) => imageId));
  for (const imageId of new Set(before.map((state) => state.imageId))) {
    if (used.has(imageId)) continue;
    const tags = await engine
      .json<{ RepoTags: string[] | null }>('GET', `/images/${imageId}/json`)
      .then(({ RepoTags }) => RepoTags ?? [])
      .catch(() => ['unknown']);
    if (tags.length > 0) continue;
    await engine.json('DELETE', `/images/${imageId}`).catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
    });
  }
}
