import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { bundleHandler, bundleHost, provideNative } from '../bundle/index.ts';
import type { Manifest } from '../manifest/index.ts';
import type { ModelFiles } from '../models/index.ts';
import {
  type Elsewhere,
  type Exit,
  fingerprint,
  type Instance,
  isAtLeast,
  type LaunchSpec,
  type SkillRuntime,
} from '../runtimes/index.ts';
import { SkillConnection } from './connection.ts';
import { SkillLaunchError } from './errors.ts';
import type { LaunchKind, LaunchPhases } from './events.ts';
import type { Spares } from './spares.ts';

const LOG_LINES = 20;
/** The log of a crash may still be on its way when the exit is seen, in milliseconds. */
const LOG_SETTLE_MS = 20;

/** How long to wait before connecting again to a skill that is just stopping or starting, in milliseconds. */
const ATTACH_RETRY_MS = 100;

export interface Launched {
  instance: Instance;
  connection: SkillConnection;
  kind: LaunchKind;
  phasesMs?: LaunchPhases;
}

/** What phoenix.yaml says of a skill and its launch depends on. */
export interface LaunchSettings {
  config: Record<string, unknown>;
  /** Absolute paths of folders that it may read, by the names of its manifest. */
  mounts: Record<string, string>;
  /** It sees the programs of this machine. */
  toolchain: boolean;
}

export interface LauncherOptions {
  runtime: SkillRuntime;
  bundleDir: string;
  leaseMs: number;
  /** Where the models are that skills read. */
  modelFile: ModelFiles;
}

/** Brings a skill from nothing to serving: reuses what runs if it is the same, launches it otherwise. */
export class Launcher {
  readonly #options: LauncherOptions;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  get runtime(): SkillRuntime {
    return this.#options.runtime;
  }

  /**
   * @param spares are taken instead of a launch
   * @param keep the new instance stays when we stop
   * @throws SkillLaunchError with the last log lines
   */
  async launch(
    manifest: Manifest,
    settings: LaunchSettings,
    keep: boolean,
    spares: Pick<Spares, 'take'>,
  ): Promise<Launched> {
    const { runtime } = this.#options;
    if (!isAtLeast(runtime.isolation, manifest.isolation.minimum)) {
      throw new SkillLaunchError(
        manifest.name,
        `it asks for at least ${manifest.isolation.minimum} isolation and this machine offers ${runtime.isolation}; run "phoenix doctor" to see what is missing`,
        [],
      );
    }
    try {
      if (runtime.elsewhere) return await this.#attach(manifest, runtime.elsewhere);
      const begun = performance.now();
      const spec = await this.spec(manifest, settings, keep);
      return (await spares.take(spec, keep)) ?? (await this.#reuse(spec)) ?? (await this.start(spec, 0, begun));
    } catch (error) {
      if (error instanceof SkillLaunchError) throw error;
      throw new SkillLaunchError(manifest.name, (error as Error).message, [], { cause: error });
    }
  }

  /** Gives a running instance the code as it is now. @throws BundleError when that does not build */
  async reload(manifest: Manifest, instance: Instance): Promise<void> {
    const { path } = await bundleHandler(manifest.entryPath, this.#options.bundleDir);
    instance.reload(path);
  }

  /** What would be launched now. @throws BundleError, ModelError, SkillLaunchError */
  async spec(manifest: Manifest, settings: LaunchSettings, keep: boolean): Promise<LaunchSpec> {
    const { runtime, bundleDir, leaseMs, modelFile } = this.#options;
    const { mounts, toolchain } = settings;
    checkMounts(manifest, mounts);
    const models = Object.fromEntries(manifest.models.map((role) => [role, modelFile(role)]));
    const [host, handler, ...native] = await Promise.all([
      bundleHost(bundleDir),
      bundleHandler(manifest.entryPath, bundleDir),
      ...manifest.native.map((name) => provideNative(name, bundleDir)),
    ]);
    const merged = { ...manifest.config, ...settings.config };
    return {
      manifest,
      config: merged,
      hostPath: host.path,
      compileCache: host.compileCache,
      handlerPath: handler.path,
      native,
      models,
      mounts,
      toolchain,
      fingerprint: fingerprint(runtime, manifest, merged, { host, handler, native, models, mounts, toolchain }),
      leaseMs: keep ? 0 : leaseMs,
    };
  }

  /** Connects to a skill that somebody else starts. One that is just being restarted is waited for. */
  async #attach({ name, timeouts }: Manifest, elsewhere: Elsewhere): Promise<Launched> {
    const signal = AbortSignal.timeout(timeouts.start);
    let problem: Error | undefined;
    while (true) {
      let instance: Instance | undefined;
      try {
        instance = await elsewhere.attach(name, signal);
        return { instance, connection: await SkillConnection.open(instance, signal), kind: 'reused' };
      } catch (error) {
        await instance?.stop(0);
        if (!signal.aborted && !instance) throw error;
        problem = signal.aborted ? problem : (error as Error);
      }
      if (signal.aborted) {
        const why = problem ? `: ${problem.message}` : '';
        throw new SkillLaunchError(
          name,
          `it did not serve within ${timeouts.start} ms${why}; ${elsewhere.hint(name)}`,
          [],
        );
      }
      await sleep(ATTACH_RETRY_MS);
    }
  }

  /** What an earlier assistant left running, if it is what we would launch and answers; anything else is stopped. */
  async #reuse(spec: LaunchSpec): Promise<Launched | undefined> {
    const { manifest } = spec;
    const instance = await this.#options.runtime.find(manifest.name);
    if (!instance) return undefined;
    // One that serves a single call may have served it.
    if (instance.fingerprint === spec.fingerprint && !manifest.single_use) {
      try {
        const connection = await SkillConnection.open(instance, AbortSignal.timeout(manifest.health.timeout));
        measure(instance);
        return { instance, connection, kind: 'reused' };
      } catch {
        // It runs and does not answer as it should: replaced below.
      }
    }
    await instance.stop(manifest.timeouts.drain);
    return undefined;
  }

  /**
   * Launches and waits until it serves.
   *
   * @param slot above 0: a spare
   * @param begun performance.now() when the launch began
   * @throws SkillLaunchError with the last log lines
   */
  async start(spec: LaunchSpec, slot: number, begun = performance.now()): Promise<Launched> {
    const { runtime } = this.#options;
    const { name, timeouts } = spec.manifest;
    const prepared = performance.now();
    const instance = await runtime.launch(spec, slot);
    const created = performance.now();
    const giveUp = new AbortController();
    const timer = setTimeout(
      () => giveUp.abort(new Error(`it did not serve within ${timeouts.start} ms`)),
      timeouts.start,
    );
    let exit: Exit | undefined;
    void instance.exited.then((ended) => {
      exit = ended;
      giveUp.abort(new Error(describeExit(ended)));
    });
    try {
      const connection = await SkillConnection.open(instance, giveUp.signal);
      measure(instance);
      const boot = performance.now() - created;
      const phasesMs = { prepare: prepared - begun, create: created - prepared, boot };
      return { instance, connection, kind: 'cold', phasesMs };
    } catch (error) {
      if (!exit) await instance.stop(0);
      await sleep(LOG_SETTLE_MS);
      throw new SkillLaunchError(
        name,
        `it did not start: ${(error as Error).message}`,
        await runtime.logs(name, LOG_LINES),
        {
          cause: error,
        },
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/** @throws SkillLaunchError when a folder is not there, or not one that the skill asks for */
function checkMounts({ name, mounts: known }: Manifest, mounts: LaunchSettings['mounts']): void {
  for (const [mount, path] of Object.entries(mounts)) {
    const [outer = ''] = mount.split('/');
    if (!known.includes(outer)) {
      const which = known.length > 0 ? `there are: ${known.join(', ')}` : 'it has none';
      throw new SkillLaunchError(name, `it asks for no folder "${mount}" (skills.${name}.mounts); ${which}`, []);
    }
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
      throw new SkillLaunchError(name, `${path} (skills.${name}.mounts.${mount}) is no folder`, []);
  }
}

/** Once it serves, so that an instance knows its processes should it be killed in the next moment. */
function measure(instance: Instance): void {
  instance.stats().catch(() => {});
}

/** How an instance ended, in words. */
export function describeExit({ code, signal, outOfMemory }: Exit): string {
  if (outOfMemory) return 'it was killed because it used more memory than its limit';
  if (signal) return `it was ended by ${signal}`;
  return code === undefined ? 'it ended' : `it exited with code ${code}`;
}
