import type { IsolationLevel } from '../../skill/index.ts';
import { type Endpoint, type Exit, type Instance, type InstanceStats, RuntimeError } from '../runtime.ts';
import { type Engine, EngineError } from './engine.ts';

export interface DockerInstanceOptions {
  engine: Engine;
  containerId: string;
  skill: string;
  fingerprint: string;
  instanceId: string;
  ownerToken: string;
  launchedAt: number;
  endpoint: Endpoint;
  /** Which of the folders of its skill it uses. */
  slot: number;
  kept: boolean;
  /** Writes down that it stays, or not, when its launcher stops. */
  onKeep(kept: boolean): void;
  /** Writes down that a spare is the instance of its skill now. */
  onActivate(): void;
  /** Called with the last log lines once the container is removed. */
  onEnd(log: string[]): Promise<void>;
}

interface ContainerStats {
  memory_stats: { usage?: number; stats?: { total_inactive_file?: number; inactive_file?: number } };
  cpu_stats: { cpu_usage: { total_usage: number } };
  pids_stats: { current?: number };
}

const LOG_LINES = 200;
/** Numbers that come later than this, in milliseconds, nobody waits for. */
const STATS_TIMEOUT_MS = 5000;

/** A skill that runs as a container. */
export class DockerInstance implements Instance {
  readonly runtime = 'docker';
  readonly isolation: IsolationLevel = 'container';
  readonly skill: string;
  readonly fingerprint: string;
  readonly instanceId: string;
  readonly ownerToken: string;
  readonly launchedAt: number;
  readonly endpoint: Endpoint;
  readonly slot: number;
  readonly exited: Promise<Exit>;
  readonly #options: DockerInstanceOptions;
  readonly #released = new AbortController();
  #kept: boolean;
  #paused = false;

  constructor(options: DockerInstanceOptions) {
    this.#options = options;
    this.skill = options.skill;
    this.fingerprint = options.fingerprint;
    this.instanceId = options.instanceId;
    this.ownerToken = options.ownerToken;
    this.launchedAt = options.launchedAt;
    this.endpoint = options.endpoint;
    this.slot = options.slot;
    this.#kept = options.kept;
    this.exited = this.#untilExit();
  }

  get kept(): boolean {
    return this.#kept;
  }

  keep(kept: boolean): void {
    if (kept === this.#kept) return;
    this.#kept = kept;
    this.#options.onKeep(kept);
  }

  reload(): void {
    throw new RuntimeError(`skill ${this.skill}: a container runs what is in its image: restart it instead`);
  }

  async pause(): Promise<void> {
    await this.#post('pause');
    this.#paused = true;
  }

  async activate(): Promise<void> {
    await this.#resume();
    this.#options.onActivate();
  }

  async stop(graceMs: number): Promise<Exit> {
    await this.#resume();
    await this.#post(`stop?t=${Math.ceil(graceMs / 1000)}`);
    return await this.exited;
  }

  release(): void {
    this.#released.abort();
  }

  async stats(): Promise<InstanceStats> {
    const { engine, containerId } = this.#options;
    const { memory_stats, cpu_stats, pids_stats } = await engine.json<ContainerStats>(
      'GET',
      `/containers/${containerId}/stats?stream=false&one-shot=true`,
      undefined,
      STATS_TIMEOUT_MS,
    );
    const { usage = 0, stats } = memory_stats;
    return {
      // As `docker stats` counts: without the page cache that the kernel would give back.
      memoryBytes: usage - (stats?.total_inactive_file ?? stats?.inactive_file ?? 0),
      cpuSeconds: cpu_stats.cpu_usage.total_usage / 1e9,
      processes: pids_stats.current ?? 0,
    };
  }

  async #untilExit(): Promise<Exit> {
    const { engine, containerId, onEnd } = this.#options;
    let code: number | undefined;
    try {
      const path = `/containers/${containerId}/wait`;
      const { signal } = this.#released;
      ({ StatusCode: code } = await engine.json<{ StatusCode: number }>('POST', path, undefined, signal));
    } catch {
      // The engine went away, and its containers with it. Unless this one is somebody else's now, and goes on.
      if (this.#released.signal.aborted) return await new Promise(() => {});
    }
    const outOfMemory = await engine
      .json<{ State: { OOMKilled: boolean } }>('GET', `/containers/${containerId}/json`)
      .then(({ State }) => State.OOMKilled)
      .catch(() => false);
    const log = await containerLogs(engine, containerId, LOG_LINES).catch(() => []);
    await removeContainer(engine, containerId).catch(() => {});
    await onEnd(log).catch(() => {});
    return { code, signal: code === 137 ? 'SIGKILL' : undefined, outOfMemory };
  }

  /** A paused container understands no signal. */
  async #resume(): Promise<void> {
    if (!this.#paused) return;
    this.#paused = false;
    await this.#post('unpause');
  }

  async #post(action: string): Promise<void> {
    try {
      await this.#options.engine.json('POST', `/containers/${this.#options.containerId}/${action}`);
    } catch (error) {
      // It has ended already.
      if (!(error instanceof EngineError) || ![0, 304, 404, 409].includes(error.status)) throw error;
    }
  }
}

/** Removes a container, running or not, and waits until it is gone. */
export async function removeContainer(engine: Engine, containerId: string): Promise<void> {
  try {
    await engine.json('DELETE', `/containers/${containerId}?force=1`);
  } catch (error) {
    if (!(error instanceof EngineError) || ![404, 409].includes(error.status)) throw error;
    // Somebody else removes it already.
    if (error.status === 409)
      await engine.json('POST', `/containers/${containerId}/wait?condition=removed`).catch(() => {});
  }
}

/** The last lines that a container wrote. */
export async function containerLogs(engine: Engine, containerId: string, lines: number): Promise<string[]> {
  const frames = await engine.bytes(`/containers/${containerId}/logs?stdout=1&stderr=1&tail=${lines}`);
  return demultiplex(frames).split('\n').filter(Boolean);
}

/** Output and errors come in frames: one byte of kind, three of nothing, four of length. */
function demultiplex(frames: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    pieces.push(frames.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(pieces).toString('utf8');
}
