import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { constants } from 'node:os';
import type { IsolationLevel } from '../../skill/index.ts';
import {
  type Endpoint,
  type Exit,
  type Instance,
  type InstanceStats,
  RuntimeError,
  type RuntimeName,
} from '../runtime.ts';
import { cgroupMemory, cgroupProcesses, removeCgroups, wasOutOfMemory } from '../sandbox/cgroup.ts';
import { installHandler } from './code-dir.ts';
import { identify, isRunning, type ProcessIdentity, signal } from './process-identity.ts';
import { readFileAlways } from './reserve.ts';
import { readRecord, removeRecord, type UnitRecord, writeRecord } from './unit-record.ts';

/** How often a process that is not our child is looked at, in milliseconds: only a parent is told of an exit. */
const ADOPTED_POLL_MS = 250;
/** How long a killed process may take to go, in milliseconds. */
const KILL_WAIT_MS = 5000;
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

export interface LocalInstanceOptions {
  record: UnitRecord;
  isolation: IsolationLevel;
  socketPath: string;
  /** Holds what the instance uses. */
  filesDir: string;
  /** Holds its record: the place of its skill, or, for a spare, its own. */
  recordDir: string;
  /** Where the record of a spare belongs once it is activated. */
  activeDir: string;
  /** The process that we started; undefined when it was found running. */
  child: ChildProcess | undefined;
}

/** A skill that runs as a process of this machine, sandboxed or not. */
export class LocalInstance implements Instance {
  readonly skill: string;
  readonly fingerprint: string;
  readonly instanceId: string;
  readonly ownerToken: string;
  readonly runtime: RuntimeName;
  readonly isolation: IsolationLevel;
  readonly launchedAt: number;
  readonly endpoint: Endpoint & { kind: 'unix' };
  readonly exited: Promise<Exit>;
  readonly slot: number;
  readonly #filesDir: string;
  readonly #activeDir: string;
  #recordDir: string;
  #record: UnitRecord;
  #members: ProcessIdentity[] = [];

  constructor({ record, isolation, socketPath, filesDir, recordDir, activeDir, child }: LocalInstanceOptions) {
    this.skill = record.skill;
    this.fingerprint = record.fingerprint;
    this.instanceId = record.instanceId;
    this.ownerToken = record.ownerToken;
    this.runtime = record.runtime;
    this.launchedAt = record.launchedAt;
    this.isolation = isolation;
    this.endpoint = { kind: 'unix', path: socketPath };
    this.#record = record;
    this.slot = record.slot;
    this.#filesDir = filesDir;
    this.#activeDir = activeDir;
    this.#recordDir = recordDir;
    this.exited = (child ? exitOfChild(child) : exitOfStranger(record.process)).then((exit) => this.#clean(exit));
  }

  get kept(): boolean {
    return this.#record.kept;
  }

  keep(kept: boolean): void {
    if (kept === this.#record.kept) return;
    this.#record = { ...this.#record, kept };
    writeRecord(this.#recordDir, this.#record);
  }

  /** It goes on: waiting costs it no processor time, and its lease ends it should we be gone. */
  async pause(): Promise<void> {}

  async activate(): Promise<void> {
    writeRecord(this.#activeDir, this.#record);
    removeRecord(this.#recordDir);
    this.#recordDir = this.#activeDir;
  }

  reload(handlerPath: string): void {
    installHandler(handlerPath, this.#filesDir);
    // It no longer runs what it was launched with: the next assistant replaces it.
    this.#record = { ...this.#record, fingerprint: 'reloaded' };
    writeRecord(this.#recordDir, this.#record);
    signal(this.#target(), 'SIGHUP');
  }

  async stop(graceMs: number): Promise<Exit> {
    signal(this.#target(), 'SIGTERM');
    const graceful = await within(this.exited, graceMs);
    if (graceful) return graceful;
    this.#rememberMembers();
    this.#killMembers();
    const killed = await within(this.exited, KILL_WAIT_MS);
    if (killed) return killed;
    throw new RuntimeError(
      `skill ${this.skill}: process ${this.#record.process.pid} did not end within ${KILL_WAIT_MS} ms of SIGKILL`,
    );
  }

  /** Nothing keeps this process waiting for it. */
  release(): void {}

  stats(): Promise<InstanceStats> {
    this.#rememberMembers();
    const stats: InstanceStats = { memoryBytes: 0, cpuSeconds: 0, processes: this.#members.length };
    for (const { pid } of this.#members) {
      try {
        const fields = readFileAlways(`/proc/${pid}/stat`)
          .replace(/^.*\) /s, '')
          .split(' ');
        stats.cpuSeconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
        stats.memoryBytes += Number(fields[21]) * PAGE_BYTES;
      } catch {
        // It ended meanwhile.
      }
    }
    stats.memoryBytes = cgroupMemory(this.#record.cgroups) ?? stats.memoryBytes;
    return Promise.resolve(stats);
  }

  /** The process that understands signals: the last of the chain bwrap -> init of the namespace -> node. */
  #target(): ProcessIdentity {
    if (!isRunning(this.#record.process)) return this.#record.process;
    const inner = descendants(this.#record.process.pid).at(this.runtime === 'sandbox' ? 2 : 0);
    return inner === undefined ? this.#record.process : identify(inner);
  }

  /** Who belongs to this instance, while the process that ties them together still runs. */
  #rememberMembers(): void {
    if (isRunning(this.#record.process)) this.#members = descendants(this.#record.process.pid).map(identify);
  }

  /** Children first, so that none is left without the process by which it is found. */
  #killMembers(): void {
    for (const member of this.#members.toReversed()) signal(member, 'SIGKILL');
    for (const pid of cgroupProcesses(this.#record.cgroups)) signal(identify(pid), 'SIGKILL');
  }

  async #clean(exit: Exit): Promise<Exit> {
    const outOfMemory = exit.outOfMemory || wasOutOfMemory(this.#record.cgroups);
    this.#killMembers();
    await removeCgroups(this.#record.cgroups);
    // Who only looks from time to time whether it still runs may be late: these may be those of its successor by now.
    const current = readRecord(this.#recordDir);
    const isReplaced = current !== undefined && current.instanceId !== this.instanceId;
    if (!isReplaced) removeRecord(this.#recordDir);
    if (!isReplaced || current.slot !== this.slot) rmSync(this.endpoint.path, { force: true });
    return { ...exit, outOfMemory };
  }
}

/** A process and all that it started, parents first. */
function descendants(pid: number): number[] {
  const found = [pid];
  for (let at = 0; at < found.length; at++) {
    try {
      const children = readFileAlways(`/proc/${found[at]}/task/${found[at]}/children`);
      found.push(...children.split(' ').filter(Boolean).map(Number));
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

function exitOfChild(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: undefined, outOfMemory: false }));
    child.once('exit', (code, name) => resolve(toExit(code ?? undefined, name ?? undefined)));
  });
}

function exitOfStranger(identity: ProcessIdentity): Promise<Exit> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (isRunning(identity)) return;
      clearInterval(timer);
      resolve({ code: undefined, signal: undefined, outOfMemory: false });
    }, ADOPTED_POLL_MS);
    timer.unref();
  });
}

/** bwrap reports a signal as a shell does, as code 128 + number. */
function toExit(code: number | undefined, name: NodeJS.Signals | undefined): Exit {
  const killedBy = Object.entries(constants.signals).find(([, number]) => code === 128 + number)?.[0];
  return { code, signal: name ?? (killedBy as NodeJS.Signals | undefined), outOfMemory: false };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
