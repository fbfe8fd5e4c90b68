import { SkillUnavailableError } from './errors.ts';
import type { SkillUnit } from './unit.ts';

/** What all skills together may use. 0: no limit. */
export interface BudgetLimits {
  memoryBytes: number;
  /** How many may run at once; spares do not run. */
  maxLoaded: number;
}

/** Keeps skills within their limits: spares go first, then idle skills, least recently used first; a busy one never. */
export class Budget {
  readonly #units: () => SkillUnit[];
  readonly #limits: BudgetLimits;
  #room: Promise<void> = Promise.resolve();

  constructor(units: () => SkillUnit[], limits: BudgetLimits) {
    this.#units = units;
    this.#limits = limits;
  }

  /** How much of the memory may be used, and how much of it is, spares included, as last measured. 0: no limit. */
  get memory(): { budgetBytes: number; usedBytes: number } {
    return { budgetBytes: this.#limits.memoryBytes, usedBytes: this.#used(this.#running()) };
  }

  /** Stops what must go for a launch. One launch at a time, so that two cannot claim the same. @throws SkillUnavailableError */
  makeRoom(newcomer: SkillUnit): Promise<void> {
    const room = this.#room.then(() => this.#evictFor(newcomer));
    this.#room = room.catch(() => {});
    return room;
  }

  /** Whether one more spare fits. Nothing is stopped for it. */
  async hasRoomForSpare({ manifest }: SkillUnit): Promise<boolean> {
    if (this.#limits.memoryBytes === 0) return true;
    await Promise.all(this.#units().map((unit) => unit.measure()));
    return this.#used(this.#running()) + manifest.resources.reservation <= this.#limits.memoryBytes;
  }

  /** Measures what runs. When it has grown beyond the budget, one goes. */
  async enforce(): Promise<void> {
    const running = this.#running();
    await Promise.all(running.map((unit) => unit.measure()));
    const { memoryBytes } = this.#limits;
    if (memoryBytes === 0 || this.#used(running) <= memoryBytes) return;
    if (await this.#dropSpare(undefined)) return;
    leastRecentlyUsed(running)?.dispatch({ t: 'stop', reason: 'evicted_for:budget' });
  }

  async #evictFor(newcomer: SkillUnit): Promise<void> {
    const { memoryBytes, maxLoaded } = this.#limits;
    if (memoryBytes === 0 && maxLoaded === 0) return;
    const { name, resources } = newcomer.manifest;
    while (true) {
      const running = this.#running().filter((unit) => unit !== newcomer);
      await Promise.all(running.map((unit) => unit.measure()));
      const { spares } = newcomer;
      // It takes one of its own, if there is one, instead of starting another.
      const used = this.#used(running) - (spares.count > 0 ? spares.memoryBytes / spares.count : 0);
      const tooMany = maxLoaded > 0 && running.length + 1 > maxLoaded;
      const tooLarge = memoryBytes > 0 && used + resources.reservation > memoryBytes;
      if (!tooMany && !tooLarge) return;
      if (tooLarge && (await this.#dropSpare(newcomer))) continue;
      const victim = leastRecentlyUsed(running);
      if (!victim) {
        throw new SkillUnavailableError(
          name,
          tooMany
            ? `${running.length} skills run, the limit is ${maxLoaded}, and none of them is idle`
            : `it needs ${mib(resources.reservation)} and ${mib(used)} of the budget of ${mib(memoryBytes)} are used by skills that are not idle`,
        );
      }
      victim.dispatch({ t: 'stop', reason: `evicted_for:${name}` });
      await victim.settled();
    }
  }

  /** Stops a spare of another skill than the newcomer, which is about to take its own. */
  async #dropSpare(newcomer: SkillUnit | undefined): Promise<boolean> {
    for (const { spares } of this.#units().filter((unit) => unit !== newcomer)) {
      if (!(await spares.drop())) continue;
      await spares.measure();
      return true;
    }
    return false;
  }

  /** What running skills and all spares use, as last measured. */
  #used(running: readonly SkillUnit[]): number {
    const spares = this.#units().reduce((sum, unit) => sum + unit.spares.memoryBytes, 0);
    return running.reduce((sum, unit) => sum + memoryOf(unit), spares);
  }

  #running(): SkillUnit[] {
    const running: readonly SkillUnit['state'][] = ['ready', 'taken', 'starting', 'stopping'];
    return this.#units().filter(({ state }) => running.includes(state));
  }
}

function memoryOf(unit: SkillUnit): number {
  return unit.stats?.memoryBytes ?? unit.manifest.resources.reservation;
}

function leastRecentlyUsed(units: readonly SkillUnit[]): SkillUnit | undefined {
  return units
    .filter((unit) => unit.evictable)
    .sort((a, b) => Number(a.holders > 0) - Number(b.holders > 0) || a.activity.lastUsed - b.activity.lastUsed)[0];
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
