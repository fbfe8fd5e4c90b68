import { Counter, Gauge, type Registry } from 'prom-client';
import type { CallObservation, LaunchPhases, ModelPool, PoolEvent, SkillStatusReport } from '../pool/index.ts';
import { LATENCY_BOUNDS } from '../skill/index.ts';
import { LatencyHistogram } from './histogram.ts';

const LAUNCH_BUCKETS = [0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30];
const ISOLATION_RANK = { process: 1, sandbox: 2, container: 3 } as const;
/** Ends that somebody should look at. */
const BAD_ENDS = ['crashed', 'oom', 'unhealthy'] as const;
const PHASES = ['prepare', 'create', 'boot'] as const satisfies (keyof LaunchPhases)[];
const STATES = {
  stopped: true,
  backing_off: true,
  starting: true,
  ready: true,
  taken: true,
  stopping: true,
  failed: true,
  closed: true,
  broken: true,
} as const satisfies Record<SkillStatusReport['state'], true>;
const STATE_NAMES = Object.keys(STATES);

/** The codes that say something of the skill more than of what it was asked. Others appear when they happen first. */
const FAILURES_OF_SKILLS = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'INTERNAL'];

/** What is asked of a skill when metrics are read: [name, help, value]. */
const GAUGES: [string, string, (report: SkillStatusReport) => number | undefined][] = [
  [
    'skill_isolation_level',
    'How a running skill is isolated: 1 process, 2 sandbox, 3 container.',
    ({ isolation }) => isolation && ISOLATION_RANK[isolation],
  ],
  ['skill_memory_limit_bytes', 'Memory that a skill may use.', ({ memoryLimitBytes }) => memoryLimitBytes],
  ['skill_in_flight', 'Calls to a skill that have no answer yet.', ({ inFlight }) => inFlight],
  ['skill_queue_depth', 'Of these, those that wait for the skill to serve or to have a slot.', ({ queued }) => queued],
  [
    'skill_circuit_open',
    '1 while a skill is not launched because launches failed too often.',
    ({ state }) => (state === 'failed' ? 1 : 0),
  ],
  [
    'skill_expected_up',
    '1 when a skill should serve, 0 while it is stopped because nobody needs it.',
    ({ expected }) => (expected ? 1 : 0),
  ],
  ['skill_spares', 'Paused instances that were never used.', ({ spares }) => spares],
];

/** What the skills do, seen from the assistant. */
export class PoolMetrics {
  readonly #pool: ModelPool;
  readonly #requests: Counter<'skill_name'>;
  readonly #errors: Counter<'skill_name' | 'code'>;
  readonly #latency: LatencyHistogram<'skill_name'>;
  readonly #launches: Counter<'skill_name' | 'kind'>;
  readonly #launchFailures: Counter<'skill_name'>;
  readonly #launchDuration: LatencyHistogram<'skill_name' | 'kind'>;
  readonly #launchPhases: Counter<'skill_name' | 'phase'>;
  readonly #restarts: Counter<'skill_name'>;
  readonly #stops: Counter<'skill_name' | 'reason'>;
  readonly #evictions: Counter<'skill_name'>;
  readonly #gauges: [Gauge<'skill_name'>, (report: SkillStatusReport) => number | undefined][];
  readonly #state: Gauge<'skill_name' | 'state'>;
  readonly #memory: Gauge<'name'>;
  readonly #memoryBudget: Gauge;
  readonly #memoryUsed: Gauge;

  constructor(registry: Registry, pool: ModelPool, exemplars: boolean) {
    const registers = [registry];
    const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]) =>
      new Counter({ name, help, labelNames, registers });
    this.#pool = pool;
    this.#requests = counter('skill_requests_total', 'Calls to skills that have ended.', 'skill_name');
    this.#errors = counter(
      'skill_errors_total',
      'Calls to skills that failed, by gRPC status.',
      ...(['skill_name', 'code'] as const),
    );
    this.#latency = new LatencyHistogram(
      registry,
      {
        name: 'skill_latency_seconds',
        help: 'Time from a call to its answer, launch included.',
        labelNames: ['skill_name'],
        buckets: LATENCY_BOUNDS,
      },
      exemplars,
    );
    this.#launches = counter(
      'skill_launches_total',
      'How often a skill came to serve, by how: cold, warm (a spare) or reused (found running).',
      ...(['skill_name', 'kind'] as const),
    );
    this.#launchFailures = counter('skill_launch_failures_total', 'Launches of skills that failed.', 'skill_name');
    this.#launchDuration = new LatencyHistogram(
      registry,
      {
        name: 'skill_launch_duration_seconds',
        help: 'Time from the decision to launch a skill until it served.',
        labelNames: ['skill_name', 'kind'],
        buckets: LAUNCH_BUCKETS,
      },
      false,
    );
    this.#launchPhases = counter(
      'skill_launch_phase_seconds_total',
      'Time of cold launches in each phase: prepare, create, boot.',
      ...(['skill_name', 'phase'] as const),
    );
    this.#restarts = counter('skill_restarts_total', 'Launches of a skill after its first one.', 'skill_name');
    this.#stops = counter('skill_stops_total', 'Ends of skills, by reason.', ...(['skill_name', 'reason'] as const));
    this.#evictions = counter('skill_evictions_total', 'Skills that were stopped to make room.', 'skill_name');
    this.#gauges = GAUGES.map(([name, help, value]) => [
      new Gauge({ name, help, labelNames: ['skill_name'], registers }),
      value,
    ]);
    this.#state = new Gauge({
      name: 'skill_state',
      help: '1 for the state that a skill is in, 0 for the others.',
      labelNames: ['skill_name', 'state'],
      registers,
    });
    this.#memory = new Gauge({
      name: 'container_memory_usage_bytes',
      help: 'Memory that a running skill uses.',
      labelNames: ['name'],
      registers,
    });
    this.#memoryBudget = new Gauge({
      name: 'sarai_skill_memory_budget_bytes',
      help: 'Memory that all skills together may use.',
      registers,
    });
    this.#memoryUsed = new Gauge({
      name: 'sarai_skill_memory_used_bytes',
      help: 'Memory that counts against the budget: of running skills and spares.',
      registers,
    });
    // A series that is there from the beginning has a rate from its first count on.
    for (const skill_name of pool.names) {
      for (const each of [this.#requests, this.#launchFailures, this.#evictions]) each.inc({ skill_name }, 0);
      for (const code of FAILURES_OF_SKILLS) this.#errors.inc({ skill_name, code }, 0);
      for (const kind of ['cold', 'warm', 'reused']) this.#launches.inc({ skill_name, kind }, 0);
      for (const reason of BAD_ENDS) this.#stops.inc({ skill_name, reason }, 0);
      for (const phase of PHASES) this.#launchPhases.inc({ skill_name, phase }, 0);
      this.#latency.zero({ skill_name });
    }
    pool.on('call', (call) => this.#countCall(call));
    pool.on('event', (event) => this.#countEvent(event));
  }

  #countCall({ skill, seconds, code, traceId }: CallObservation): void {
    const labels = { skill_name: skill };
    this.#requests.inc(labels);
    if (seconds !== undefined) this.#latency.observe(labels, seconds, traceId);
    if (code !== 'OK') this.#errors.inc({ skill_name: skill, code });
  }

  #countEvent(event: PoolEvent): void {
    const skill_name = event.skill;
    if (event.t === 'ready') {
      const { kind, phasesMs } = event;
      this.#launches.inc({ skill_name, kind });
      this.#launchDuration.observe({ skill_name, kind }, event.durationMs / 1000);
      if (phasesMs) for (const phase of PHASES) this.#launchPhases.inc({ skill_name, phase }, phasesMs[phase] / 1000);
    }
    if (event.t === 'launch_failed') this.#launchFailures.inc({ skill_name });
    if (event.t === 'stopped') {
      const [reason = event.reason] = event.reason.split(':');
      this.#stops.inc({ skill_name, reason });
      if (reason === 'evicted_for') this.#evictions.inc({ skill_name });
    }
  }

  /** Reads what is not told of by events. */
  async refresh(): Promise<void> {
    const reports = await this.#pool.status(undefined, { recent: true });
    for (const each of [this.#state, this.#memory, this.#restarts, ...this.#gauges.map(([gauge]) => gauge)])
      each.reset();
    const { budgetBytes, usedBytes } = this.#pool.memory;
    this.#memoryUsed.set(usedBytes);
    // Absent without a budget.
    this.#memoryBudget.remove();
    if (budgetBytes > 0) this.#memoryBudget.set(budgetBytes);
    for (const report of reports) {
      const skill_name = report.name;
      for (const [gauge, read] of this.#gauges) {
        const value = read(report);
        if (value !== undefined) gauge.set({ skill_name }, value);
      }
      for (const state of STATE_NAMES) this.#state.set({ skill_name, state }, state === report.state ? 1 : 0);
      this.#restarts.inc({ skill_name }, report.restarts);
      if (report.memoryBytes !== undefined) this.#memory.set({ name: `saraiskill.${skill_name}` }, report.memoryBytes);
    }
  }
}
