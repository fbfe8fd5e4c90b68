import type { RuntimeName } from '../runtimes/index.ts';
import type { IsolationLevel } from '../skill/index.ts';
import type { StopReason, UnitState } from './lifecycle.ts';

/** How a skill came to be ready: launched anew, one of its spares, or found running. */
export type LaunchKind = 'cold' | 'warm' | 'reused';

/** Where the time of a cold launch went, in milliseconds. */
export interface LaunchPhases {
  /** What is to be launched: code bundled, models found, what runs already looked for. */
  prepare: number;
  /** Container or sandbox made, process started. */
  create: number;
  /** Until it served. */
  boot: number;
}

/** Everything that changes the state of a skill. */
export type PoolEvent =
  /** `traceId`: of the request that it is launched for, if its trace is kept. */
  | { t: 'launching'; skill: string; traceId?: string }
  | {
      t: 'ready';
      skill: string;
      kind: LaunchKind;
      runtime: RuntimeName;
      isolation: IsolationLevel;
      instanceId: string;
      /** From the decision to launch until it served, in milliseconds. */
      durationMs: number;
      /** Of a cold launch. */
      phasesMs?: LaunchPhases;
      traceId?: string;
    }
  | { t: 'launch_failed'; skill: string; error: Error; traceId?: string }
  | { t: 'stopping'; skill: string; reason: StopReason }
  | { t: 'stopped'; skill: string; reason: StopReason }
  | { t: 'backing_off'; skill: string; delayMs: number }
  | { t: 'circuit_open'; skill: string; delayMs: number }
  | { t: 'reloading'; skill: string }
  | { t: 'spare_ready'; skill: string; durationMs: number }
  | { t: 'spare_failed'; skill: string; error: Error };

/** One finished call. */
export interface CallObservation {
  skill: string;
  /** Undefined for a drafting stream, which lasts as long as a generation elsewhere. */
  seconds: number | undefined;
  /** gRPC status by name. */
  code: string;
  /** The trace that it is part of, if that is kept. */
  traceId?: string;
}

/** What an operator sees of a skill. Reading it is no activity: it keeps nothing running. */
export interface SkillStatusReport {
  name: string;
  version: string;
  description: string;
  state: UnitState['t'] | 'broken';
  /** Whether it should serve: not so while it is stopped because nobody needs it. */
  expected: boolean;
  runtime: RuntimeName | undefined;
  isolation: IsolationLevel | undefined;
  instanceId: string | undefined;
  /** Milliseconds since the epoch. */
  since: number | undefined;
  inFlight: number;
  /** Of these, those that wait: for the skill to serve, or for one of its slots. */
  queued: number;
  calls: number;
  restarts: number;
  pinned: boolean;
  /** Paused instances that were never used. */
  spares: number;
  memoryBytes: number | undefined;
  memoryLimitBytes: number | undefined;
  processes: number | undefined;
  lastStop: StopReason | undefined;
  /** Why it cannot be used now. */
  error: string | undefined;
  /** The weakest isolation in which it may be started. */
  minimumIsolation: IsolationLevel | undefined;
  limits: SkillLimits | undefined;
  /** What happened to it last, oldest first. */
  events: SkillEvent[];
}

/** What a skill may use, by its manifest and its settings. */
export interface SkillLimits {
  memoryBytes: number;
  cpus: number;
  processes: number;
  tmpBytes: number;
  /** Calls at once. */
  concurrency: number;
  /** Whether it has a folder of its own that survives restarts. */
  data: boolean;
  /** Models that it reads. */
  models: string[];
  /** Packages with native code that it loads. */
  native: string[];
  /** Folders of this machine that it may read. */
  folders: string[];
  /** Whether it sees the programs of this machine. */
  toolchain: boolean;
  /** Whether an instance is thrown away after one call. */
  singleUse: boolean;
}

/** Something that happened to a skill. */
export interface SkillEvent {
  /** Milliseconds since the epoch. */
  at: number;
  what: PoolEvent['t'];
  /** Why it stopped, how it was launched, or what went wrong. */
  detail: string | undefined;
  /** How long it took, or how long it lasts. */
  ms: number | undefined;
}
