/** How a skill is launched and isolated. One implementation for each way; the pool knows only this interface. */
import type { NativePackage } from '../bundle/index.ts';
import type { Manifest } from '../manifest/index.ts';
import type { ModelRole } from '../models/index.ts';
import type { IsolationLevel } from '../skill/index.ts';

export type RuntimeName = 'docker' | 'sandbox' | 'process' | 'external';

/** Everything that decides what is launched. Two launches with equal specs are interchangeable. */
export interface LaunchSpec {
  manifest: Manifest;
  /** Absolute path of the bundled host. */
  hostPath: string;
  /** Absolute path of a folder with the compiled host, for NODE_COMPILE_CACHE. Changes the time of a launch and nothing else. */
  compileCache: string | undefined;
  /** Absolute path of the bundled handler. */
  handlerPath: string;
  /** Packages with native code that are put beside it. */
  native: readonly NativePackage[];
  /** Absolute paths of the models that it reads. */
  models: Partial<Record<ModelRole, string>>;
  /** Absolute paths of the folders that it may read, by their names; `tree/below` is one that is put into `tree`. */
  mounts: Readonly<Record<string, string>>;
  /** It sees the programs of this machine, read-only. */
  toolchain: boolean;
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

/** What a client of a mutual TLS connection needs, in PEM. */
export interface ClientTls {
  /** The only certificate that the server may show. */
  serverCertificate: string;
  certificate: string;
  key: string;
}

/** Where a skill answers: on a unix socket, or, where none can cross, on a port of 127.0.0.1. */
export type Endpoint = { kind: 'unix'; path: string } | { kind: 'tcp'; port: number; tls: ClientTls };

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
  readonly endpoint: Endpoint;
  /** Which of the folders of its skill it uses; two that run at the same time never have the same. */
  readonly slot: number;
  /** Started by an operator: stays when its launcher stops. */
  readonly kept: boolean;
  /** Resolves when it is gone. */
  readonly exited: Promise<Exit>;
  /** Makes it stay, or not, when its launcher stops. */
  keep(kept: boolean): void;
  /** A spare that is not needed yet: where the runtime can stop its processes, it costs no processor time. */
  pause(): Promise<void>;
  /** Makes a spare the one instance of its skill: it runs, and `find` finds it. */
  activate(): Promise<void>;
  /** Replaces the bundled handler while it runs: hot reload. */
  reload(handlerPath: string): void;
  /** Asks it to drain and stop; kills it after `graceMs` milliseconds. Leaves no process, socket or record. */
  stop(graceMs: number): Promise<Exit>;
  /** Lets go of it: it runs on, and nothing in this process waits for its end any more. */
  release(): void;
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

/** Skills that somebody else starts and stops: they are only connected to. */
export interface Elsewhere {
  /** Who starts and stops this skill, and how that is done there. */
  hint(skill: string): string;
  /** Waits until the skill is there. @throws RuntimeError when nobody starts it, the signal's reason when that ends the wait */
  attach(skill: string, signal: AbortSignal): Promise<Instance>;
}

export interface SkillRuntime {
  readonly name: RuntimeName;
  readonly isolation: IsolationLevel;
  /** Names the rules by which it isolates; a change makes running instances outdated. */
  readonly policyVersion: number;
  /** Set when its skills are started and stopped by somebody else. */
  readonly elsewhere?: Elsewhere;
  /** Tries it for real, by launching something harmless. */
  probe(): Promise<Probe>;
  /**
   * Starts a skill; resolves when its process exists, before it serves.
   *
   * @param slot above 0: a spare, which `find` does not find until it is activated
   * @throws RuntimeError
   */
  launch(spec: LaunchSpec, slot?: number): Promise<Instance>;
  /** What runs under this skill's name, left by this or an earlier assistant. Leftovers that are dead are removed. */
  find(skill: string): Promise<Instance | undefined>;
  /** The last lines that the skill logged, oldest first. */
  logs(skill: string, lines: number): Promise<string[]>;
}

/** A runtime that could not do what it was asked for. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}
