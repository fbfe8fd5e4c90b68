interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** Callers that wait for a skill to serve. */
export class Waiters {
  readonly #waiting = new Set<Waiter>();

  /** Waits until all are answered; who is not willing to wait longer aborts. */
  wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (answer: () => void) => () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        answer();
      };
      const onAbort = () => settle(() => reject(signal.reason))();
      const waiter: Waiter = { resolve: settle(resolve), reject: (error) => settle(() => reject(error))() };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  grant(): void {
    for (const waiter of this.#waiting) waiter.resolve();
  }

  refuse(error: Error): void {
    for (const waiter of this.#waiting) waiter.reject(error);
  }
}
