import { SkillError } from './handler.ts';

/** Bounds how many calls run at once and how many may wait; what is beyond both is refused at once. */
export class Limiter {
  readonly concurrency: number;
  readonly queueLimit: number;
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor(concurrency: number, queueLimit: number) {
    this.concurrency = concurrency;
    this.queueLimit = queueLimit;
  }

  get running(): number {
    return this.#running;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  /** Takes a slot if one is free. */
  tryAcquire(): boolean {
    if (this.#running >= this.concurrency) return false;
    this.#running++;
    return true;
  }

  /**
   * Waits for a slot, first come first served.
   *
   * @throws SkillError RESOURCE_EXHAUSTED when the queue is full; the abort reason when `signal` aborts first.
   */
  acquire(signal: AbortSignal): Promise<void> {
    if (this.tryAcquire()) return Promise.resolve();
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#waiting.size >= this.queueLimit) {
      return Promise.reject(
        new SkillError(
          'RESOURCE_EXHAUSTED',
          `busy: ${this.#running} calls running and ${this.#waiting.size} waiting; try again later`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(grant);
        reject(signal.reason);
      };
      const grant = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.add(grant);
    });
  }

  /** Gives the slot back; the longest waiting call takes it over. */
  release(): void {
    const next = this.#waiting.values().next();
    if (next.done) {
      this.#running--;
      return;
    }
    this.#waiting.delete(next.value);
    next.value();
  }
}
