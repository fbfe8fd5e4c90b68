/**
 * The rounds of a federation: who is asked, what arrives, and what is released. It knows nothing of the network. Whatever it says to
 * anybody is on the disk before, so that a new process goes on where the last one stopped.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { federation } from '../contract/index.ts';
import { ClearRound, type ClearTask } from './clear-round.ts';
import { FederationError } from './error.ts';
import type { Membership } from './membership.ts';
import type { ModelSpec } from './model.ts';
import {
  addNoise,
  BudgetError,
  fromLattice,
  type LedgerRelease,
  type Policy,
  PrivacyLedger,
  SecureRandom,
  type Spending,
} from './privacy/index.ts';
import { PublishedModels } from './published-models.ts';
import { type CoordinatorState, type Round, readCoordinatorState, writeCoordinatorState } from './round-state.ts';
import {
  isPlausibleSum,
  LAST_STAGE,
  MIN_CLIENTS,
  SecureAggregationError,
  SecureRound,
  type SecureState,
  STAGE,
  unmaskedSum,
} from './secure/index.ts';
import type { SignedBytes } from './signed-model.ts';
import { SubmissionError } from './submission-error.ts';

export interface RoundSettings {
  /**
   * poisson: each client is drawn with probability `rate`, in secret; full: everybody, always; secure: everybody, and the coordinator
   * sees nothing but the sum.
   */
  mode: 'poisson' | 'full' | 'secure';
  rate: number;
  /** Standard deviation of the noise, in clipping norms. */
  noise: number;
  /** Clipping norm of an update. */
  clip: number;
  /** How many clients are reckoned with: sums are divided by rate * population, however many take part. */
  population: number;
  /** How long a round takes, in milliseconds; always as long, so that its length tells nothing of who took part. */
  roundMs: number;
  /** Time from the end of a round to the next, in milliseconds. */
  pauseMs: number;
}

export interface CoordinatorOptions {
  folder: string;
  spec: ModelSpec;
  settings: RoundSettings;
  policy: Policy;
  members: Membership;
  /** PEM. */
  keys: { privateKey: string; publicKey: string };
  /** Certificate of the federation, PEM; for secure aggregation. */
  authority?: string;
  random?: SecureRandom;
  /** A round of which nothing comes. */
  onAbandoned?: (round: number, reason: string) => void;
}

export interface CoordinatorStatus {
  clients: number;
  version: number;
  /** Of the round that is under way; how many were asked is told to nobody but the operator. */
  round: { number: number; cohort: number; received: number; endsAt: number } | undefined;
  spending: Spending;
  /** True when no further round fits into the budget. */
  isExhausted: boolean;
}

export class Coordinator {
  readonly #options: CoordinatorOptions;
  readonly #ledger: PrivacyLedger;
  readonly #random: SecureRandom;
  readonly #models: PublishedModels;
  #state: CoordinatorState;
  /** The round that is under way is one of the two. */
  #clear: ClearRound | undefined;
  #secure: SecureRound | undefined;
  #isExhausted = false;

  /** @throws LedgerError, FederationError */
  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#random = options.random ?? new SecureRandom();
    mkdirSync(this.#updatesFolder, { recursive: true, mode: 0o700 });
    this.#models = new PublishedModels(join(options.folder, 'models'), options.spec, options.keys);
    this.#ledger = PrivacyLedger.open(options.folder, this.#models.statement?.ledger);
    this.#ledger.setPolicy(options.policy);
    this.#state = readCoordinatorState(this.#statePath);
    this.#open(this.#state.round);
    this.#checkModels();
  }

  /** The newest model that was released. */
  get model(): SignedBytes | undefined {
    return this.#models.latest;
  }

  get version(): number {
    return this.#models.version;
  }

  status(): CoordinatorStatus {
    const { round } = this.#state;
    return {
      clients: this.#options.members.clients.length,
      version: this.version,
      round: round
        ? {
            number: round.number,
            cohort: round.cohort.length,
            received: this.#secure?.received ?? this.#clear?.received ?? 0,
            endsAt: this.#secure?.state.endsAt ?? round.endsAt,
          }
        : undefined,
      spending: this.#ledger.spending(),
      isExhausted: this.#isExhausted,
    };
  }

  /** What a client is asked for now. */
  taskOf(client: string, now = Date.now()): ClearTask | undefined {
    return this.#clear?.taskOf(client, now);
  }

  /** The same with secure aggregation. */
  secureTaskOf(client: string, now = Date.now()): federation.SecureTask | undefined {
    return this.#secure?.taskOf(client, now);
  }

  /**
   * Takes an answer in a round with secure aggregation.
   *
   * @returns whether nothing more is waited for, and a tick is due
   * @throws SubmissionError
   */
  aggregate(client: string, request: federation.AggregateRequest, now = Date.now()): boolean {
    if (!this.#secure) throw new SubmissionError('late', `round ${request.round} is not open any more`);
    this.#secure.submit(client, request, now);
    return this.#secure.isOver(now);
  }

  /**
   * Takes an update. When this returns it is on the disk.
   *
   * @throws SubmissionError
   */
  submit(client: string, update: { round: number; baseVersion: number; bytes: Uint8Array }, now = Date.now()): void {
    if (this.#secure) throw new SubmissionError('uninvited', 'this federation takes no updates in clear');
    if (!this.#clear) throw new SubmissionError('late', `round ${update.round} is not open any more`);
    this.#clear.submit(client, update, now);
  }

  /**
   * Does what is due: ends a round whose time is over, begins one.
   *
   * @returns when there is something to do again, in milliseconds since 1970; undefined when nothing is left to spend
   */
  async tick(now = Date.now()): Promise<number | undefined> {
    const { round } = this.#state;
    if (round && this.#secure) {
      const next = await this.#tickSecure(round, this.#secure, now);
      if (next !== undefined) return next;
    } else if (round && this.#clear) {
      if (now < round.endsAt) return round.endsAt;
      this.#release(round, this.#clear, now);
    }
    if (now < this.#state.nextAt) return this.#state.nextAt;
    return this.#begin(now);
  }

  #begin(now: number): number | undefined {
    const { members, settings } = this.#options;
    const clients = members.clients.map(({ id }) => id);
    const { mode, noise, clip, population, roundMs, pauseMs } = settings;
    if (clients.length < (mode === 'secure' ? MIN_CLIENTS : 1)) return now + Math.max(1000, pauseMs);
    const rate = mode === 'poisson' ? settings.rate : 1;
    const number = Math.max(this.#ledger.releases.at(-1)?.round ?? 0, this.#state.lastRound ?? 0) + 1;
    const release = { mode, rate, noise, clip, divisor: rate * population };
    // Before anybody sends anything: what cannot be released is not asked for.
    this.#isExhausted = !(
      this.#ledger.epsilonAfter(this.#ledgerRelease(number, release)) <= this.#options.policy.epsilon
    );
    if (this.#isExhausted) return undefined;
    const cohort = clients.filter(() => this.#random.atRate(rate));
    const secure = mode === 'secure' ? { answered: [], endsAt: now + this.#stageMs } : undefined;
    const round = {
      number,
      baseVersion: this.version,
      cohort,
      endsAt: now + roundMs,
      release,
      ...(secure && { secure }),
    };
    this.#writeState({ round, nextAt: now, lastRound: number });
    this.#open(round);
    return secure?.endsAt ?? now + roundMs;
  }

  /** Sums up what arrived, however little, with noise, and publishes it: written down first. */
  #release(round: Round, clear: ClearRound, now: number): void {
    this.#account(round);
    // After a crash it may be released already.
    if (this.version <= round.baseVersion) {
      const sum = clear.sum();
      addNoise(sum, round.release.noise, this.#random);
      this.#models.publish(fromLattice(sum, round.release.clip, round.release.divisor), this.#ledger, now);
    }
    this.#end(now + this.#options.settings.pauseMs);
  }

  /**
   * Goes on to the next stage when the present one is over.
   *
   * @returns when the stage ends; undefined when the round is over
   */
  async #tickSecure(round: Round, secure: SecureRound, now: number): Promise<number | undefined> {
    if (!secure.isOver(now)) return secure.state.endsAt;
    const { pauseMs } = this.#options.settings;
    const isMasked = secure.stage >= STAGE.masked;
    try {
      if (this.version > round.baseVersion) return this.#end(now + pauseMs);
      const next = secure.next(now);
      if (next !== 'sum') return this.#enter(round, secure, next);
      const received = secure.everything();
      const sum = await unmaskedSum(received);
      if (!isPlausibleSum(sum, round.release.noise, received))
        throw new SecureAggregationError('the sum is longer than all honest updates together can be: a client lies');
      this.#models.publish(fromLattice(sum, round.release.clip, round.release.divisor), this.#ledger, now);
      return this.#end(now + pauseMs);
    } catch (error) {
      if (!(error instanceof SecureAggregationError || error instanceof BudgetError)) throw error;
      // Before there were masked updates nothing is lost by trying again soon.
      this.#end(now + (isMasked ? pauseMs : Math.min(pauseMs, this.#options.settings.roundMs)));
      this.#options.onAbandoned?.(round.number, error.message);
      return undefined;
    }
  }

  #enter(round: Round, secure: SecureRound, next: SecureState): number {
    // With the shares that are asked for now the coordinator sees the sum: that is the release.
    if (next.answered.length + 1 === LAST_STAGE) this.#account(round, secure.threshold);
    this.#writeState({ ...this.#state, round: { ...round, secure: next } });
    secure.begin(next);
    return next.endsAt;
  }

  /** Writes a round down; after a crash it may be there already. @throws BudgetError */
  #account(round: Round, shares?: number): void {
    if ((this.#ledger.releases.at(-1)?.round ?? 0) < round.number)
      this.#ledger.append(this.#ledgerRelease(round.number, round.release, shares));
  }

  #end(nextAt: number): undefined {
    this.#writeState({ ...this.#state, round: null, nextAt });
    this.#open(null);
    // What clients sent is kept no longer than it is needed.
    for (const name of readdirSync(this.#updatesFolder)) rmSync(join(this.#updatesFolder, name));
  }

  #open(round: Round | null): void {
    const { spec, authority } = this.#options;
    this.#clear = round && !round.secure ? new ClearRound(this.#updatesFolder, round, spec.dimension) : undefined;
    this.#secure = undefined;
    if (!round?.secure) return;
    if (authority === undefined)
      throw new FederationError('secure aggregation is under way, and there is no certificate of the federation');
    const { noise, clip, divisor } = round.release;
    const { number, baseVersion, cohort } = round;
    this.#secure = new SecureRound({
      folder: this.#updatesFolder,
      context: { round: number, baseVersion, clip, noise, divisor, dimension: spec.dimension, model: spec.id },
      ...{ cohort, authority, stageMs: this.#stageMs, state: round.secure },
    });
  }

  #ledgerRelease(round: number, release: Round['release'], shares?: number): LedgerRelease {
    return { round, ...release, dimension: this.#options.spec.dimension, ...(shares !== undefined && { shares }) };
  }

  /** A model that no round of the ledger stands for was released unaccounted. */
  #checkModels(): void {
    const rounds = this.#ledger.releases.length;
    if (this.version > rounds)
      this.#ledger.markUnaccounted(`there is a model of version ${this.version}, but ${rounds} rounds in the ledger`);
  }

  #writeState(state: CoordinatorState): void {
    writeCoordinatorState(this.#statePath, state);
    this.#state = state;
  }

  get #stageMs(): number {
    return this.#options.settings.roundMs / LAST_STAGE;
  }

  get #statePath(): string {
    return join(this.#options.folder, 'round.json');
  }

  get #updatesFolder(): string {
    return join(this.#options.folder, 'updates');
  }
}
