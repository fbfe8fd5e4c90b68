import type { Manifest } from '../manifest/index.ts';
import type { InstanceStats } from '../runtimes/index.ts';
import { outsideRequests, type Span, startSpan } from '../tracing/index.ts';
import { Activity } from './activity.ts';
import { SkillLaunchError, SkillUnavailableError } from './errors.ts';
import type { PoolEvent, SkillStatusReport } from './events.ts';
import { describeExit, type Launched, type Launcher, type LaunchSettings } from './launcher.ts';
import {
  type BackoffPolicy,
  decide,
  type StopReason,
  type UnitEffect,
  type UnitEvent,
  type UnitState,
} from './lifecycle.ts';
import { RecentEvents } from './recent-events.ts';
import { toReport } from './report.ts';
import type { SkillSession } from './session.ts';
import { isExclusive, Spares } from './spares.ts';
import { supervise } from './supervision.ts';
import { Waiters } from './waiters.ts';

/** A run that answered this many calls was healthy: its end is no crash loop. */
const HEALTHY_CALLS = 10;
/** How long the error of a call waits to hear how its skill ended, in milliseconds: engines take their time. */
const EXPLAIN_WAIT_MS = 1000;

export interface UnitPolicy {
  /** Stops after this long without a call, in milliseconds; 0: never. */
  idleTtlMs: number;
  pinned: boolean;
  /** How many spares to keep. */
  warm: number;
  backoff: BackoffPolicy;
}

export interface UnitOptions {
  manifest: Manifest;
  settings: LaunchSettings;
  launcher: Launcher;
  policy: UnitPolicy;
  /** Makes room for the launch; rejects when there is none. */
  makeRoom: () => Promise<void>;
  /** Whether the memory budget allows a spare. */
  hasRoom: () => Promise<boolean>;
  emit: (event: PoolEvent) => void;
}

/** The one owner of one skill: nobody else starts or stops it. What happens is decided by `decide`; this does it. */
export class SkillUnit {
  readonly manifest: Manifest;
  readonly policy: UnitPolicy;
  /** Clients that were handed out and not disposed of. */
  holders = 0;
  readonly activity: Activity;
  readonly spares: Spares;
  readonly #recent = new RecentEvents();
  stats: InstanceStats | undefined;
  readonly #options: UnitOptions;
  #state: UnitState = { t: 'stopped', crashes: 0, failures: 0 };
  #launched: Launched | undefined;
  readonly #waiters = new Waiters();
  #error: Error | undefined;
  /** How the last instance ended, in words. */
  #lastEnd: string | undefined;
  #lastStop: StopReason | undefined;
  #keep = false;
  #callsAtLaunch = 0;
  #launches = 0;
  #stopReason: StopReason | undefined;
  /** performance.now() of the last look at `stats`. */
  #measuredAt = 0;
  /** performance.now() at which an open circuit allows one more try. */
  #closesAt = 0;
  #busy = 0;
  #settled: (() => void)[] = [];
  #delayTimer: NodeJS.Timeout | undefined;
  #stopSupervision: () => void = () => {};

  constructor(options: UnitOptions) {
    const emit = (event: PoolEvent) => {
      this.#recent.add(event);
      options.emit(event);
    };
    this.#options = { ...options, emit };
    this.manifest = options.manifest;
    this.policy = options.policy;
    const { manifest, settings, launcher, hasRoom } = options;
    this.spares = new Spares({
      manifest,
      wanted: () => this.#wantedSpares(),
      hasRoom,
      usedSlot: () => this.#launched?.instance.slot,
      spec: () => launcher.spec(manifest, settings, false),
      start: (spec, slot) => launcher.start(spec, slot),
      emit,
    });
    this.activity = new Activity(options.policy.pinned ? 0 : options.policy.idleTtlMs, () => {
      if (this.evictable) this.dispatch({ t: 'stop', reason: 'idle' });
    });
  }

  get state(): UnitState['t'] {
    return this.#state.t;
  }

  get isolation(): Launched['connection']['hello']['isolation'] | undefined {
    return this.#launched?.connection.hello.isolation;
  }

  /** The session to call through, if the skill is ready now. */
  get session(): SkillSession | undefined {
    const session = this.#state.t === 'ready' ? this.#launched?.connection.session : undefined;
    return session?.usable ? session : undefined;
  }

  get connection(): Launched['connection'] | undefined {
    return this.#state.t === 'ready' || this.#state.t === 'taken' ? this.#launched?.connection : undefined;
  }

  /** The connection for one call, if the skill is ready now. An instance that serves one call is nobody else's then. */
  take(): Launched['connection'] | undefined {
    const connection = this.session && this.#launched?.connection;
    if (connection && this.manifest.single_use) this.dispatch({ t: 'taken' });
    return connection;
  }

  /** The call that took this connection has ended. */
  release(connection: Launched['connection']): void {
    const isCurrent = this.#launched?.connection === connection;
    if (isCurrent && this.manifest.single_use) this.dispatch({ t: 'used' });
  }

  /** Resolves when the skill serves: the only door to it. Who is not willing to wait longer aborts. */
  ensureReady(signal: AbortSignal): Promise<void> {
    if (this.session) return Promise.resolve();
    const served = this.#waiters.wait(signal);
    // Ready, but its connection has ended: what is about to be noticed leads to a relaunch, and that answers the waiter.
    if (!signal.aborted && this.#state.t !== 'ready') this.dispatch({ t: 'ensure' });
    return served;
  }

  /** Started by an operator: stays when the pool closes, and is never stopped for being idle. */
  setKept(kept: boolean): void {
    this.#keep = kept;
    this.#launched?.instance.keep(kept);
    this.activity.touch();
  }

  get kept(): boolean {
    return this.#keep || this.#launched?.instance.kept === true;
  }

  /** Idle now, and allowed to be stopped for that. */
  get evictable(): boolean {
    return this.#state.t === 'ready' && this.activity.inFlight === 0 && !this.policy.pinned && !this.kept;
  }

  dispatch(event: UnitEvent): void {
    const [next, effects] = decide(this.#state, event, this.policy.backoff);
    this.#state = next;
    for (const effect of effects) this.#perform(effect);
    if (this.#state.t !== 'backing_off' && this.#state.t !== 'failed') clearTimeout(this.#delayTimer);
    this.spares.fill();
  }

  #wantedSpares(): number {
    const { t } = this.#state;
    if (t === 'closed' || t === 'failed' || (t === 'stopped' && this.#lastStop === 'operator')) return 0;
    if (!isExclusive(this.manifest)) return this.policy.warm;
    return t === 'stopped' && this.#busy === 0 ? Math.min(1, this.policy.warm) : 0;
  }

  /** Why the connection of a call broke: how the instance ended, when that is known soon, and before the call has to end. */
  async explainEnd(remainingMs: number): Promise<string | undefined> {
    const launched = this.#launched;
    if (!launched || launched.connection.session.usable) return this.#lastEnd;
    const waitMs = Math.min(EXPLAIN_WAIT_MS, remainingMs);
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), waitMs));
    return await Promise.race([launched.instance.exited.then(describeExit), late]);
  }

  /** Looks at the skill now, because a call went unanswered; one that does not answer is replaced. */
  async probe(): Promise<void> {
    const launched = this.#launched;
    if (this.#state.t !== 'ready' || !launched) return;
    try {
      await launched.connection.check(this.manifest.health.timeout);
    } catch {
      if (this.#launched === launched) this.dispatch({ t: 'unhealthy', healthy: this.#wasHealthy });
    }
  }

  /** Reads the skill's code again without stopping it. */
  async reload(): Promise<void> {
    const launched = this.#launched;
    if (!launched) return;
    await this.#options.launcher.reload(this.manifest, launched.instance);
    this.#options.emit({ t: 'reloading', skill: this.manifest.name });
  }

  /** Stops it, waits until it is gone. `leaveRunning`: only lets go of it. */
  async close(leaveRunning: boolean): Promise<void> {
    this.activity.stop();
    this.#stopSupervision();
    clearTimeout(this.#delayTimer);
    if (leaveRunning && this.#launched) {
      this.#launched.connection.close();
      this.#launched.instance.release();
      this.#launched = undefined;
    }
    this.dispatch({ t: 'close' });
    await Promise.all([this.settled(), this.spares.close()]);
  }

  /** Resolves when no launch or stop is under way. */
  settled(): Promise<void> {
    if (this.#busy === 0) return Promise.resolve();
    return new Promise((resolve) => this.#settled.push(resolve));
  }

  report(): SkillStatusReport {
    const { manifest, stats, activity } = this;
    const { calls, inFlight } = activity;
    const isOut = this.#state.t === 'failed' || this.#state.t === 'backing_off';
    return toReport(manifest, this.#options.settings, this.#launched?.instance, stats, {
      state: this.#state.t,
      expected: this.#state.t !== 'stopped' || this.#state.failures > 0,
      inFlight,
      queued: this.#queued,
      calls,
      restarts: Math.max(0, this.#launches - 1),
      pinned: this.policy.pinned,
      spares: this.spares.count,
      lastStop: this.#lastStop,
      error: isOut ? this.#error?.message : undefined,
      events: this.#recent.list(),
    });
  }

  /** Calls that wait for the skill to serve, or in its own queue: nobody else calls it. */
  get #queued(): number {
    const { inFlight, waiting, streams } = this.activity;
    return waiting + Math.max(0, inFlight - waiting - streams - this.manifest.limits.concurrency);
  }

  /** Measures the running instance, unless that was done in the last `maxAgeMs` milliseconds. */
  async measure(maxAgeMs = 0): Promise<void> {
    const isFresh = this.stats !== undefined && performance.now() - this.#measuredAt < maxAgeMs;
    if (isFresh) return;
    this.#measuredAt = performance.now();
    const [stats] = await Promise.all([this.#launched?.instance.stats().catch(() => undefined), this.spares.measure()]);
    this.stats = stats;
  }

  #perform(effect: UnitEffect): void {
    const { name } = this.manifest;
    switch (effect.t) {
      case 'launch':
        this.#track(this.#tracedLaunch());
        break;
      case 'stop_instance':
        this.#track(outsideRequests(() => this.#stopInstance(effect.reason)));
        break;
      case 'grant':
        this.#waiters.grant();
        break;
      case 'refuse':
        this.#waiters.refuse(this.#refusal());
        break;
      case 'back_off':
        this.#options.emit({ t: 'backing_off', skill: name, delayMs: effect.delayMs });
        this.#later(effect.delayMs, { t: 'backoff_elapsed' });
        break;
      case 'open_circuit':
        this.#options.emit({ t: 'circuit_open', skill: name, delayMs: effect.delayMs });
        this.#closesAt = performance.now() + effect.delayMs;
        this.#later(effect.delayMs, { t: 'half_open' });
        break;
    }
  }

  /** A step of the trace of who needed it first. What comes of it, timers and connections, is part of no trace. */
  async #tracedLaunch(): Promise<void> {
    const span = startSpan(`launch ${this.manifest.name}`, { attributes: { 'sarai.skill.name': this.manifest.name } });
    await outsideRequests(() => this.#launch(span));
  }

  async #launch(span: Span | undefined): Promise<void> {
    const { launcher, manifest, settings, makeRoom, emit } = this.#options;
    const started = performance.now();
    const trace = span?.isSampled ? { traceId: span.traceId } : {};
    emit({ t: 'launching', skill: manifest.name, ...trace });
    try {
      await makeRoom();
      const launched = await launcher.launch(manifest, settings, this.#keep, this.spares);
      this.#launched = launched;
      this.#launches++;
      this.#callsAtLaunch = this.activity.calls;
      this.#error = undefined;
      if (this.#keep) launched.instance.keep(true);
      if (this.#state.t === 'closed') {
        span?.end();
        return await this.#stopInstance('shutdown');
      }
      emit({
        t: 'ready',
        skill: manifest.name,
        kind: launched.kind,
        runtime: launched.instance.runtime,
        isolation: launched.instance.isolation,
        instanceId: launched.instance.instanceId,
        durationMs: performance.now() - started,
        ...(launched.phasesMs && { phasesMs: launched.phasesMs }),
        ...trace,
      });
      span?.set({ 'sarai.launch.kind': launched.kind, 'sarai.isolation': launched.instance.isolation });
      for (const [phase, ms] of Object.entries(launched.phasesMs ?? {}))
        span?.set({ [`sarai.launch.${phase}_ms`]: ms });
      span?.end();
      this.#supervise(launched);
      this.dispatch({ t: 'launched' });
      this.activity.touch();
    } catch (error) {
      this.#error = error as Error;
      span?.end(error);
      emit({ t: 'launch_failed', skill: manifest.name, error: this.#error, ...trace });
      this.dispatch({ t: 'launch_failed' });
    }
  }

  /** Watches a running instance: its process, its session, its health. */
  #supervise(launched: Launched): void {
    const isCurrent = () => this.#launched === launched;
    const { stop } = supervise(launched, this.manifest.health.interval, {
      onExit: (exit) => {
        const reason: StopReason = exit.outOfMemory ? 'oom' : `crashed:${exit.signal ?? exit.code ?? 'unknown'}`;
        this.#ended(launched, reason, describeExit(exit));
      },
      onUnhealthy: () => {
        if (isCurrent()) this.dispatch({ t: 'unhealthy', healthy: this.#wasHealthy });
      },
      isWatched: () => isCurrent() && (this.#state.t === 'ready' || this.#state.t === 'taken'),
      probe: () => void this.probe(),
    });
    this.#stopSupervision();
    this.#stopSupervision = stop;
  }

  /** This instance has answered calls well. */
  get #wasHealthy(): boolean {
    return this.activity.calls - this.#callsAtLaunch >= HEALTHY_CALLS;
  }

  #ended(launched: Launched, reason: StopReason, what: string): void {
    if (this.#launched !== launched) return;
    this.#launched = undefined;
    this.#lastEnd = what;
    this.stats = undefined;
    this.#stopSupervision();
    launched.connection.close();
    const stopReason = this.#stopReason ?? reason;
    this.#stopReason = undefined;
    this.#lastStop = stopReason;
    this.#options.emit({ t: 'stopped', skill: this.manifest.name, reason: stopReason });
    this.#error = new SkillUnavailableError(this.manifest.name, what);
    this.dispatch({ t: 'exited', reason, healthy: this.#wasHealthy });
  }

  async #stopInstance(reason: StopReason): Promise<void> {
    const launched = this.#launched;
    if (launched) {
      this.#stopReason = reason;
      this.#options.emit({ t: 'stopping', skill: this.manifest.name, reason });
      // Nothing is left to drain of an instance whose one call has ended.
      const graceMs = reason === 'unhealthy' || reason === 'used' ? 0 : this.manifest.timeouts.drain;
      await launched.instance.stop(graceMs).catch((error: Error) => {
        this.#error = error;
      });
      this.#ended(launched, reason, `it was stopped (${reason})`);
    }
    this.dispatch({ t: 'stopped' });
  }

  #refusal(): Error {
    const { name } = this.manifest;
    if (this.#state.t === 'closed') return new SkillUnavailableError(name, 'the pool is closed');
    if (this.#state.t === 'failed') {
      // Not known yet by those who waited for the launch that opened the circuit.
      const left = this.#closesAt - performance.now();
      return new SkillUnavailableError(
        name,
        `it failed to start ${this.#state.failures} times: ${this.#error?.message}`,
        {
          cause: this.#error,
          retryAfterMs: Math.ceil(left > 0 ? left : this.policy.backoff.circuitMs),
        },
      );
    }
    return this.#error instanceof SkillLaunchError
      ? this.#error
      : new SkillUnavailableError(name, this.#error?.message ?? 'it was stopped', { cause: this.#error });
  }

  #later(delayMs: number, event: UnitEvent): void {
    clearTimeout(this.#delayTimer);
    this.#delayTimer = outsideRequests(() => setTimeout(() => this.dispatch(event), delayMs));
    this.#delayTimer.unref();
  }

  #track(work: Promise<void>): void {
    this.#busy++;
    void work.finally(() => {
      this.#busy--;
      if (this.#busy > 0) return;
      const settled = this.#settled;
      this.#settled = [];
      for (const resolve of settled) resolve();
      this.spares.fill();
    });
  }
}
