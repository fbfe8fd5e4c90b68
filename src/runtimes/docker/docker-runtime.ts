import { createHash } from 'node:crypto';
import { appendFileSync, chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { launchConfig } from '../launch-config.ts';
import { lastLines } from '../local/log-file.ts';
import { type LocalPaths, makePrivateDir, socketPath } from '../local/paths.ts';
import { type Instance, type LaunchSpec, type Probe, RuntimeError, type SkillRuntime } from '../runtime.ts';
import { imageCacheOf, imagePartsOf } from './build.ts';
import { containerSpec, type HostConfig, hostConfig, isIsolatedAs, LABELS } from './container-spec.ts';
import { containerLogs, DockerInstance, removeContainer } from './docker-instance.ts';
import { Engine, EngineError, engineSocket } from './engine.ts';
import { buildImage, DATA_DIR, findImage, HANDLER_PATH, imageName, SOCKET_PATH } from './image.ts';
import { containerUser } from './layers.ts';

/** What cannot be a label, because everybody may read those. Format 1. */
const secretsSchema = z.object({
  format: z.literal(1),
  instanceId: z.string(),
  ownerToken: z.string(),
  kept: z.boolean(),
});
const SECRETS = 'container.json';

interface Inspection {
  Id: string;
  Created: string;
  State: { Status: string };
  Config: { Labels: Record<string, string> };
  HostConfig: HostConfig;
}

export interface DockerSettings {
  /** What to do when the image of a skill is missing or has older code: build it, or say so. */
  build: 'auto' | 'never';
}

/** Launches skills as containers of a Docker engine. */
export class DockerRuntime implements SkillRuntime {
  readonly name = 'docker';
  readonly isolation = 'container';
  readonly policyVersion = 1;
  readonly #settings: DockerSettings;
  readonly #paths: LocalPaths;
  readonly #imageCache: string;
  /** Tells containers of this state folder from those of others. */
  readonly #stateId: string;
  #engine: Engine | undefined;

  constructor(paths: LocalPaths, settings: DockerSettings) {
    this.#settings = settings;
    this.#paths = paths;
    this.#imageCache = imageCacheOf(paths);
    this.#stateId = createHash('sha256').update(paths.bundles).digest('hex').slice(0, 16);
  }

  async probe(): Promise<Probe> {
    const hint = 'install and start a container engine, for example: apt-get install docker.io';
    try {
      const path = engineSocket();
      if (path === undefined) return { available: false, detail: 'there is no engine socket', hint };
      const { Version, ApiVersion, Os } = await new Engine(path).version();
      if (Os !== 'linux') return { available: false, detail: `the engine runs ${Os} containers`, hint };
      return { available: true, detail: `Docker Engine ${Version} (API ${ApiVersion}) on ${path}` };
    } catch (error) {
      return { available: false, detail: (error as Error).message };
    }
  }

  async launch(spec: LaunchSpec): Promise<Instance> {
    const { name } = spec.manifest;
    try {
      const engine = this.#connect();
      const [image] = await Promise.all([this.#image(engine, spec), this.#removeLeftovers(engine, name)]);
      const files = {
        socketDir: makePrivateDir(this.#paths.socketDir(name)),
        launchConfigPath: join(makePrivateDir(this.#paths.run(name)), 'launch.json'),
        volume: spec.manifest.volumes.includes('data') ? `phoenix-${this.#stateId}-${name}-data` : undefined,
      };
      rmSync(socketPath(this.#paths, name), { force: true });
      const config = launchConfig(spec, 'container', {
        socket: SOCKET_PATH,
        handler: HANDLER_PATH,
        dataDir: files.volume ? DATA_DIR : undefined,
        tmpDir: '/tmp',
      });
      rmSync(files.launchConfigPath, { force: true });
      writeFileSync(files.launchConfigPath, JSON.stringify(config), { mode: 0o400 });
      giveToContainer(files.socketDir, files.launchConfigPath);
      this.#writeSecrets(name, {
        instanceId: config.instanceId,
        ownerToken: config.ownerToken,
        kept: spec.leaseMs === 0,
      });
      const body = containerSpec(spec, image, config.instanceId, this.#stateId, files);
      const { Id } = await engine.json<{ Id: string }>('POST', '/containers/create', body);
      try {
        await engine.json('POST', `/containers/${Id}/start`);
      } catch (error) {
        await removeContainer(engine, Id);
        throw error;
      }
      return this.#instance(engine, Id, name, spec.fingerprint, Date.now());
    } catch (error) {
      if (error instanceof EngineError) throw new RuntimeError(`skill ${name}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  async find(skill: string): Promise<Instance | undefined> {
    const engine = this.#connect();
    for (const container of await this.#containersOf(engine, skill)) {
      const { Labels } = container.Config;
      const secrets = this.#readSecrets(skill);
      const isOurs = secrets !== undefined && secrets.instanceId === Labels[LABELS.instance];
      if (container.State.Status === 'paused') await engine.json('POST', `/containers/${container.Id}/unpause`);
      if (!isOurs || !['running', 'paused'].includes(container.State.Status)) {
        await removeContainer(engine, container.Id);
        continue;
      }
      // What runs counts, not what a label says: one that is isolated in another way has another fingerprint.
      const fingerprint = isHardened(container.HostConfig)
        ? (Labels[LABELS.spec] ?? '')
        : 'not isolated as it should be';
      return this.#instance(engine, container.Id, skill, fingerprint, Date.parse(container.Created));
    }
    return undefined;
  }

  async logs(skill: string, lines: number): Promise<string[]> {
    const engine = this.#connect();
    const [container] = await this.#containersOf(engine, skill);
    if (container) return await containerLogs(engine, container.Id, lines);
    return existsSync(this.#paths.log(skill)) ? await lastLines(this.#paths.log(skill), lines) : [];
  }

  /** The id of the image of a skill. @throws RuntimeError, EngineError */
  async #image(engine: Engine, spec: LaunchSpec): Promise<string> {
    const parts = await imagePartsOf(spec, this.#paths);
    const found = await findImage(engine, parts);
    if (found?.isCurrent) return found.id;
    if (this.#settings.build === 'never') {
      throw new RuntimeError(
        `the image ${imageName(spec)} ${found ? 'has older code' : 'is missing'}: run "phoenix skill build ${spec.manifest.name}", or set docker.build to auto`,
      );
    }
    return await buildImage(engine, parts, this.#imageCache, found?.base);
  }

  /** @throws RuntimeError */
  #connect(): Engine {
    if (!this.#engine) {
      const path = engineSocket();
      if (path === undefined)
        throw new RuntimeError('there is no container engine: start it, or choose another skill_runtime');
      this.#engine = new Engine(path);
    }
    return this.#engine;
  }

  async #containersOf(engine: Engine, skill: string): Promise<Inspection[]> {
    const filters = { label: [`${LABELS.skill}=${skill}`, `${LABELS.state}=${this.#stateId}`] };
    const query = `all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const found = await engine.json<{ Id: string }[]>('GET', `/containers/json?${query}`);
    return await Promise.all(found.map(({ Id }) => engine.json<Inspection>('GET', `/containers/${Id}/json`)));
  }

  async #removeLeftovers(engine: Engine, skill: string): Promise<void> {
    for (const { Id } of await this.#containersOf(engine, skill)) await removeContainer(engine, Id);
  }

  #instance(
    engine: Engine,
    containerId: string,
    skill: string,
    fingerprint: string,
    launchedAt: number,
  ): DockerInstance {
    const secrets = this.#readSecrets(skill);
    if (!secrets) throw new RuntimeError(`skill ${skill}: ${this.#secretsPath(skill)} cannot be read`);
    return new DockerInstance({
      engine,
      containerId,
      skill,
      fingerprint,
      instanceId: secrets.instanceId,
      ownerToken: secrets.ownerToken,
      launchedAt,
      socketPath: socketPath(this.#paths, skill),
      kept: secrets.kept,
      onKeep: (kept) => this.#writeSecrets(skill, { ...secrets, kept }),
      onEnd: (log) => {
        makePrivateDir(dirname(this.#paths.log(skill)));
        appendFileSync(this.#paths.log(skill), log.map((line) => `${line}\n`).join(''), { mode: 0o600 });
      },
    });
  }

  #secretsPath(skill: string): string {
    return join(this.#paths.run(skill), SECRETS);
  }

  #writeSecrets(skill: string, secrets: Omit<z.output<typeof secretsSchema>, 'format'>): void {
    const path = this.#secretsPath(skill);
    writeFileSync(`${path}.tmp`, JSON.stringify({ format: 1, ...secrets }), { mode: 0o600 });
    renameSync(`${path}.tmp`, path);
  }

  #readSecrets(skill: string): z.output<typeof secretsSchema> | undefined {
    try {
      return secretsSchema.parse(JSON.parse(readFileSync(this.#secretsPath(skill), 'utf8')));
    } catch {
      return undefined;
    }
  }
}

/** The container runs as somebody else than root, and has to use these. */
function giveToContainer(...paths: string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = containerUser();
  for (const path of paths) chownSync(path, uid, gid);
}

function isHardened(actual: HostConfig): boolean {
  const { Memory, MemorySwap, PidsLimit, NanoCpus, Tmpfs } = actual;
  return (
    isIsolatedAs(actual, { ...hostConfig(ANY), Memory, MemorySwap, PidsLimit, NanoCpus, Tmpfs }) &&
    Memory > 0 &&
    Memory === MemorySwap &&
    PidsLimit > 0
  );
}

/** Its limits are in the fingerprint already; only the rest of its isolation matters here. */
const ANY = { manifest: { resources: { memory: 0, cpus: 0, pids: 0, tmp: 0 } } } as LaunchSpec;
