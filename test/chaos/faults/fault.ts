import type { ChaosSystem } from '../system.ts';

/** Ends a fault: what was broken is whole again. Afterwards the system has 5 s. */
export type Heal = () => Promise<void> | void;

export interface Fault {
  kind: string;
  /** For the help. */
  what: string;
  /** Nothing else breaks at the same time. */
  isAlone?: boolean;
  /** Why it cannot be done with this system. */
  missing?(system: ChaosSystem): string | undefined;
  /**
   * Breaks something.
   *
   * @param random 0 <= x < 1, the same for the same seed
   * @returns undefined when another fault has left nothing to break
   */
  inject(system: ChaosSystem, random: () => number, effects: Effects): Promise<Heal | undefined>;
}

/** What a fault does to the load and to what may be expected. */
export interface Effects {
  /** Runs with no call under way and everything written in both copies of the memory. */
  quietly<T>(run: () => Promise<T>): Promise<T>;
  /** New connections may wait to be accepted until this is called again with false. */
  connectionsMayWait(mayWait: boolean): void;
  /** What only the skill knows may not be recalled until the next recovery. */
  factsMayBeMissing(): void;
  /** Tables in the sql skill, which have one copy only, may be gone until the next recovery. */
  rowsMayBeLost(): void;
}

export const nothing: Heal = () => {};

export function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}
