import type { PoolEvent, SkillEvent } from './events.ts';

/** Events that are kept of each skill. */
const KEPT = 50;

/** What happened last to one skill. */
export class RecentEvents {
  #events: SkillEvent[] = [];

  add(event: PoolEvent, at = Date.now()): void {
    this.#events = [...this.#events, { at, what: event.t, detail: detailOf(event), ms: durationOf(event) }].slice(
      -KEPT,
    );
  }

  list(): SkillEvent[] {
    return this.#events;
  }
}

function detailOf(event: PoolEvent): string | undefined {
  if ('error' in event) return event.error.message;
  if ('reason' in event) return event.reason;
  return event.t === 'ready' ? event.kind : undefined;
}

function durationOf(event: PoolEvent): number | undefined {
  if ('durationMs' in event) return event.durationMs;
  return 'delayMs' in event ? event.delayMs : undefined;
}
