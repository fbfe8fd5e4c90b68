/** Breaks an assistant again and again while it is used, and looks at what must hold. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RuntimeName } from '../../src/runtimes/index.ts';
import { checkAll, checkRound, prepareRows, RECOVERY_MS, untilRecovered, untilSynchronized } from './checks.ts';
import { type Effects, FAULTS } from './faults/index.ts';
import { Leaks } from './leaks.ts';
import { Ledger } from './ledger.ts';
import { Load } from './load.ts';
import { Noise } from './noise.ts';
import { type PlannedFault, plan } from './plan.ts';
import type { ChaosReport } from './report.ts';
import { ChaosSystem } from './system.ts';
import type { Violation } from './violation.ts';

/** Everything that was ever written is looked at after so many rounds, and at the end. */
const ROUNDS_PER_FULL_CHECK = 25;
/** The load goes on so long before the first fault, in milliseconds. */
const CALM_MS = 250;
/** Faults of a round begin within this, and last up to so long, in milliseconds. */
const BEGIN_MS = 300;
const HOLD_MS = 1200;
/** The first start may build bundles and images, in milliseconds. */
const FIRST_START_MS = 180_000;
/** A round without faults, in milliseconds. */
const PEACE_MS = 2500;

export interface ChaosOptions {
  runtime: RuntimeName;
  seed: number;
  /** How many, all in all. 0: one round without any. */
  faults: number;
  /** The first one of the plan that is injected, to begin in the middle. */
  from?: number;
  /** Which; undefined: all that are possible. */
  kinds?: readonly string[] | undefined;
  /** Modules that are loaded into the assistant. */
  preload?: string[];
  signal?: AbortSignal;
  onProgress?: (text: string) => void;
  /** Told of each one at once. */
  onViolation?: (violation: Violation) => void;
}

/** @throws Error when the assistant cannot be started at all */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { runtime, preload, signal, onProgress = () => {} } = options;
  onProgress('starting an assistant');
  const system = await ChaosSystem.start({ runtime, ...(preload && { preload }) });
  let report: ChaosReport | undefined;
  try {
    report = await new Run(system, options).run(onProgress, signal);
    return report;
  } finally {
    await system.remove().catch((error: Error) => {
      report?.violations.push({ invariant: 'leak', detail: error.message, round: report.rounds, faults: [], from: 0 });
    });
  }
}

class Run {
  readonly #system: ChaosSystem;
  readonly #options: ChaosOptions;
  readonly #ledger = new Ledger();
  readonly #noise = new Noise();
  readonly #leaks: Leaks;
  readonly #load: Load;
  readonly #recoveries: number[] = [];
  readonly #counts = new Map<string, number>();
  readonly #violations: ChaosReport['violations'] = [];
  #round = 0;
  #current: readonly PlannedFault[] = [];
  #rowsAreAtRisk = false;

  constructor(system: ChaosSystem, options: ChaosOptions) {
    this.#system = system;
    this.#options = options;
    this.#leaks = new Leaks(system);
    system.onDeath = (detail) => this.#violated([{ invariant: 'died', detail }]);
    system.onDelay = (delay) => this.#noise.note(delay);
    const onViolation = (violation: Violation) => this.#violated([violation]);
    const ledger = this.#ledger;
    this.#load = new Load({ system, ledger, noise: this.#noise, seed: options.seed, onViolation });
  }

  async run(onProgress: (text: string) => void, signal?: AbortSignal): Promise<ChaosReport> {
    const startedAt = new Date();
    const { faults, seed, kinds, from = 0 } = this.#options;
    const possible = FAULTS.filter(({ kind }) => kinds?.includes(kind) ?? true);
    const usable = possible.filter((fault) => fault.missing?.(this.#system) === undefined);
    const rounds = faults === 0 ? [[]] : plan(usable, from + faults, seed);
    await untilRecovered(this.#system, this.#noise, FIRST_START_MS);
    await prepareRows(this.#system);
    let done = 0;
    try {
      for (const planned of rounds) {
        if (planned.some(({ index }) => index < from)) continue;
        if (signal?.aborted) break;
        await this.#runRound(planned);
        done += planned.length;
        onProgress(
          `${done} of ${faults} faults, ${this.#load.counts.calls} calls, ${this.#violations.length} violations`,
        );
      }
      await this.#load.end();
      this.#violated(await checkAll(this.#system, this.#ledger));
    } catch (error) {
      this.#violated([{ invariant: 'slow', detail: `${(error as Error).message}\n${this.#system.log()}` }]);
    }
    await this.#load.end();
    await this.#end();
    const recoveries = this.#recoveries.toSorted((a, b) => a - b);
    const { calls, answered, failed, worstOverrunMs } = this.#load.counts;
    return {
      format: 1,
      seed,
      runtime: this.#system.runtime,
      startedAt: startedAt.toISOString(),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
      faults: Object.fromEntries(possible.map(({ kind }) => [kind, this.#counts.get(kind) ?? 0]).filter(([, n]) => n)),
      leftOut: Object.fromEntries(
        possible.flatMap(({ kind, missing }) => {
          const why = missing?.(this.#system);
          return why === undefined ? [] : [[kind, why]];
        }),
      ),
      rounds: this.#round,
      ...{ calls, answered, failed },
      acknowledged: this.#ledger.acknowledged,
      recovery: { p50: recoveries[Math.floor(recoveries.length / 2)] ?? 0, worst: recoveries.at(-1) ?? 0 },
      worstOverrun: worstOverrunMs,
      violations: this.#violations,
    };
  }

  async #runRound(planned: readonly PlannedFault[]): Promise<void> {
    this.#current = planned;
    const subject = `load ${++this.#round}`;
    this.#load.subject = subject;
    this.#rowsAreAtRisk = false;
    this.#load.resume();
    await sleep(planned.length === 0 ? PEACE_MS : CALM_MS);
    const ends = await Promise.allSettled(planned.map((each) => this.#inject(each)));
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    const recovery = await untilRecovered(this.#system, this.#noise);
    this.#recoveries.push(recovery);
    this.#load.factsMayBeMissing = false;
    if (recovery > RECOVERY_MS)
      this.#violated([{ invariant: 'slow', detail: `${Math.round(recovery)} ms until everything worked` }]);
    await this.#load.pause();
    if (this.#rowsAreAtRisk) this.#ledger.rowsMayBeLost();
    await untilSynchronized(this.#system);
    await prepareRows(this.#system);
    this.#violated(await checkRound(this.#system, this.#ledger, subject));
    if (this.#round % ROUNDS_PER_FULL_CHECK === 0) this.#violated(await checkAll(this.#system, this.#ledger));
    this.#violated(await this.#leaks.whileRunning());
  }

  async #inject({ fault, random }: PlannedFault): Promise<void> {
    await sleep(random() * BEGIN_MS);
    const heal = await fault.inject(this.#system, random, this.#effects);
    if (!heal) return;
    this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1);
    await sleep(random() * HOLD_MS);
    await heal();
  }

  readonly #effects: Effects = {
    quietly: async (run) => {
      await this.#load.pause();
      await untilSynchronized(this.#system);
      try {
        return await run();
      } finally {
        this.#load.resume();
      }
    },
    connectionsMayWait: (mayWait) => {
      this.#load.connectionsMayWait = mayWait;
    },
    factsMayBeMissing: () => {
      this.#load.factsMayBeMissing = true;
    },
    rowsMayBeLost: () => {
      this.#rowsAreAtRisk = true;
    },
  };

  async #end(): Promise<void> {
    try {
      const code = await this.#system.stop();
      if (code !== 0) this.#violated([{ invariant: 'died', detail: `exit code ${code} after SIGTERM` }]);
    } catch (error) {
      this.#violated([{ invariant: 'died', detail: (error as Error).message }]);
    }
    this.#violated(await this.#leaks.afterwards());
    await this.#noise[Symbol.asyncDispose]();
  }

  #violated(violations: readonly Violation[]): void {
    const faults = this.#current.map(({ fault }) => fault.kind);
    for (const violation of violations) {
      this.#options.onViolation?.(violation);
      this.#violations.push({ ...violation, round: this.#round, faults, from: this.#current[0]?.index ?? 0 });
    }
  }
}
