/** How one more observation changes what is known: pure, for one subject and verb, or one fact of a verb with many objects. */

/** A stretch of time in which a fact holds: from `validFrom` (inclusive) to `validTo` (exclusive; null: still). */
export interface Interval {
  id: number;
  o: number;
  validFrom: number;
  validTo: number | null;
  lastSeen: number;
}

export type Placement =
  /** The observation confirms a known interval, which may now begin earlier. */
  | { t: 'reinforce'; id: number; validFrom: number }
  /** It begins a new interval; the one that it replaces, if any, ends at that moment. */
  | { t: 'insert'; validFrom: number; validTo: number | null; close: number | undefined };

/** A moment after everything in these intervals: now, or, while the clock is behind it, the next one. */
export function nextMoment(intervals: readonly Interval[], now: number): number {
  const last = intervals.flatMap(({ validFrom, validTo, lastSeen }) => [validFrom, validTo ?? lastSeen, lastSeen]);
  return Math.max(now, ...last.map((at) => at + 1));
}

/**
 * Places an observation of object `o` at a moment among intervals that do not overlap.
 *
 * A late one, from before what is known now was last seen, becomes history and never changes the present.
 */
export function place(intervals: readonly Interval[], o: number, at: number): Placement {
  // The same late observation again.
  const known = intervals.find((interval) => interval.o === o && interval.validFrom === at);
  if (known) return { t: 'reinforce', id: known.id, validFrom: at };
  const covering = intervals.find(({ validFrom, validTo }) => validFrom <= at && (validTo === null || at < validTo));
  if (covering?.o === o) return { t: 'reinforce', id: covering.id, validFrom: covering.validFrom };
  if (covering) {
    const replaces = covering.validTo === null && at >= covering.lastSeen;
    return replaces
      ? { t: 'insert', validFrom: at, validTo: null, close: covering.id }
      : { t: 'insert', validFrom: at, validTo: at, close: undefined };
  }
  const [next] = intervals
    .filter(({ validFrom, validTo }) => validFrom > at && validFrom !== validTo)
    .sort((a, b) => a.validFrom - b.validFrom);
  if (next?.o === o) return { t: 'reinforce', id: next.id, validFrom: at };
  return { t: 'insert', validFrom: at, validTo: next?.validFrom ?? null, close: undefined };
}
