/** The calls of one skill, and the keep-alive that begins when the last one has ended. */
export class Activity {
  /** Calls that run now. */
  inFlight = 0;
  /** Of these, those that wait until the skill serves. */
  waiting = 0;
  /** Of these, drafting streams, which take no slot. */
  streams = 0;
  /** Calls so far. */
  calls = 0;
  /** performance.now() of the last call's end. */
  lastUsed = performance.now();
  readonly #idleTtlMs: number;
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** @param idleTtlMs milliseconds without a call until `onIdle`; 0: never */
  constructor(idleTtlMs: number, onIdle: () => void) {
    this.#idleTtlMs = idleTtlMs;
    this.#onIdle = onIdle;
  }

  /** Counts a call in. */
  begin(): void {
    this.inFlight++;
    this.calls++;
    this.stop();
  }

  /** Counts a call out. */
  end(): void {
    this.inFlight--;
    this.touch();
  }

  /** Restarts the keep-alive. */
  touch(): void {
    this.lastUsed = performance.now();
    if (this.inFlight > 0 || this.#timer || this.#idleTtlMs === 0) return;
    this.#arm(this.#idleTtlMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** One timer, looked at when it fires: cheaper than a new one for every call. */
  #arm(delayMs: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const left = this.#idleTtlMs - (performance.now() - this.lastUsed);
      if (left > 1) this.#arm(left);
      else this.#onIdle();
    }, delayMs);
    this.#timer.unref();
  }
}
