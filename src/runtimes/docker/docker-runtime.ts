import { createHash } from 'node:crypto';
import { appendFileSync, chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { modelsInside, mountsInside, sharedFolders } from '../extras.ts';
import { launchConfig } from '../launch-config.ts';
import { lastLines } from '../local/log-file.ts';
import { type LocalPaths, makePrivateDir, socketPath, unitName } from '../local/paths.ts';
import {
  type Endpoint,
  type Instance,
  type LaunchSpec,
  type Probe,
  RuntimeError,
  type SkillRuntime,
} from '../runtime.ts';
import { imageCacheOf, imagePartsOf } from './build.ts';
import { launchCertificates } from './certificates.ts';
import {
  type ContainerRecord,
  readContainerRecord,
  removeContainerRecord,
  writeContainerRecord,
} from './container-record.ts';
import { type ContainerFiles, containerSpec, LABELS } from './container-spec.ts';
import { containerLogs, DockerInstance, removeContainer } from './docker-instance.ts';
import { type EffectiveConfig, isIsolated } from './effective-isolation.ts';
import { Engine, EngineError, engineSocket } from './engine.ts';
import { ARCHITECTURE, buildImage, DATA_DIR, findImage, HANDLER_PATH, imageName, SOCKET_PATH } from './image.ts';
import { containerUser } from './layers.ts';
import { ensureNetwork, publishedPort, removeNetwork, SKILL_PORT, type Transport, transportOf } from './transport.ts';

interface Inspection extends EffectiveConfig {
  Id: string;
  Created: string;
  State: { Status: string };
}

export interface DockerSettings {
  /** What to do when the image of a skill is missing or has older code: build it, or say so. */
  build: 'auto' | 'never';
  transport: 'auto' | Transport;
}

/** Launches skills as containers of a Docker engine. */
export class DockerRuntime implements SkillRuntime {
  readonly name = 'docker';
  readonly isolation = 'container';
  readonly policyVersion = 3;
  readonly #settings: DockerSettings;
  readonly #paths: LocalPaths;
  readonly #imageCache: string;
  readonly #stateId: string;
  /** Instance ids of the spares of this process: nobody else's, and not what `find` looks for. */
  readonly #spares = new Set<string>();
  #engine: Engine | undefined;
  #transport: Promise<Transport> | undefined;

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
      const { Version, ApiVersion, Os, Arch } = await new Engine(path).version();
      if (Os !== 'linux') return { available: false, detail: `the engine runs ${Os} containers`, hint };
      if (Arch !== ARCHITECTURE)
        return { available: false, detail: `the engine runs on ${Arch}, images are made for ${ARCHITECTURE}` };
      return { available: true, detail: `Docker Engine ${Version} (API ${ApiVersion}) on ${path}` };
    } catch (error) {
      return { available: false, detail: (error as Error).message };
    }
  }

  async launch(spec: LaunchSpec, slot = 0): Promise<Instance> {
    const { name } = spec.manifest;
    try {
      const engine = this.#connect();
      const [image, network] = await Promise.all([
        this.#image(engine, spec),
        this.#network(engine, name),
        slot === 0 ? this.#removeLeftovers(engine, name) : undefined,
      ]);
      const { models } = spec;
      const shared = sharedFolders(spec);
      const files = this.#files(name, { slot, models, shared });
      if (!spec.manifest.volumes.includes('data')) files.volume = undefined;
      const runDir = makePrivateDir(dirname(files.launchConfigPath));
      makePrivateDir(files.socketDir);
      rmSync(socketPath(this.#paths, unitName(name, slot)), { force: true });
      const certificates = network === undefined ? undefined : await launchCertificates();
      const config = launchConfig(spec, 'container', {
        socket: SOCKET_PATH,
        handler: HANDLER_PATH,
        dataDir: files.volume ? DATA_DIR : undefined,
        models: modelsInside(spec),
        mounts: mountsInside(spec),
        tmpDir: '/tmp',
        ...(certificates ? { tcp: { port: SKILL_PORT, ...certificates.server } } : {}),
      });
      const { instanceId, ownerToken } = config;
      if (slot > 0) this.#spares.add(instanceId);
      rmSync(files.launchConfigPath, { force: true });
      writeFileSync(files.launchConfigPath, JSON.stringify(config), { mode: 0o400 });
      giveToContainer(files.socketDir, files.launchConfigPath);
      const kept = spec.leaseMs === 0;
      const record: ContainerRecord = { format: 1, instanceId, ownerToken, kept, slot, models, shared };
      if (certificates) record.tls = certificates.client;
      writeContainerRecord(runDir, record);
      const body = containerSpec(spec, { image, instanceId, stateId: this.#stateId }, files, network);
      const { Id } = await engine.json<{ Id: string }>('POST', '/containers/create', body);
      try {
        await engine.json('POST', `/containers/${Id}/start`);
        return await this.#instance(
          engine,
          Id,
          { skill: name, fingerprint: spec.fingerprint, launchedAt: Date.now() },
          record,
        );
      } catch (error) {
        this.#spares.delete(instanceId);
        await removeContainer(engine, Id);
        throw error;
      }
    } catch (error) {
      if (error instanceof EngineError) throw new RuntimeError(`skill ${name}: ${error.message}`, { cause: error });
      throw error;
    }
  }

  async find(skill: string): Promise<Instance | undefined> {
    const engine = this.#connect();
    const network = (await this.#usedTransport(engine)) === 'tcp' ? this.#networkName(skill) : undefined;
    for (const container of await this.#containersOf(engine, skill)) {
      const { Labels } = container.Config;
      const record = readContainerRecord(this.#paths.run(skill));
      if (container.State.Status === 'paused') await engine.json('POST', `/containers/${container.Id}/unpause`);
      if (
        !record ||
        record.instanceId !== Labels[LABELS.instance] ||
        !['running', 'paused'].includes(container.State.Status)
      ) {
        await removeContainer(engine, container.Id);
        continue;
      }
      // What runs counts, not what a label says: one that is isolated in another way has another fingerprint.
      const isAsWanted = isIsolated(container, this.#files(skill, record), network);
      const fingerprint = isAsWanted ? (Labels[LABELS.spec] ?? '') : 'not isolated as it should be';
      const launchedAt = Date.parse(container.Created);
      return await this.#instance(engine, container.Id, { skill, fingerprint, launchedAt }, record);
    }
    return undefined;
  }

  /** What a container of a skill may share with this machine. */
  #files(skill: string, { slot, models, shared }: Pick<ContainerRecord, 'slot' | 'models' | 'shared'>): ContainerFiles {
    const unit = unitName(skill, slot);
    return {
      socketDir: this.#paths.socketDir(unit),
      launchConfigPath: join(this.#paths.run(unit), 'launch.json'),
      models,
      shared,
      volume: `phoenix-${this.#stateId}-${skill}-data`,
    };
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
    if (found && !found.flaw) return found.id;
    if (this.#settings.build === 'never') {
      throw new RuntimeError(
        `the image ${imageName(spec)} ${found ? found.flaw : 'is missing'}: run "phoenix skill build ${spec.manifest.name}", or set docker.build to auto`,
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

  #usedTransport(engine: Engine): Promise<Transport> {
    const { transport } = this.#settings;
    if (transport !== 'auto') return Promise.resolve(transport);
    this.#transport ??= transportOf(engine).catch((error: unknown) => {
      this.#transport = undefined;
      throw error;
    });
    return this.#transport;
  }

  #networkName(skill: string): string {
    return `phoenix-${this.#stateId}-${skill}`;
  }

  /** The network of a skill that has to answer on a port; undefined when it answers on a socket. */
  async #network(engine: Engine, skill: string): Promise<string | undefined> {
    if ((await this.#usedTransport(engine)) === 'unix') return undefined;
    const name = this.#networkName(skill);
    await ensureNetwork(engine, name, { [LABELS.skill]: skill, [LABELS.state]: this.#stateId });
    return name;
  }

  /** The containers of a skill without the spares. */
  async #containersOf(engine: Engine, skill: string): Promise<Inspection[]> {
    const filters = { label: [`${LABELS.skill}=${skill}`, `${LABELS.state}=${this.#stateId}`] };
    const query = `all=1&filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const found = await engine.json<{ Id: string }[]>('GET', `/containers/json?${query}`);
    const all = await Promise.all(found.map(({ Id }) => engine.json<Inspection>('GET', `/containers/${Id}/json`)));
    return all.filter(({ Config }) => !this.#spares.has(Config.Labels[LABELS.instance] ?? ''));
  }

  async #removeLeftovers(engine: Engine, skill: string): Promise<void> {
    for (const { Id } of await this.#containersOf(engine, skill)) await removeContainer(engine, Id);
  }

  async #instance(
    engine: Engine,
    containerId: string,
    which: { skill: string; fingerprint: string; launchedAt: number },
    record: ContainerRecord,
  ): Promise<DockerInstance> {
    const { skill } = which;
    const { tls, slot } = record;
    const endpoint: Endpoint = tls
      ? { kind: 'tcp', port: await publishedPort(engine, containerId), tls }
      : { kind: 'unix', path: socketPath(this.#paths, unitName(skill, slot)) };
    let runDir = this.#paths.run(this.#spares.has(record.instanceId) ? unitName(skill, slot) : skill);
    return new DockerInstance({
      ...which,
      engine,
      containerId,
      instanceId: record.instanceId,
      ownerToken: record.ownerToken,
      endpoint,
      slot,
      kept: record.kept,
      onKeep: (kept) => writeContainerRecord(runDir, { ...record, kept }),
      onActivate: () => {
        this.#spares.delete(record.instanceId);
        removeContainerRecord(runDir);
        runDir = makePrivateDir(this.#paths.run(skill));
        writeContainerRecord(runDir, record);
      },
      onEnd: async (log) => {
        this.#spares.delete(record.instanceId);
        makePrivateDir(dirname(this.#paths.log(skill)));
        appendFileSync(this.#paths.log(skill), log.map((line) => `${line}\n`).join(''), { mode: 0o600 });
        if (tls) await removeNetwork(engine, this.#networkName(skill));
      },
    });
  }
}

/** The container runs as somebody else than root, and has to use these. */
function giveToContainer(...paths: string[]): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = containerUser();
  for (const path of paths) chownSync(path, uid, gid);
}
