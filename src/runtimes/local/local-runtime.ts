import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IsolationLevel } from '../../skill/index.ts';
import { type InsidePaths, launchConfig } from '../launch-config.ts';
import { batchStarter, startedBy } from '../priority.ts';
import { type Instance, type LaunchSpec, type Probe, RuntimeError, type SkillRuntime } from '../runtime.ts';
import { endCgroups, removeCgroups } from '../sandbox/cgroup.ts';
import { codeDir, installHandler } from './code-dir.ts';
import { LocalInstance } from './local-instance.ts';
import { lastLines } from './log-file.ts';
import { type LocalPaths, makePrivateDir, socketPath, unitName } from './paths.ts';
import { identify, isRunning } from './process-identity.ts';
import { readRecord, removeRecord, type UnitRecord, writeRecord } from './unit-record.ts';

/** A log that has grown beyond this is set aside at the next launch. */
const LOG_ROTATE_BYTES = 10 * 1024 ** 2;

/** A command that starts a skill, and what goes with it. */
export interface LocalCommand {
  file: string;
  args: string[];
  env: Record<string, string>;
  cgroups: string[];
}

/** Folders of one launch, as they are outside. */
export interface LaunchFiles {
  launchConfigPath: string;
  /** Holds the handler. */
  codeDir: string;
  socketDir: string;
  dataDir: string | undefined;
  tmpDir: string;
}

/** What the sandbox and the plain process do differently. */
export interface LocalIsolation {
  readonly name: 'sandbox' | 'process';
  readonly level: IsolationLevel;
  readonly policyVersion: number;
  probe(): Promise<Probe>;
  /** The paths that the skill itself sees. */
  inside(files: LaunchFiles, spec: LaunchSpec): InsidePaths;
  command(files: LaunchFiles, spec: LaunchSpec, instanceId: string): LocalCommand;
}

/** Launches skills as processes of this machine. */
export class LocalRuntime implements SkillRuntime {
  readonly name: 'sandbox' | 'process';
  readonly isolation: IsolationLevel;
  readonly policyVersion: number;
  readonly #how: LocalIsolation;
  readonly #paths: LocalPaths;

  constructor(how: LocalIsolation, paths: LocalPaths) {
    this.name = how.name;
    this.isolation = how.level;
    this.policyVersion = how.policyVersion;
    this.#how = how;
    this.#paths = paths;
  }

  probe(): Promise<Probe> {
    return this.#how.probe();
  }

  async launch(spec: LaunchSpec, slot = 0): Promise<Instance> {
    const { manifest } = spec;
    const unit = unitName(manifest.name, slot);
    // Left by an assistant that was killed; the instance of the skill itself is looked for before every launch.
    if (slot > 0) await (await this.#find(unit))?.stop(0);
    const runDir = makePrivateDir(this.#paths.run(unit));
    const files: LaunchFiles = {
      launchConfigPath: join(runDir, 'launch.json'),
      codeDir: codeDir(runDir),
      socketDir: makePrivateDir(this.#paths.socketDir(unit)),
      dataDir: manifest.volumes.includes('data') ? makePrivateDir(this.#paths.data(manifest.name)) : undefined,
      tmpDir: join(runDir, 'tmp'),
    };
    installHandler(spec.handlerPath, runDir);
    rmSync(files.tmpDir, { recursive: true, force: true });
    makePrivateDir(files.tmpDir);
    rmSync(socketPath(this.#paths, unit), { force: true });

    const config = launchConfig(spec, this.#how.level, this.#how.inside(files, spec));
    writeFileSync(files.launchConfigPath, JSON.stringify(config), { mode: 0o600 });
    const command = this.#how.command(files, spec, config.instanceId);
    const log = this.#openLog(manifest.name);
    try {
      const [file = '', ...args] = startedBy(batchStarter(manifest), [command.file, ...command.args]);
      const child = spawn(file, args, {
        env: command.env,
        cwd: files.tmpDir,
        stdio: ['ignore', log, log],
        // Its own session: a Ctrl-C in our terminal is ours alone, and a skill outlives a killed assistant until its lease ends.
        detached: true,
      });
      child.unref();
      if (child.pid === undefined) {
        // Too many open files, for example. An error that nobody hears would end the assistant.
        const [{ message }] = (await once(child, 'error')) as [Error];
        void removeCgroups(command.cgroups);
        throw new RuntimeError(`skill ${manifest.name}: ${file} could not be started: ${message}`);
      }
      try {
        const record = this.#record(spec, config, child.pid, slot, command.cgroups);
        writeRecord(runDir, record);
        return this.#instance(record, child, runDir);
      } catch (error) {
        // Nobody would find it again.
        child.kill('SIGKILL');
        child.once('exit', () => void endCgroups(command.cgroups));
        throw error;
      }
    } finally {
      closeSync(log);
    }
  }

  /** @throws RuntimeError when too many files are open to see which process it is */
  #record(
    { manifest, fingerprint, leaseMs }: LaunchSpec,
    { instanceId, ownerToken }: Pick<UnitRecord, 'instanceId' | 'ownerToken'>,
    pid: number,
    slot: number,
    cgroups: string[],
  ): UnitRecord {
    const process = identify(pid);
    if (process.startTime === undefined && existsSync('/proc/self'))
      throw new RuntimeError(`skill ${manifest.name}: its process cannot be looked at: too many open files`);
    return {
      format: 1,
      skill: manifest.name,
      runtime: this.name,
      fingerprint,
      instanceId,
      ownerToken,
      launchedAt: Date.now(),
      kept: leaseMs === 0,
      slot,
      process,
      cgroups,
    };
  }

  find(skill: string): Promise<Instance | undefined> {
    return this.#find(skill);
  }

  async #find(unit: string): Promise<Instance | undefined> {
    const runDir = this.#paths.run(unit);
    const record = readRecord(runDir);
    if (!record) return undefined;
    // Also one of another local runtime: its fingerprint is another, so it is replaced.
    if (isRunning(record.process)) return this.#instance(record, undefined, runDir);
    // Who held it together was killed while no assistant looked: the skill itself may still run.
    await endCgroups(record.cgroups);
    removeRecord(runDir);
    rmSync(socketPath(this.#paths, unitName(record.skill, record.slot)), { force: true });
    return undefined;
  }

  logs(skill: string, lines: number): Promise<string[]> {
    return lastLines(this.#paths.log(skill), lines);
  }

  #instance(record: UnitRecord, child: ChildProcess | undefined, recordDir: string): LocalInstance {
    const unit = unitName(record.skill, record.slot);
    return new LocalInstance({
      record,
      isolation: this.isolation,
      socketPath: socketPath(this.#paths, unit),
      filesDir: this.#paths.run(unit),
      recordDir,
      activeDir: this.#paths.run(record.skill),
      child,
    });
  }

  #openLog(skill: string): number {
    const path = this.#paths.log(skill);
    makePrivateDir(dirname(path));
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_ROTATE_BYTES) renameSync(path, `${path}.1`);
    return openSync(path, 'a', 0o600);
  }
}
