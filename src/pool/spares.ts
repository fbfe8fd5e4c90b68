import { setTimeout as sleep } from 'node:timers/promises';
import type { Manifest } from '../manifest/index.ts';
import type { LaunchSpec } from '../runtimes/index.ts';
import type { PoolEvent } from './events.ts';
import type { Launched } from './launcher.ts';

/** Spares are not started before the call that took the last one has had its turn, in milliseconds. */
const FILL_DELAY_MS = 100;
/** How long to wait after a spare could not be started, in milliseconds; it doubles from there. */
const RETRY_MS = 5000;
const MAX_RETRY_MS = 300_000;

export interface SparesOptions {
  manifest: Manifest;
  /** How many there should be now. */
  wanted(): number;
  /** Whether the memory budget allows one more. */
  hasRoom(): Promise<boolean>;
  /** The folders that the instance in use has. */
  usedSlot(): number | undefined;
  spec(): Promise<LaunchSpec>;
  start(spec: LaunchSpec, slot: number): Promise<Launched>;
  emit(event: PoolEvent): void;
}

/** Instances of one skill that serve and were never used, paused until somebody needs one: taking one is quicker than launching. */
export class Spares {
  readonly #options: SparesOptions;
  readonly #ready: Launched[] = [];
  #filling: Promise<void> | undefined;
  #closed = false;
  #failures = 0;
  #wasTaken = false;
  /** performance.now() before which none is started. */
  #retryAt = 0;
  /** Bytes, as last measured. */
  memoryBytes = 0;

  constructor(options: SparesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#ready.length;
  }

  /** Starts what is missing, in the background. */
  fill(): void {
    if (this.#filling || !this.#isMissing()) return;
    this.#filling = this.#startMissing().finally(() => {
      this.#filling = undefined;
    });
  }

  /**
   * Gives one away, running. Those that are not what would be launched now are stopped.
   *
   * @param keep the instance is to outlive us, which a spare does not
   */
  async take(spec: LaunchSpec, keep: boolean): Promise<Launched | undefined> {
    // One that is about to be ready is there sooner than a new one would be.
    await this.#filling;
    while (this.#ready.length > 0) {
      const [spare] = this.#ready.splice(0, 1);
      if (!spare) break;
      const isUsable = spare.instance.fingerprint === spec.fingerprint && spare.connection.session.usable;
      if (isUsable && keep && !isExclusive(spec.manifest)) {
        this.#ready.push(spare);
        return undefined;
      }
      if (isUsable && !keep) {
        await spare.instance.activate();
        this.#wasTaken = true;
        const { instance, connection } = spare;
        return { instance, connection, kind: 'warm' };
      }
      await this.#stop(spare);
    }
    return undefined;
  }

  /** Stops one to make room. @returns false when there is none */
  async drop(): Promise<boolean> {
    const spare = this.#ready.pop();
    if (!spare) return false;
    await this.#stop(spare);
    return true;
  }

  async dropAll(): Promise<void> {
    await this.#filling;
    await Promise.all(this.#ready.splice(0).map((spare) => this.#stop(spare)));
  }

  async measure(): Promise<void> {
    const all = await Promise.all(this.#ready.map(({ instance }) => instance.stats().catch(() => undefined)));
    this.memoryBytes = all.reduce((sum, stats) => sum + (stats?.memoryBytes ?? 0), 0);
  }

  /** Stops all; none is started any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.dropAll();
  }

  #isMissing(): boolean {
    return !this.#closed && this.#ready.length < this.#options.wanted() && performance.now() >= this.#retryAt;
  }

  async #startMissing(): Promise<void> {
    const { manifest, hasRoom, spec, start, emit } = this.#options;
    if (this.#wasTaken) await sleep(FILL_DELAY_MS);
    while (this.#isMissing() && (await hasRoom())) {
      const started = performance.now();
      try {
        const spare = await start(await spec(), this.#freeSlot());
        this.#ready.push(spare);
        void spare.instance.exited.then(() => this.#forget(spare));
        await spare.instance.pause();
        this.#failures = 0;
        this.#wasTaken = false;
        emit({ t: 'spare_ready', skill: manifest.name, durationMs: performance.now() - started });
      } catch (error) {
        this.#retryAt = performance.now() + Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** this.#failures++);
        emit({ t: 'spare_failed', skill: manifest.name, error: error as Error });
      }
    }
  }

  #freeSlot(): number {
    const used = [this.#options.usedSlot(), ...this.#ready.map(({ instance }) => instance.slot)];
    let slot = 1;
    while (used.includes(slot)) slot++;
    return slot;
  }

  #forget(spare: Launched): void {
    const at = this.#ready.indexOf(spare);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    spare.connection.close();
  }

  async #stop({ instance, connection }: Launched): Promise<void> {
    connection.close();
    await instance.stop(this.#options.manifest.timeouts.drain).catch(() => {});
  }
}

/** Two instances must not share durable data: there is a spare only while nothing else runs. */
export function isExclusive({ volumes }: Manifest): boolean {
  return volumes.includes('data');
}
