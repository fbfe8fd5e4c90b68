import type { Socket } from 'node:net';
import { credentials, Metadata } from '@grpc/grpc-js';
import { type MetricsResponse, SkillServiceClient } from '../../contract/index.ts';
import type { IsolationLevel } from '../../skill/index.ts';
import { type Endpoint, type Exit, type Instance, type InstanceStats, RuntimeError } from '../runtime.ts';
import type { SkillRecord } from './record.ts';

/** How long to wait for what a skill says of itself, in milliseconds. */
const METRICS_TIMEOUT_MS = 1000;

/** A skill that somebody else starts and stops. Here it is only connected to, and let go of. */
export class ExternalInstance implements Instance {
  readonly runtime = 'external';
  readonly isolation: IsolationLevel = 'container';
  readonly skill: string;
  readonly fingerprint: string;
  readonly instanceId: string;
  readonly ownerToken: string;
  readonly endpoint: Endpoint;
  readonly slot = 0;
  readonly launchedAt = Date.now();
  /** Never stopped for being idle, never evicted, left alone when the pool closes. */
  readonly kept = true;
  readonly exited: Promise<Exit>;
  readonly #line: Socket;
  readonly #client: SkillServiceClient;

  /** @param line a connection on which nothing is sent: that it ends is the only sign that the process did */
  constructor(
    skill: string,
    { fingerprint, instanceId, ownerToken, socket }: SkillRecord['skills'][string],
    line: Socket,
  ) {
    this.skill = skill;
    this.fingerprint = fingerprint;
    this.instanceId = instanceId;
    this.ownerToken = ownerToken;
    this.endpoint = { kind: 'unix', path: socket };
    this.#line = line;
    // Connects at the first question.
    this.#client = new SkillServiceClient(`unix:${socket}`, credentials.createInsecure());
    line.on('error', () => {}).unref();
    line.resume();
    this.exited = new Promise((resolve) => {
      line.once('close', () => {
        this.#client.close();
        resolve({ code: undefined, signal: undefined, outOfMemory: false });
      });
    });
  }

  keep(): void {}

  pause(): Promise<void> {
    return Promise.reject(new RuntimeError(`skill ${this.skill}: whoever started it decides whether it runs`));
  }

  activate(): Promise<void> {
    return Promise.resolve();
  }

  reload(): void {
    throw new RuntimeError(`skill ${this.skill}: whoever started it replaces its code, too`);
  }

  /** Only lets go of it. */
  stop(): Promise<Exit> {
    this.release();
    return this.exited;
  }

  release(): void {
    this.#line.destroy();
  }

  /** What the skill says of itself. Its processor time is not known. */
  async stats(): Promise<InstanceStats> {
    const { residentMemoryBytes } = await new Promise<MetricsResponse>((resolve, reject) => {
      const deadline = Date.now() + METRICS_TIMEOUT_MS;
      this.#client.getMetrics({}, new Metadata(), { deadline }, (error, metrics) =>
        error ? reject(error) : resolve(metrics),
      );
    });
    return { memoryBytes: Number(residentMemoryBytes), cpuSeconds: Number.NaN, processes: 1 };
  }
}
