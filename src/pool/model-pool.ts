import { EventEmitter } from 'node:events';
import type { Catalog, Manifest } from '../manifest/index.ts';
import type { ModelFiles } from '../models/index.ts';
import type { SkillRuntime } from '../runtimes/index.ts';
import { Budget } from './budget.ts';
import { SkillCallError, SkillNotFoundError, SkillUnavailableError } from './errors.ts';
import type { CallObservation, PoolEvent, SkillStatusReport } from './events.ts';
import { Launcher } from './launcher.ts';
import { type BackoffPolicy, DEFAULT_BACKOFF } from './lifecycle.ts';
import { brokenReport } from './report.ts';
import { SkillClient } from './skill-client.ts';
import { SkillUnit } from './unit.ts';

/** How often the memory of running skills is measured, in milliseconds. */
const MEASURE_INTERVAL_MS = 5000;

export interface SkillSettings {
  /** Overrides `config` of the manifest. */
  config?: Record<string, unknown>;
  pinned?: boolean;
  idleTtlMs?: number;
  /** Absolute paths of folders that it may read, by the names of its manifest. */
  mounts?: Record<string, string>;
  /** It sees the programs of this machine, read-only. */
  toolchain?: boolean;
  /** How many spares to keep; overrides `warm` of the manifest. */
  warm?: number;
}

export interface ModelPoolOptions {
  catalog: Catalog;
  runtime: SkillRuntime;
  /** Where bundles are kept. */
  bundleDir: string;
  /** Stops a skill after this long without a call, in milliseconds; 0: never. Default 5 minutes. */
  idleTtlMs?: number;
  /** Bytes that all running skills may use together; 0: no budget. Default 0. */
  memoryBudgetBytes?: number;
  /** How many skills may run at once; 0: any number. Default 0. */
  maxLoaded?: number;
  /** A skill whose assistant is gone stops by itself after this long, in milliseconds. Default 60 seconds. */
  leaseMs?: number;
  /** Where the models are that skills read. Default: there are none. */
  modelFile?: ModelFiles;
  skills?: Record<string, SkillSettings>;
  backoff?: Partial<BackoffPolicy>;
}

const noModels: ModelFiles = (role) => {
  throw new Error(`it reads the ${role} model, and this pool has no models: give it the option modelFile`);
};

interface PoolEvents {
  event: [PoolEvent];
  call: [CallObservation];
}

/** Launches skills when they are needed, reuses them while they run, notices when they die, and hands out clients. */
export class ModelPool extends EventEmitter<PoolEvents> implements AsyncDisposable {
  readonly #options: ModelPoolOptions;
  readonly #launcher: Launcher;
  readonly #units = new Map<string, SkillUnit>();
  readonly #clients = new Map<string, SkillClient>();
  readonly #measureTimer: NodeJS.Timeout;
  readonly #budget: Budget;
  #closed = false;

  constructor(options: ModelPoolOptions) {
    super();
    this.#options = options;
    this.#launcher = new Launcher({
      runtime: options.runtime,
      bundleDir: options.bundleDir,
      leaseMs: options.leaseMs ?? 60_000,
      modelFile: options.modelFile ?? noModels,
    });
    // Whoever starts the skills elsewhere decides how many there are.
    const isOurs = options.runtime.elsewhere === undefined;
    this.#budget = new Budget(() => [...this.#units.values()], {
      memoryBytes: isOurs ? (options.memoryBudgetBytes ?? 0) : 0,
      maxLoaded: isOurs ? (options.maxLoaded ?? 0) : 0,
    });
    this.#measureTimer = setInterval(() => {
      for (const unit of this.#units.values()) unit.spares.fill();
      void this.#budget.enforce();
    }, MEASURE_INTERVAL_MS);
    this.#measureTimer.unref();
  }

  /** Every skill, and every one whose manifest cannot be used. */
  get names(): string[] {
    const { skills, broken } = this.#options.catalog;
    return [...skills.keys(), ...broken.keys()].sort();
  }

  /** The memory that all skills together may use and do use, as last measured, in bytes. A budget of 0: no limit. */
  get memory(): Budget['memory'] {
    return this.#budget.memory;
  }

  get runtime(): SkillRuntime {
    return this.#options.runtime;
  }

  /**
   * The client of a skill, which then serves. The same object for every caller.
   *
   * @throws SkillNotFoundError, SkillLaunchError, SkillUnavailableError
   */
  async getSkillClient(name: string, { signal }: { signal?: AbortSignal } = {}): Promise<SkillClient> {
    const unit = this.#unit(name);
    await unit.ensureReady(signal ?? new AbortController().signal);
    unit.holders++;
    unit.activity.touch();
    return this.client(name);
  }

  /** The client of a skill without launching it: the first call does. @throws SkillNotFoundError */
  client(name: string): SkillClient {
    let client = this.#clients.get(name);
    if (!client) {
      client = new SkillClient(this.#unit(name), (call) => this.emit('call', call));
      this.#clients.set(name, client);
    }
    return client;
  }

  /** Starts a skill for an operator: it stays until it is stopped, whatever happens to this process. */
  async start(name: string): Promise<void> {
    const unit = this.#unit(name);
    unit.setKept(true);
    await unit.ensureReady(new AbortController().signal);
  }

  /** Stops a skill and waits until it is gone. One that an earlier process left running is found and stopped too. */
  async stop(name: string): Promise<boolean> {
    const unit = this.#unit(name);
    this.#requireControl(name);
    unit.setKept(false);
    if (unit.state === 'stopped') {
      await unit.spares.dropAll();
      const instance = await this.#options.runtime.find(name);
      if (!instance) return false;
      await instance.stop(unit.manifest.timeouts.drain);
      return true;
    }
    unit.dispatch({ t: 'stop', reason: 'operator' });
    await unit.settled();
    await unit.spares.dropAll();
    return true;
  }

  /** Stops and starts a skill; closes its circuit. */
  async restart(name: string): Promise<void> {
    const unit = this.#unit(name);
    this.#requireControl(name);
    unit.dispatch({ t: 'restart', reason: 'operator' });
    await unit.ensureReady(new AbortController().signal);
  }

  /**
   * Gives a running skill its code as it is now; calls that run end with the old one.
   *
   * @returns false when it does not run
   * @throws BundleError when the new code does not build; the old code goes on
   */
  async reload(name: string): Promise<boolean> {
    const unit = this.#unit(name);
    this.#requireControl(name);
    if (unit.state !== 'ready') return false;
    await unit.reload();
    return true;
  }

  logs(name: string, lines: number): Promise<string[]> {
    this.#unit(name);
    this.#requireControl(name);
    return this.#options.runtime.logs(name, lines);
  }

  /** Takes over what an operator started or an earlier assistant left running. @returns the names */
  async adopt(): Promise<string[]> {
    const adopted: string[] = [];
    for (const name of this.#options.catalog.skills.keys()) {
      const instance = await this.#options.runtime.find(name);
      if (!instance) continue;
      const unit = this.#unit(name);
      if (instance.kept) unit.setKept(true);
      await unit.ensureReady(new AbortController().signal).then(
        () => adopted.push(name),
        () => {},
      );
    }
    return adopted;
  }

  /** Starts the spares of every skill that has some, in the background. */
  warmUp(): void {
    for (const name of this.#options.catalog.skills.keys()) this.#unit(name).spares.fill();
  }

  /**
   * Every skill, running or not, and every broken one.
   *
   * @param recent how much memory they use is as it was measured in the last seconds: at many skills, measuring takes a while
   */
  async status(name?: string, { recent = false } = {}): Promise<SkillStatusReport[]> {
    const { skills, broken } = this.#options.catalog;
    const names = name === undefined ? [...skills.keys()] : [this.#unit(name).manifest.name];
    const units = names.map((each) => this.#unit(each));
    await Promise.all(units.map((unit) => unit.measure(recent ? 2 * MEASURE_INTERVAL_MS : 0)));
    const reports = units.map((unit) => unit.report());
    if (name === undefined)
      for (const { name: each, error } of broken.values()) reports.push(brokenReport(each, error));
    return reports.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  manifest(name: string): Manifest {
    return this.#unit(name).manifest;
  }

  /** Stops every skill and leaves nothing behind, except what an operator started; `keepRunning` leaves all. */
  async close({ keepRunning = false } = {}): Promise<void> {
    this.#closed = true;
    clearInterval(this.#measureTimer);
    await Promise.all([...this.#units.values()].map((unit) => unit.close(keepRunning || unit.kept)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @throws SkillCallError when somebody else starts and stops this skill */
  #requireControl(name: string): void {
    const { elsewhere } = this.#options.runtime;
    if (elsewhere) throw new SkillCallError(name, 'FAILED_PRECONDITION', elsewhere.hint(name));
  }

  #unit(name: string): SkillUnit {
    const existing = this.#units.get(name);
    if (existing) return existing;
    const { catalog, skills, idleTtlMs, backoff } = this.#options;
    const manifest = catalog.skills.get(name);
    if (!manifest) throw new SkillNotFoundError(name, [...catalog.skills.keys()], catalog.broken.get(name)?.error);
    if (this.#closed) throw new SkillUnavailableError(name, 'the pool is closed');
    const settings = skills?.[name] ?? {};
    const unit: SkillUnit = new SkillUnit({
      manifest,
      settings: {
        config: settings.config ?? {},
        mounts: settings.mounts ?? {},
        toolchain: settings.toolchain ?? false,
      },
      launcher: this.#launcher,
      policy: {
        idleTtlMs: settings.idleTtlMs ?? idleTtlMs ?? 300_000,
        pinned: settings.pinned ?? false,
        // Whoever starts the skills starts no spares for us.
        warm: this.#options.runtime.elsewhere ? 0 : (settings.warm ?? manifest.warm),
        backoff: { ...DEFAULT_BACKOFF, ...backoff },
      },
      makeRoom: () => this.#budget.makeRoom(unit),
      hasRoom: () => this.#budget.hasRoomForSpare(unit),
      emit: (event) => this.emit('event', event),
    });
    this.#units.set(name, unit);
    return unit;
  }
}
