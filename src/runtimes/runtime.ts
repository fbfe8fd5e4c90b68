/** How a skill is launched and isolated. One implementation for each way; the pool knows only this interface. */
import type { Manifest } from '../manifest/index.ts';
import type { IsolationLevel } from '../skill/index.ts';

export type RuntimeName = 'docker' | 'sandbox' | 'process';

/** Everything that decides what is launched. Two launches with equal specs are interchangeable. */
export interface LaunchSpec {
  manifest: Manifest;
  /** Absolute path of the bundled host. */
  hostPath: string;
  /** Absolute path of the bundled handler. */
  handlerPath: string;
  /** `config` of the manifest and of phoenix.yaml together. */
  config: Record<string, unknown>;
  /** SHA-256 over all of the above by content, the runtime and its policy. */
  fingerprint: string;
  /** The skill stops by itself when no owner has been connected for this long, in milliseconds; 0: never. */
  leaseMs: number;
}

/** How an instance ended. */
export interface Exit {
  code: number | undefined;
  signal: NodeJS.Signals | undefined;
  /** The kernel ended it because it used more memory than its limit. */
  outOfMemory: boolean;
}

export interface InstanceStats {
  memoryBytes: number;
  cpuSeconds: number;
  processes: number;
}

/** One launched skill. */
export interface Instance {
  readonly skill: string;
  readonly fingerprint: string;
  readonly instanceId: string;
  readonly ownerToken: string;
  readonly runtime: RuntimeName;
  readonly isolation: IsolationLevel;
  /** Milliseconds since the epoch. */
  readonly launchedAt: number;
  /** Path of the unix socket on this side. */
  readonly socketPath: string;
  /** Started by an operator: stays when its launcher stops. */
  readonly kept: boolean;
  /** Resolves when it is gone. */
  readonly exited: Promise<Exit>;
  /** Makes it stay, or not, when its launcher stops. */
  keep(kept: boolean): void;
  /** Replaces the bundled handler while it runs: hot reload. */
  reload(handlerPath: string): void;
  /** Asks it to drain and stop; kills it after `graceMs` milliseconds. Leaves no process, socket or record. */
  stop(graceMs: number): Promise<Exit>;
  stats(): Promise<InstanceStats>;
}

/** Whether a runtime works on this machine. */
export interface Probe {
  available: boolean;
  /** What was found, for people. */
  detail: string;
  /** What to do to make it available or stronger. */
  hint?: string;
}

export interface SkillRuntime {
  readonly name: RuntimeName;
  readonly isolation: IsolationLevel;
  /** Names the rules by which it isolates; a change makes running instances outdated. */
  readonly policyVersion: number;
  /** Tries it for real, by launching something harmless. */
  probe(): Promise<Probe>;
  /** Starts a skill; resolves when its process exists, before it serves. @throws RuntimeError */
  launch(spec: LaunchSpec): Promise<Instance>;
  /** What runs under this skill's name, left by this or an earlier assistant. Leftovers that are dead are removed. */
  find(skill: string): Promise<Instance | undefined>;
  /** The last lines that the skill logged, oldest first. */
  logs(skill: string, lines: number): Promise<string[]>;
}

/** A runtime that could not do what it was asked for. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}
