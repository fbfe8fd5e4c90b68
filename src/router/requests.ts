import { HashedFeatures } from './features.ts';
import type { SparseVector } from './types.ts';
import { similarityTo } from './weights.ts';

/** Requests that feedback can still refer to. They are kept in memory alone. */
const KEPT = 1000;
/** A request that comes back within this time, in milliseconds, was not answered well. */
const REPEATED_MS = 120_000;
/** From this similarity (cosine) on, a request asks the same as another. */
const SAME = 0.8;

/** A request that was answered, and by which skills. */
export interface AnsweredRequest {
  text: string;
  skills: readonly string[];
}

interface Kept extends AnsweredRequest {
  at: number;
  vector: SparseVector;
}

/** The last requests, by their ids. */
export class RecentRequests {
  readonly #requests = new Map<string, Kept>();
  readonly #features = new HashedFeatures();
  #last: Kept | undefined;

  find(id: string): AnsweredRequest | undefined {
    return this.#requests.get(id);
  }

  /** Remembers a request. @returns the one just before it, where that asked for the same thing */
  add(id: string, request: AnsweredRequest, now = performance.now()): AnsweredRequest | undefined {
    const vector = this.#features.featurize(request.text);
    const kept = { ...request, at: now, vector };
    const last = this.#last;
    this.#last = kept;
    this.#requests.set(id, kept);
    for (const oldest of this.#requests.keys()) {
      if (this.#requests.size <= KEPT) break;
      this.#requests.delete(oldest);
    }
    return last && now - last.at < REPEATED_MS && similarityTo(last.vector, this.#features.dimension)(vector) >= SAME
      ? last
      : undefined;
  }

  clear(): void {
    this.#requests.clear();
    this.#last = undefined;
  }
}
