/** How late timers may be, in milliseconds. */
const TIMER_MS = 2;

/** Wakes those who wait for something to come, until their time is up. */
export class Progress {
  #waiting = new Set<() => void>();

  report(): void {
    const woken = this.#waiting;
    this.#waiting = new Set();
    for (const wake of woken) wake();
  }

  /** Resolves at the next report, at the deadline (performance.now()), or some time before that: to be called in a loop. */
  until(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const left = deadline - performance.now();
      const wake = () => {
        clearTimeout(timer);
        clearImmediate(turn);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      // A timer may be a millisecond late, which is longer than a small model takes for a token.
      const turn = left < TIMER_MS ? setImmediate(wake) : undefined;
      const timer = turn ? undefined : setTimeout(wake, left - TIMER_MS);
    });
  }
}
