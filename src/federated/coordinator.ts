/**
 * The rounds of a federation: who is asked, what arrives, and what is released. It knows nothing of the network. Whatever it says to
 * anybody is on the disk before, so that a new process goes on where the last one stopped.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import type { Membership } from './membership.ts';
import type { ModelSpec } from './model.ts';
import {
  addNoise,
  addTo,
  clipped,
  fromLattice,
  type LedgerRelease,
  type Policy,
  PrivacyLedger,
  SecureRandom,
  type Spending,
} from './privacy/index.ts';
import { decodeUpdate, encodeUpdate, isSameSpec } from './protocol.ts';
import { fromFile, openModel, type ReleasedModel, type SignedBytes, signModel, toFile } from './signed-model.ts';

export interface RoundSettings {
  /** poisson: each client is drawn with probability `rate`, in secret; full: everybody, always. */
  mode: 'poisson' | 'full';
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
  random?: SecureRandom;
}

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** The round that is under way. */
  round: z
    .strictObject({
      number: z.int().positive(),
      baseVersion: z.int().nonnegative(),
      cohort: z.array(z.string()),
      /** Milliseconds since 1970. */
      endsAt: z.number(),
      release: z.strictObject({
        mode: z.enum(['poisson', 'full']),
        rate: z.number(),
        noise: z.number(),
        clip: z.number(),
        divisor: z.number(),
      }),
    })
    .nullable(),
  /** When the next one may begin. */
  nextAt: z.number(),
});
type State = z.output<typeof stateSchema>;
type Round = NonNullable<State['round']>;

/** Why an update is not taken. */
export class SubmissionError extends Error {
  override readonly name = 'SubmissionError';
  readonly kind: 'malformed' | 'late' | 'uninvited' | 'duplicate';

  constructor(kind: SubmissionError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
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
  #state: State;
  #latest: { signed: SignedBytes; released: ReleasedModel } | undefined;
  #isExhausted = false;

  /** @throws LedgerError, FederationError */
  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#random = options.random ?? new SecureRandom();
    mkdirSync(this.#updatesFolder, { recursive: true, mode: 0o700 });
    mkdirSync(this.#modelsFolder, { recursive: true, mode: 0o700 });
    this.#latest = this.#readLatest();
    const statement = this.#latest?.released.statement;
    if (statement && !isSameSpec(statement.spec, options.spec))
      throw new FederationError(
        `the models in ${this.#modelsFolder} are of "${statement.spec.id}", and this Phoenix would train "${options.spec.id}": use another state folder`,
      );
    this.#ledger = PrivacyLedger.open(options.folder, statement?.ledger);
    this.#ledger.setPolicy(options.policy);
    this.#state = this.#readState();
    this.#checkModels();
  }

  /** The newest model that was released. */
  get model(): SignedBytes | undefined {
    return this.#latest?.signed;
  }

  get version(): number {
    return this.#latest?.released.statement.version ?? 0;
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
            received: this.#received(round).length,
            endsAt: round.endsAt,
          }
        : undefined,
      spending: this.#ledger.spending(),
      isExhausted: this.#isExhausted,
    };
  }

  /** What a client is asked for now. */
  taskOf(
    client: string,
    now = Date.now(),
  ): { round: number; baseVersion: number; clip: number; remainingMs: number } | undefined {
    const { round } = this.#state;
    if (!round || now >= round.endsAt || !round.cohort.includes(client)) return undefined;
    if (existsSync(this.#updatePath(round, client))) return undefined;
    return {
      round: round.number,
      baseVersion: round.baseVersion,
      clip: round.release.clip,
      remainingMs: round.endsAt - now,
    };
  }

  /**
   * Takes an update. When this returns it is on the disk.
   *
   * @param update little-endian int64, the clipping norm being 2^40; what is longer is clipped again
   * @throws SubmissionError
   */
  submit(client: string, update: { round: number; baseVersion: number; bytes: Uint8Array }, now = Date.now()): void {
    const { round } = this.#state;
    if (!round || update.round !== round.number || now >= round.endsAt)
      throw new SubmissionError('late', `round ${update.round} is not open any more`);
    if (!round.cohort.includes(client)) throw new SubmissionError('uninvited', 'no update is asked for');
    if (update.baseVersion !== round.baseVersion)
      throw new SubmissionError(
        'malformed',
        `the update is relative to model ${update.baseVersion}, not ${round.baseVersion}`,
      );
    const { dimension } = this.#options.spec;
    if (update.bytes.length !== dimension * 8)
      throw new SubmissionError('malformed', `the update has ${update.bytes.length} bytes, not ${dimension * 8}`);
    const path = this.#updatePath(round, client);
    if (existsSync(path))
      throw new SubmissionError('duplicate', `there is an update for round ${round.number} already`);
    replaceDurably(path, encodeUpdate(clipped(decodeUpdate(update.bytes))));
  }

  /**
   * Does what is due: ends a round whose time is over, begins one.
   *
   * @returns when there is something to do again, in milliseconds since 1970; undefined when nothing is left to spend
   */
  tick(now = Date.now()): number | undefined {
    const { round } = this.#state;
    if (round) {
      if (now < round.endsAt) return round.endsAt;
      this.#release(round, now);
    }
    if (now < this.#state.nextAt) return this.#state.nextAt;
    return this.#begin(now);
  }

  #begin(now: number): number | undefined {
    const { members, settings } = this.#options;
    const clients = members.clients.map(({ id }) => id);
    if (clients.length === 0) return now + Math.max(1000, settings.pauseMs);
    const { mode, noise, clip, population, roundMs } = settings;
    const rate = mode === 'full' ? 1 : settings.rate;
    const number = (this.#ledger.releases.at(-1)?.round ?? 0) + 1;
    const release = { mode, rate, noise, clip, divisor: rate * population };
    // Before anybody sends anything: what cannot be released is not asked for.
    this.#isExhausted = !(
      this.#ledger.epsilonAfter(this.#ledgerRelease(number, release)) <= this.#options.policy.epsilon
    );
    if (this.#isExhausted) return undefined;
    const cohort = clients.filter(() => this.#random.atRate(rate));
    this.#writeState({
      format: 1,
      round: { number, baseVersion: this.version, cohort, endsAt: now + roundMs, release },
      nextAt: now,
    });
    return now + roundMs;
  }

  /** Sums up what arrived, however little, with noise, and publishes it: written down first. */
  #release(round: Round, now: number): void {
    const { spec, settings, keys } = this.#options;
    // After a crash it may be written down already, or even be released.
    if ((this.#ledger.releases.at(-1)?.round ?? 0) < round.number)
      this.#ledger.append(this.#ledgerRelease(round.number, round.release));
    if (this.version <= round.baseVersion) {
      const sum = new BigInt64Array(spec.dimension);
      for (const client of this.#received(round))
        addTo(sum, clipped(decodeUpdate(readFileSync(this.#updatePath(round, client)))));
      addNoise(sum, round.release.noise, this.#random);
      const step = fromLattice(sum, round.release.clip, round.release.divisor);
      const parameters = step.map((value, n) => value + (this.#latest?.released.parameters[n] ?? 0));
      const { epsilon, ...privacy } = this.#ledger.spending();
      const { head } = this.#ledger;
      if (!head) throw new FederationError('the ledger is empty after a release');
      const statement = {
        version: round.baseVersion + 1,
        spec,
        privacy: { ...privacy, epsilon: Number.isFinite(epsilon) ? epsilon : null },
        ledger: head,
        at: new Date(now).toISOString(),
      };
      const signed = signModel(statement, parameters, keys.privateKey);
      replaceDurably(this.#modelPath(statement.version), toFile(signed));
      this.#latest = { signed, released: openModel(signed, keys.publicKey) };
    }
    this.#writeState({ format: 1, round: null, nextAt: now + settings.pauseMs });
    // What clients sent is kept no longer than it is needed.
    for (const name of readdirSync(this.#updatesFolder)) rmSync(join(this.#updatesFolder, name));
  }

  #ledgerRelease(round: number, release: Round['release']): LedgerRelease {
    return { round, ...release, dimension: this.#options.spec.dimension };
  }

  #received(round: Round): string[] {
    return round.cohort.filter((client) => existsSync(this.#updatePath(round, client)));
  }

  /** A model that no round of the ledger stands for was released unaccounted. */
  #checkModels(): void {
    const rounds = this.#ledger.releases.length;
    if (this.version > rounds)
      this.#ledger.markUnaccounted(`there is a model of version ${this.version}, but ${rounds} rounds in the ledger`);
  }

  #readState(): State {
    if (!existsSync(this.#statePath)) return { format: 1, round: null, nextAt: 0 };
    try {
      return stateSchema.parse(JSON.parse(readFileSync(this.#statePath, 'utf8')));
    } catch (error) {
      throw new FederationError(`${this.#statePath} cannot be read: ${(error as Error).message}`);
    }
  }

  #writeState(state: State): void {
    replaceDurably(this.#statePath, `${JSON.stringify(state)}\n`);
    this.#state = state;
  }

  #readLatest() {
    const versions = readdirSync(this.#modelsFolder).flatMap((name) => Number(/^(\d+)\.json$/.exec(name)?.[1] ?? []));
    if (versions.length === 0) return undefined;
    const signed = fromFile(readFileSync(this.#modelPath(Math.max(...versions)), 'utf8'));
    return { signed, released: openModel(signed, this.#options.keys.publicKey) };
  }

  get #statePath(): string {
    return join(this.#options.folder, 'round.json');
  }

  get #modelsFolder(): string {
    return join(this.#options.folder, 'models');
  }

  get #updatesFolder(): string {
    return join(this.#options.folder, 'updates');
  }

  #modelPath(version: number): string {
    return join(this.#modelsFolder, `${version}.json`);
  }

  #updatePath({ number }: Round, client: string): string {
    return join(this.#updatesFolder, `${number}-${client}.bin`);
  }
}
