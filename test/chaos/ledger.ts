/** What was written, and whether that was acknowledged; and what follows for what must be found later. Pure. */
import type { Violation } from './violation.ts';

/** `unknown`: no answer, or an error: it may have been done, once. */
export type Outcome = 'acknowledged' | 'unknown';

/** A fact as it was found. */
export interface FoundFact {
  subject: string;
  object: string;
  count: number;
  /** It is true now. */
  isPresent: boolean;
}

export interface FoundRow {
  n: number;
  times: number;
}

/** Facts and rows are named after the round that they were written in. */
export class Ledger {
  /** Subject -> object -> outcome. */
  readonly #facts = new Map<string, Map<string, Outcome>>();
  /** Subject -> places in the order in which it was told to be there; each ends the one before. */
  readonly #moves = new Map<string, { object: string; outcome: Outcome }[]>();
  readonly #rows = new Map<number, Outcome>();
  /** Acknowledged facts, to be asked for. */
  readonly known: { subject: string; object: string }[] = [];
  acknowledged = 0;

  fact(subject: string, object: string, outcome: Outcome): void {
    const facts = this.#facts.get(subject) ?? new Map<string, Outcome>();
    this.#facts.set(subject, facts.set(object, outcome));
    if (outcome !== 'acknowledged') return;
    this.known.push({ subject, object });
    this.acknowledged++;
  }

  move(subject: string, object: string, outcome: Outcome): void {
    const moves = this.#moves.get(subject) ?? [];
    this.#moves.set(subject, [...moves, { object, outcome }]);
    if (outcome === 'acknowledged') this.acknowledged++;
  }

  row(n: number, outcome: Outcome): void {
    this.#rows.set(n, outcome);
    if (outcome === 'acknowledged') this.acknowledged++;
  }

  /** Tables in the sql skill have no second copy: a damaged database takes them along. They must still not be wrong. */
  rowsMayBeLost(): void {
    for (const n of this.#rows.keys()) this.#rows.set(n, 'unknown');
  }

  /** Subjects that move, and those of a round or, without one, of all. */
  subjects(subject?: string): string[] {
    return [...(subject === undefined ? this.#facts.keys() : [subject]), ...this.#moves.keys()];
  }

  /** @param where who was asked @param subjects whose facts were asked for */
  checkFacts(found: readonly FoundFact[], where: string, subjects = this.subjects()): Violation[] {
    const bySubject = Map.groupBy(found, ({ subject }) => subject);
    return subjects.flatMap((subject) => {
      const facts = bySubject.get(subject) ?? [];
      const moves = this.#moves.get(subject);
      const told = moves
        ? new Map(moves.map(({ object, outcome }) => [object, outcome]))
        : (this.#facts.get(subject) ?? new Map<string, Outcome>());
      return [
        ...compare(told, facts, `${where}: ${subject}`),
        ...(moves ? checkPresent(moves, facts, `${where}: ${subject}`) : []),
      ];
    });
  }

  checkRows(found: readonly FoundRow[]): Violation[] {
    const rows = found.map(({ n, times }) => ({ object: String(n), count: times }));
    const told = new Map([...this.#rows].map(([n, outcome]) => [String(n), outcome]));
    return compare(told, rows, 'rows of the sql skill');
  }
}

function compare(
  told: ReadonlyMap<string, Outcome>,
  found: readonly { object: string; count: number }[],
  where: string,
): Violation[] {
  const violations: Violation[] = [];
  const times = new Map<string, number>();
  for (const { object, count } of found) times.set(object, (times.get(object) ?? 0) + count);
  for (const [object, outcome] of told)
    if (outcome === 'acknowledged' && !times.has(object))
      violations.push({ invariant: 'lost', detail: `${where}: ${object} is not there` });
  for (const [object, count] of times) {
    if (!told.has(object)) violations.push({ invariant: 'wrong', detail: `${where}: ${object} was never told` });
    else if (count !== 1)
      violations.push({ invariant: 'doubled', detail: `${where}: ${object} is there ${count} times` });
  }
  return violations;
}

/** The last acknowledged place, or one that was told after it. */
function checkPresent(
  moves: readonly { object: string; outcome: Outcome }[],
  found: readonly FoundFact[],
  where: string,
): Violation[] {
  const last = moves.findLastIndex(({ outcome }) => outcome === 'acknowledged');
  if (last < 0) return [];
  const possible = moves.slice(last).map(({ object }) => object);
  const present = found.filter(({ isPresent }) => isPresent).map(({ object }) => object);
  if (present.length === 1 && possible.includes(present[0] ?? '')) return [];
  const detail = `${where} is ${present.join(' and ') || 'nowhere'}, not ${possible.join(' or ')}`;
  return [{ invariant: 'wrong', detail }];
}
