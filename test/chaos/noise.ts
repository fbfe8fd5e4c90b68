/**
 * What the machine itself held up. A timer that comes late in a thread with nothing to do says that there was no processor for it; what a
 * call lost to that is no fault of the system under test.
 */
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

const TICK_MS = 10;
/** Later than this, in milliseconds, is worth noting. */
const NOTEWORTHY_MS = 3;
/** How long it is kept, in milliseconds. */
const KEPT_MS = 60_000;

export interface Delay {
  from: number;
  to: number;
}

/** Milliseconds, the same in every thread, and never set back. */
export const now = () => performance.timeOrigin + performance.now();

function watch(note: (delay: Delay) => void): NodeJS.Timeout {
  let due = now() + TICK_MS;
  return setInterval(() => {
    const at = now();
    if (at - due > NOTEWORTHY_MS) note({ from: due, to: at });
    due = at + TICK_MS;
  }, TICK_MS);
}

/** Watches the machine, by a thread that only waits, and this thread, which also makes the load. */
export class Noise implements AsyncDisposable {
  readonly #worker = new Worker(new URL(import.meta.url));
  readonly #ofMachine: Delay[] = [];
  readonly #ofThread: Delay[] = [];
  readonly #ofSystem: Delay[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#worker.on('message', (delay: Delay) => keep(this.#ofMachine, delay));
    this.#worker.unref();
    this.#timer = watch((delay) => keep(this.#ofThread, delay));
    this.#timer.unref();
  }

  /** The system under test could not run. */
  note(delay: Delay): void {
    keep(this.#ofSystem, delay);
  }

  /** Milliseconds between two moments that nobody could have used. */
  between(from: number, to: number): number {
    const lost = (delays: Delay[]) =>
      delays.reduce((sum, delay) => sum + Math.max(0, Math.min(to, delay.to) - Math.max(from, delay.from)), 0);
    return Math.max(lost(this.#ofMachine), lost(this.#ofThread), lost(this.#ofSystem));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#worker.terminate();
  }
}

function keep(delays: Delay[], delay: Delay): void {
  delays.push(delay);
  while ((delays[0]?.to ?? Infinity) < delay.to - KEPT_MS) delays.shift();
}

if (!isMainThread) watch((delay) => parentPort?.postMessage(delay));
