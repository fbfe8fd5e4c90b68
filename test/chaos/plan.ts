import { randomNumbers } from '../../src/random.ts';
import type { Fault } from './faults/index.ts';

/** Most faults at the same time. */
const MOST_AT_ONCE = 3;

export interface PlannedFault {
  /** Its place in the plan, from 0. */
  index: number;
  fault: Fault;
  /** For what it chooses itself. */
  random: () => number;
}

/** Which faults come, and which come together: the same for the same seed and kinds. Every kind comes as often as any other. */
export function plan(faults: readonly Fault[], count: number, seed: number): PlannedFault[][] {
  const random = randomNumbers(seed);
  const rounds: PlannedFault[][] = [];
  let deck: Fault[] = [];
  let size = 0;
  for (let index = 0; index < count; index++) {
    if (deck.length === 0) deck = shuffled(faults, random);
    const fault = deck.pop();
    if (!fault) break;
    const planned = { index, fault, random: randomNumbers(seed * 100_003 + index) };
    const current = rounds.at(-1);
    const fits = current && current.length < size && !fault.isAlone && !current[0]?.fault.isAlone;
    if (fits) current.push(planned);
    else {
      rounds.push([planned]);
      size = 1 + Math.floor(random() * MOST_AT_ONCE);
    }
  }
  return rounds;
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const [a, b] = [mixed[last], mixed[other]];
    if (a !== undefined && b !== undefined) [mixed[last], mixed[other]] = [b, a];
  }
  return mixed;
}
