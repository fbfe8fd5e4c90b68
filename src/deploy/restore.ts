import { type Engine, EngineError, inspectImage } from '../runtimes/index.ts';
import { type ServiceState, serviceStates } from './containers.ts';

/**
 * Undoes what was begun to replace containers: newer ones go, and images and containers get back the names that were taken from them.
 *
 * @param before what was there, and is to be there again
 */
export async function restoreNames(engine: Engine, before: readonly ServiceState[]): Promise<void> {
  const now = await serviceStates(engine);
  for (const { containerId } of now) {
    if (before.some((state) => state.containerId === containerId)) continue;
    await engine.json('DELETE', `/containers/${containerId}?force=1`);
  }
  for (const { containerId, containerName, image, imageId } of before) {
    const current = now.find((state) => state.containerId === containerId);
    if (current && current.containerName !== containerName)
      await engine.json('POST', `/containers/${containerId}/rename?${new URLSearchParams({ name: containerName })}`);
    const [, repo = image, tag = 'latest'] = /^(.*):([^:/]+)$/.exec(image) ?? [];
    await engine.json('POST', `/images/${imageId}/tag?${new URLSearchParams({ repo, tag })}`);
  }
}

/** The ids of images by name, as far as the engine has them. */
export async function imageIds(engine: Engine, names: readonly string[]): Promise<string[]> {
  const found = await Promise.all(names.map((name) => inspectImage(engine, name)));
  return found.flatMap((image) => (image ? [image.Id] : []));
}

/** Removes images that nothing uses and that have lost their name to another. */
export async function removeReplaced(engine: Engine, ids: readonly string[]): Promise<void> {
  for (const id of new Set(ids)) {
    const image = await inspectImage(engine, id);
    if (!image || (image.RepoTags ?? []).length > 0) continue;
    await engine.json('DELETE', `/images/${id}`).catch((error: unknown) => {
      // A container still uses it.
      if (!(error instanceof EngineError)) throw error;
    });
  }
}
