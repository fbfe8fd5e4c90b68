import type { Exit } from '../runtimes/index.ts';
import type { Launched } from './launcher.ts';

/** How long after its connection broke the end of a process may be reported, in milliseconds: engines take their time. */
const EXIT_WAIT_MS = 1000;

export interface SupervisionEvents {
  onExit(exit: Exit): void;
  /** It runs and does not answer as it should. */
  onUnhealthy(): void;
  /** Whether a broken connection means anything now. */
  isWatched(): boolean;
  /** Asks the skill whether it serves; called at every interval. */
  probe(): void;
}

/**
 * Watches a running instance: its process, its session, its health.
 *
 * @param intervalMs between two probes
 */
export function supervise(
  { instance, connection }: Launched,
  intervalMs: number,
  { onExit, onUnhealthy, isWatched, probe }: SupervisionEvents,
): { stop(): void } {
  void instance.exited.then(onExit);
  void connection.session.ended.then(async () => {
    if (!isWatched()) return;
    // A broken stream is usually a dead process; its exit says more, and comes soon.
    await Promise.race([instance.exited, new Promise((resolve) => setTimeout(resolve, EXIT_WAIT_MS))]);
    onUnhealthy();
  });
  connection.onNotServing(onUnhealthy);
  const timer = setInterval(probe, intervalMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
