import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig } from '../config/index.ts';
import {
  type ClientReport,
  clientSpendingReader,
  federatedFolders,
  type PrivacyReport,
  readClient,
  readPrivacy,
  setPaused,
  spendingReader,
} from '../federated/index.ts';
import { Generator } from '../generation/index.ts';
import { CombinedAnswerer, CombinedUnderstander, RuleAnswerer, RuleUnderstander } from '../language/index.ts';
import { type Catalog, readCatalog } from '../manifest/index.ts';
import { EntityMemory, SkillSql } from '../memory/index.ts';
import {
  defaultThreads,
  differences,
  type ModelFiles,
  ModelStore,
  modelFiles,
  readVocabulary,
} from '../models/index.ts';
import { ModelPool, type PoolEvent, type SkillSettings } from '../pool/index.ts';
import type { RequestFeedback, RouterService } from '../router/index.ts';
import { createRuntimes, localPaths, selectRuntime, stopElsewhere } from '../runtimes/index.ts';
import { RemoteDraft } from '../speculative/index.ts';
import { upgradeState } from '../state-format/index.ts';
import {
  GenerationMetrics,
  type Logger,
  Metrics,
  openTracing,
  type RouterMetrics,
  type Tracing,
} from '../telemetry/index.ts';
import { Assistant } from './assistant.ts';
import { LocalOperations } from './local-operations.ts';
import { openRouter } from './open-router.ts';
import type { Operations } from './operations.ts';
import { SkillCalls } from './skill-calls.ts';
import { STATE_FORMATS } from './state-formats.ts';

const BUILT_IN_SKILLS = fileURLToPath(new URL('../../skills', import.meta.url));
const MEMORY_SKILL = 'sql';
const DRAFT_SKILL = 'draft';

/** Where skills are looked for: the configured folders first, then those that come with Phoenix. */
export function skillFolders(config: LoadedConfig): string[] {
  return [...config.skill_dirs, BUILT_IN_SKILLS];
}

/** The skills that come with Phoenix, and their requests: every installation has the same. */
export function builtInSkills(): { name: string; examples: readonly { text: string }[] }[] {
  const { skills } = readCatalog([BUILT_IN_SKILLS]);
  return [...skills.values()].map(({ name, examples }) => ({ name, examples }));
}

interface Parts {
  catalog: Catalog;
  pool: ModelPool;
  memory: EntityMemory;
  metrics: Metrics;
  tracing: Tracing | undefined;
  generator: Generator;
  assistant: Assistant;
  router: RouterService;
  feedback: RequestFeedback;
  /** Where federated rounds are written down. */
  federated: ReturnType<typeof federatedFolders>;
  runtimeReason: string;
}

/** Everything together: skills, memory and assistant over one state folder. The caller holds the lock of that folder. */
export class Phoenix {
  readonly operations: Operations;
  readonly metrics: Metrics;
  /** The language model that the assistant speaks with. */
  readonly generator: Generator;
  /** Which skills a request needs. */
  readonly router: RouterService;
  /** Which runtime was chosen, and why. */
  readonly runtimeReason: string;
  readonly #catalog: Catalog;
  readonly #pool: ModelPool;
  readonly #memory: EntityMemory;
  readonly #tracing: Tracing | undefined;
  #isClosing = false;
  readonly #federated: Parts['federated'];

  private constructor(parts: Parts) {
    const { catalog, pool, memory, metrics, tracing, generator, router, runtimeReason } = parts;
    this.#catalog = catalog;
    this.#pool = pool;
    this.#memory = memory;
    this.#tracing = tracing;
    this.#federated = parts.federated;
    this.metrics = metrics;
    this.generator = generator;
    this.runtimeReason = runtimeReason;
    this.router = router;
    this.operations = new LocalOperations(parts);
  }

  /** @throws RuntimeError, MemoryFileError, StateVersionError */
  static async open(config: LoadedConfig, log: Logger): Promise<Phoenix> {
    upgradeState(config.state_dir, STATE_FORMATS, (line) => log.warn(line));
    const catalog = readCatalog(skillFolders(config));
    for (const { error } of catalog.broken.values()) log.warn(`a skill is left out: ${error.message}`);
    const paths = localPaths(config.state_dir);
    const files = modelFiles(config.models, ModelStore.of(config.state_dir));
    const runtimes = createRuntimes(paths, config.docker, config.skill_record);
    const { runtime, reason } = await selectRuntime(runtimes, config.skill_runtime);
    await stopElsewhere(runtimes, runtime, catalog.skills.values());
    log.info({ runtime: runtime.name }, `skills run in ${reason}`);
    const pool = new ModelPool({
      catalog,
      runtime,
      bundleDir: paths.bundles,
      idleTtlMs: config.pool.idle_ttl,
      memoryBudgetBytes: config.pool.memory_budget,
      maxLoaded: config.pool.max_loaded,
      leaseMs: config.pool.lease,
      modelFile: files,
      skills: settingsOf(config),
    });
    pool.on('event', (event) => logEvent(log, event));
    const memory = openMemory(config, catalog, pool, log);
    const tracing = await openTracing(config.telemetry.otlp.endpoint, log);
    const federated = federatedFolders(config.state_dir);
    const [coordinated, own] = [spendingReader(federated.coordinator), clientSpendingReader(federated.client)];
    const spending = () => coordinated() ?? own();
    const metrics = new Metrics({ pool, memory, spending, exemplars: tracing !== undefined });
    await pool.adopt();
    const generator = createGenerator(config, { catalog, pool, metrics, files, log });
    const { router, feedback, observed } = openRouter(config, { catalog, metrics, generator }, log);
    const assistant = createAssistant(config, { memory, generator, router, feedback, pool, observed }, log);
    const parts = { catalog, pool, memory, metrics, tracing, generator, router, feedback, assistant, federated };
    return new Phoenix({ ...parts, runtimeReason: reason });
  }

  skillNames(): string[] {
    return [...this.#catalog.skills.keys()];
  }

  /** What federated rounds that are coordinated here have cost, and what this installation has done in a federation that it is in. */
  privacy(): PrivacyReport & { client: ClientReport | undefined } {
    const { coordinator, client } = this.#federated;
    return { ...readPrivacy(coordinator), client: readClient(client) };
  }

  /** Switches taking part in the federation off and on. @throws FederationError where there is none */
  setFederationPaused(isPaused: boolean): void {
    setPaused(this.#federated.client, isPaused);
  }

  /** Starts, in the background, what the first request will need. */
  warmUp(): void {
    this.#pool.warmUp();
    this.metrics.history.start();
    void this.#prepare();
  }

  /** One after the other: each keeps the thread from those who call meanwhile. */
  async #prepare(): Promise<void> {
    await this.#memory.untilSynchronized();
    if (this.#isClosing) return;
    // What failed was logged, and the next request tries again.
    await this.router.train().catch(() => undefined);
    if (this.#isClosing) return;
    // Why it cannot be loaded was logged, and every request that needs it is told.
    await this.generator.load().catch(() => undefined);
  }

  /** Stops everything; `keepSkills` leaves the skills running for the next assistant. */
  async close({ keepSkills = false }: { keepSkills?: boolean } = {}): Promise<void> {
    this.#isClosing = true;
    // From the last one to the first, each also when another could not be closed.
    await using parts = new AsyncDisposableStack();
    parts.defer(() => this.#tracing?.close());
    parts.defer(() => this.#pool.close({ keepRunning: keepSkills }));
    parts.defer(() => this.#memory.close());
    parts.defer(() => this.generator.close());
    parts.defer(() => this.metrics.history.stop());
    parts.use(this.router);
  }
}

function openMemory(config: LoadedConfig, catalog: Catalog, pool: ModelPool, log: Logger): EntityMemory {
  const { backend, timeout, single_valued } = config.memory;
  const hasSkill = catalog.skills.has(MEMORY_SKILL);
  if (backend === 'skill' && !hasSkill) log.warn(`there is no usable skill "${MEMORY_SKILL}": the memory is local`);
  const memory = new EntityMemory({
    path: join(config.state_dir, 'memory.db'),
    remote: backend === 'skill' && hasSkill ? new SkillSql(pool) : undefined,
    timeoutMs: timeout,
    singleValued: single_valued,
  });
  const { quarantined } = memory.stats();
  if (quarantined)
    log.error(`the memory file was damaged: it is kept as ${quarantined}; what the skill knows comes back`);
  return memory;
}

function createGenerator(
  { models, state_dir }: LoadedConfig,
  {
    catalog,
    pool,
    metrics,
    files,
    log,
  }: Pick<Parts, 'catalog' | 'pool' | 'metrics'> & { files: ModelFiles; log: Logger },
): Generator {
  const { gpu, threads = defaultThreads(), context_size, parallel, speculation } = models;
  const observed = new GenerationMetrics(metrics.registry, () => generator.statistics(), metrics.exemplars);
  const generator = new Generator({
    ...{ gpu, threads, contextSize: context_size, parallel, speculation },
    profileFile: join(state_dir, 'speculation.json'),
    file: () => files('target'),
    draft: (target) => {
      if (models.draft === 'none' || speculation === 'off' || !catalog.skills.has(DRAFT_SKILL)) return undefined;
      try {
        const [different] = differences(readVocabulary(target), readVocabulary(files('draft')));
        if (different === undefined) return new RemoteDraft(pool.client(DRAFT_SKILL));
        log.warn(`models.draft is not used: its tokens are not those of models.target: ${different}`);
      } catch (error) {
        log.warn(`models.draft is not used: ${(error as Error).message}`);
      }
      return undefined;
    },
    observer: {
      loaded: ({ name, quantization, contextSize }, seconds) =>
        log.info({ model: name, quantization, contextSize, seconds }, 'the model is loaded'),
      failed: (error) => log.warn(`there is no language model: ${(error as Error).message}`),
      generated: (ended) => observed.generated(ended),
    },
  });
  return generator;
}

function createAssistant(
  { language, models, router }: LoadedConfig,
  {
    observed,
    pool,
    ...parts
  }: Pick<Parts, 'memory' | 'generator' | 'router' | 'feedback' | 'pool'> & { observed: RouterMetrics },
  log: Logger,
): Assistant {
  const { generator } = parts;
  const model = async () => (models.target === 'none' ? undefined : await generator.textModel());
  const onFailure = (error: unknown) => log.debug(`by rules, without the model: ${(error as Error).message}`);
  return new Assistant({
    ...parts,
    calls: new SkillCalls({ pool, deadlineMs: router.deadline }),
    onRouted: (uses) => observed.used(uses),
    roles: { memory: MEMORY_SKILL, writing: DRAFT_SKILL },
    understander: new CombinedUnderstander({
      rules: new RuleUnderstander(),
      use: language.understanding,
      ...{ model, onFailure },
    }),
    answerer: new CombinedAnswerer({ rules: new RuleAnswerer(), use: language.answering, ...{ model, onFailure } }),
  });
}

function settingsOf(config: LoadedConfig): Record<string, SkillSettings> {
  return Object.fromEntries(
    Object.entries(config.skills).map(([name, { config: own, pinned, idle_ttl, warm, mounts, toolchain }]) => [
      name,
      {
        ...(own === undefined ? {} : { config: own }),
        ...(pinned === undefined ? {} : { pinned }),
        ...(idle_ttl === undefined ? {} : { idleTtlMs: idle_ttl }),
        ...(warm === undefined ? {} : { warm }),
        ...(mounts === undefined ? {} : { mounts }),
        ...(toolchain === undefined ? {} : { toolchain }),
      },
    ]),
  );
}

function logEvent(log: Logger, event: PoolEvent): void {
  const { t, skill, ...more } = event;
  const { traceId, ...details } = { traceId: undefined, ...more };
  const base = { skill, ...(traceId !== undefined && { trace_id: traceId }) };
  if (t === 'launch_failed') log.error(base, `the skill could not be started: ${event.error.message}`);
  else if (t === 'spare_failed') log.warn(base, `a spare could not be started: ${event.error.message}`);
  else if (t === 'circuit_open' || t === 'backing_off')
    log.warn({ ...base, ...details }, `skill ${t.replaceAll('_', ' ')}`);
  else log.info({ ...base, ...details }, `skill ${t}`);
}
