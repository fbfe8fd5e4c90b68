import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from '../config/index.ts';
import type { Manifest } from '../manifest/index.ts';
import { type Engine, type ImagePlan, localPaths, planAssistantImage, planSkillImage } from '../runtimes/index.ts';
import { VERSION } from '../version.ts';
import { ASSISTANT_PORT, connectEngine, deployedServerPath, openServer } from './access.ts';
import { Compose, type ComposeOptions } from './compose.ts';
import { ASSISTANT_SERVICE } from './compose-file.ts';
import { type ServiceState, serviceStates } from './containers.ts';
import { COMPOSE_FILE, type Contents, deployedAccess, deploymentContents, parseEnvFile } from './contents.ts';
import { DeployError } from './error.ts';
import { DeployFolder, type Files } from './folder.ts';
import { explainFailure, type Report, untilUp } from './health.ts';
import { imageIds, removeReplaced, restoreNames } from './restore.ts';
import { chooseServices, readComposeFile, refuseConflicts, refuseOtherDeployment, servicesOf } from './services.ts';
import { untilSkillsReady } from './verify.ts';

/** When compose gives up, how long to wait for a service that says why, in milliseconds. */
const EXPLAIN_MS = 1000;

export interface DeployOptions {
  config: LoadedConfig;
  skills: readonly Manifest[];
  /** A compose file to use instead of the generated one. */
  file: string | undefined;
  /** Until everything must be healthy, in milliseconds, the building of images not counted. */
  timeoutMs: number;
  /** Only says what would be done. */
  dryRun: boolean;
  report: Report;
  /** Gives up and rolls back. */
  signal: AbortSignal;
}

export interface Deployed {
  /** Where the assistant answers; undefined when the compose file has none. */
  url: string | undefined;
  services: ServiceState[];
  /** Services that were left out, and why. */
  leftOut: ReadonlyMap<string, string>;
  /** Services whose containers are others than before. */
  replaced: string[];
}

/**
 * Builds the images, writes the configuration, starts everything, and waits until it is healthy. What runs already and is as it should
 * be is left alone. When something does not come up, what ran before is brought back.
 *
 * @returns undefined after a dry run
 * @throws DeployError, EngineError, BundleError
 */
export async function deploy(options: DeployOptions): Promise<Deployed | undefined> {
  const deployment = await Deployment.prepare(options);
  if (options.dryRun) {
    await deployment.explain();
    return undefined;
  }
  return await deployment.run();
}

interface Prepared {
  engine: Engine;
  folder: DeployFolder;
  contents: Contents;
  composeOptions: ComposeOptions;
  images: ImagePlan[];
  services: ReturnType<typeof servicesOf>;
  before: ServiceState[];
}

class Deployment {
  readonly #options: DeployOptions;
  readonly #prepared: Prepared;

  private constructor(options: DeployOptions, prepared: Prepared) {
    this.#options = options;
    this.#prepared = prepared;
  }

  /** Looks at everything that could go wrong while nothing has been changed. */
  static async prepare(options: DeployOptions): Promise<Deployment> {
    const { config, skills, file, report } = options;
    const engine = await connectEngine();
    const folder = new DeployFolder(config.state_dir);
    const before = await serviceStates(engine);
    refuseOtherDeployment(before, folder.path);
    const paths = localPaths(config.state_dir);
    const given = file === undefined ? undefined : { path: resolve(file), text: readComposeFile(resolve(file)) };
    const contents = await deploymentContents(config, skills, paths, folder, given);
    const composeOptions: ComposeOptions = {
      socketPath: engine.socketPath,
      variables: contents.variables,
      file: folder.join(COMPOSE_FILE),
      projectDir: given ? dirname(given.path) : folder.path,
    };
    if (given) await new Compose({ ...composeOptions, file: given.path }).validate();
    else new Compose(composeOptions);
    const services = servicesOf(contents.files.get(COMPOSE_FILE) ?? '', given?.path ?? COMPOSE_FILE);
    await refuseConflicts(engine, services, contents.variables, before);
    report('looking at the images ...');
    const images = [];
    for (const manifest of skills) images.push(await planSkillImage(engine, manifest, paths));
    images.push(await planAssistantImage(engine, VERSION, paths));
    return new Deployment(options, { engine, folder, contents, composeOptions, images, services, before });
  }

  async explain(): Promise<void> {
    const { report } = this.#options;
    const { engine, folder, contents, images, services, before } = this.#prepared;
    for (const { name, isCurrent } of images) report(`${isCurrent ? 'keep ' : 'build'} image ${name}`);
    const { written, removed } = folder.difference(contents.files);
    for (const name of written) report(`write ${folder.join(name)}`);
    for (const name of removed) report(`remove ${folder.join(name)}`);
    const { chosen, leftOut } = await chooseServices(engine, services, false, report);
    for (const name of chosen) report(`${before.some(({ service }) => service === name) ? 'check' : 'start'} ${name}`);
    for (const [name, why] of leftOut) report(`leave out ${name}, unless it can be pulled: ${why}`);
    report('nothing was changed: this was a dry run');
  }

  async run(): Promise<Deployed> {
    const { report } = this.#options;
    const { engine, folder, before } = this.#prepared;
    const filesBefore = folder.all();
    try {
      const replaced = await this.#imageIds();
      const deployed = await this.#steps();
      await removeReplaced(engine, [...replaced, ...before.map(({ imageId }) => imageId)]);
      return deployed;
    } catch (error) {
      report(`failed: ${(error as Error).message}`);
      const outcome = await this.#rollBack(filesBefore).catch(
        (problem: Error) => `what ran before could not be brought back: ${problem.message}`,
      );
      throw new DeployError(`${(error as Error).message}\n${outcome}`, { cause: error });
    }
  }

  #imageIds(): Promise<string[]> {
    const { engine, images } = this.#prepared;
    return imageIds(
      engine,
      images.map(({ name }) => name),
    );
  }

  async #steps(): Promise<Deployed> {
    const { report, timeoutMs } = this.#options;
    const { engine, folder, contents, composeOptions, images, services, before } = this.#prepared;

    report('Step 1/5: images');
    for (const image of images) {
      this.#options.signal.throwIfAborted();
      report(`  ${image.name}: ${image.isCurrent ? 'is there already' : 'building ...'}`);
      if (!image.isCurrent) await image.build();
    }
    const { chosen, leftOut } = await chooseServices(engine, services, true, report);
    for (const [name, why] of leftOut) report(`  LEFT OUT ${name}: ${why}`);

    report('Step 2/5: configuration of the assistant and the skills');
    const { written, removed } = folder.difference(contents.files);
    folder.replace(contents.files);
    report(written.length + removed.length > 0 ? `  written: ${written.join(', ') || 'nothing'}` : '  unchanged');

    report('Step 3/5: compose file');
    const compose = new Compose(composeOptions);
    await compose.validate();
    report(`  ${composeOptions.file} is valid`);

    report('Step 4/5: starting');
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(timeoutMs)]);
    const states = await this.#start(compose, chosen, signal);

    report('Step 5/5: checking');
    const url = await this.#check(states, signal);
    const replaced = states.filter(({ containerId }) => !before.some((state) => state.containerId === containerId));
    return { url, services: states, leftOut, replaced: replaced.map(({ service }) => service) };
  }

  /** Makes sure that the assistant answers and reaches what is deployed with it. @returns where it answers, if there is one */
  async #check(states: readonly ServiceState[], signal: AbortSignal): Promise<string | undefined> {
    const { engine, folder } = this.#prepared;
    const assistant = states.find(({ service }) => service === ASSISTANT_SERVICE);
    const address = assistant?.ports[`${ASSISTANT_PORT}/tcp`];
    if (!assistant || address === undefined) return undefined;
    const url = `http://${address}`;
    const { token, skills } = deployedAccess(folder);
    await untilSkillsReady(engine, assistant, url, token, skills, signal);
    this.#options.report(`  ${url} answers, and reaches: ${skills.join(', ')}`);
    openServer(this.#options.config.state_dir, url, token);
    return url;
  }

  /** Lets compose start or replace services, and watches them meanwhile: what fails is known before compose gives up. */
  async #start(compose: Compose, services: readonly string[], signal: AbortSignal): Promise<ServiceState[]> {
    const { engine, before } = this.#prepared;
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    let isComposeDone = false;
    const isNew = ({ containerId }: ServiceState) =>
      isComposeDone || !before.some((state) => state.containerId === containerId);
    const up = compose.up(services, either).then(() => {
      isComposeDone = true;
    });
    // What a service says of itself explains more than what compose says of it.
    const patient = up.catch(async (error: Error) => {
      await sleep(EXPLAIN_MS);
      throw (await explainFailure(engine, services)) ?? error;
    });
    try {
      const [states] = await Promise.all([untilUp(engine, services, isNew, this.#options.report, either), patient]);
      return states;
    } catch (error) {
      over.abort(error);
      await up.catch(() => {});
      throw error;
    }
  }

  /** @returns what was done, in words */
  async #rollBack(files: Files): Promise<string> {
    const { report, config } = this.#options;
    const { engine, folder, composeOptions, before } = this.#prepared;
    const ran = before.filter(({ status }) => status === 'running');
    if (ran.length === 0) {
      if (folder.read(COMPOSE_FILE) !== undefined) await new Compose(composeOptions).down(false);
      folder.replace(files);
      rmSync(deployedServerPath(config.state_dir), { force: true });
      return 'nothing ran before: what was started has been removed, volumes were kept';
    }
    report('rolling back to what ran before ...');
    const built = await this.#imageIds();
    await restoreNames(engine, before);
    folder.replace(files);
    const variables = parseEnvFile(folder.read('env') ?? '');
    const projectDir = variables.SARAI_PROJECT_DIR ?? folder.path;
    const services = ran.map(({ service }) => service);
    const signal = AbortSignal.timeout(this.#options.timeoutMs);
    await new Compose({ ...composeOptions, variables, projectDir }).up(services, signal);
    await this.#check(await untilUp(engine, services, () => true, report, signal), signal);
    await removeReplaced(engine, built);
    return `rolled back: ${services.join(', ')} run as before`;
  }
}
