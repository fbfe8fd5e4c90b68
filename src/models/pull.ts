import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockStateDir } from '../state-lock/index.ts';
import { type DownloadOptions, discard, download } from './download.ts';
import { type HubOptions, hubOptions, locate } from './hub.ts';
import { checkModel } from './inspect.ts';
import { formatReference, type ModelReference } from './reference.ts';
import type { ModelStore, StoredModel } from './store.ts';

/** How often a pull of the same model by somebody else is looked at, in milliseconds. */
const WAIT_MS = 500;

export interface PullOptions extends DownloadOptions {
  hub?: HubOptions;
  /** Called once when another process pulls the same model, which is waited for. */
  onWait?: () => void;
}

/**
 * Brings a model into the store, unless it is there as its source has it. Interrupted, it goes on where it stopped the next time; two
 * pulls of one model at once: one does it, the other waits.
 *
 * @returns the model, and whether anything was downloaded
 * @throws ModelError when it cannot be had, is no model, or does not have the published checksum; the signal's reason
 */
export async function pullModel(
  reference: ModelReference,
  store: ModelStore,
  options: PullOptions = {},
): Promise<{ model: StoredModel; isNew: boolean }> {
  const source = formatReference(reference);
  const remote = await locate(reference, options.hub ?? hubOptions(), options.signal);
  const path = store.pathOf(source, remote.fileName);
  using _ = await claim(join(store.makeFolder(), '.pulling', path.slice(store.folder.length + 1)), options);
  const known = store.list().find((model) => model.path === path);
  if (known && isAsPublished(known, remote.sha256) && store.isWhole(known)) return { model: known, isNew: false };
  const part = `${path}.part`;
  const { sha256, size } = await download(remote, part, store.folder, options);
  try {
    checkModel(part);
  } catch (error) {
    discard(part);
    throw error;
  }
  const verified = remote.sha256 !== undefined;
  const model = store.add(part, path, { source, url: remote.url, size, sha256, verified });
  discard(part);
  return { model, isNew: true };
}

/** Without a published checksum only a new pull could tell. */
function isAsPublished({ sha256 }: StoredModel, published: string | undefined): boolean {
  return published === undefined || published === sha256;
}

/** Keeps others from pulling the same file. */
async function claim(folder: string, { signal, onWait }: PullOptions): Promise<Disposable> {
  let isWaiting = false;
  while (true) {
    const lock = await lockStateDir(folder, 0);
    if (lock) return lock;
    if (!isWaiting) onWait?.();
    isWaiting = true;
    await sleep(WAIT_MS, undefined, { signal });
  }
}
