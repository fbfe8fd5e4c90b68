/** A client in rounds with secure aggregation: what it answers to each stage, and what it may cost. */
import { join } from 'node:path';
import type { federation } from '../contract/index.ts';
import type { ModelSpec } from './model.ts';
import {
  BudgetError,
  type LedgerRelease,
  MAX_NOISE,
  PrivacyLedger,
  type Spending,
  spendingReader,
} from './privacy/index.ts';
import {
  type ClientIdentity,
  identityOf,
  LAST_STAGE,
  Participant,
  type RoundContext,
  SecureAggregationError,
  STAGE,
} from './secure/index.ts';

/** Most that rounds may cost one installation. */
export interface ClientBudget {
  epsilon: number;
  delta: number;
}

const SPENT = 'spent';

/** What rounds with secure aggregation have cost this installation; undefined where there were none. */
export function clientSpendingReader(folder: string): () => Spending | undefined {
  return spendingReader(join(folder, SPENT));
}

export function readClientSpending(folder: string): Spending | undefined {
  return clientSpendingReader(folder)();
}

/** As much as a coordinator spends when nobody says otherwise. */
export const CLIENT_BUDGET: ClientBudget = { epsilon: 4, delta: 1e-5 };

export interface SecureClientOptions {
  folder: string;
  /** PEM. */
  key: string;
  certificate: string;
  authority: string;
  spec: ModelSpec;
  budget?: ClientBudget;
}

type Answer = Omit<federation.AggregateRequest, 'protocol'>;

/**
 * Masks and keys are in memory alone: who is restarted has dropped out of the round. What masked updates have cost is on the disk, in a
 * ledger of the client's own: here the coordinator is not believed.
 */
export class SecureClient {
  readonly #options: SecureClientOptions;
  readonly #identity: ClientIdentity;
  #ledger: PrivacyLedger | undefined;
  #participant: Participant | undefined;
  /** The last stage that was answered. */
  #stage = 0;
  /** The answer to the next one, until it has arrived: it is never made twice. */
  #pending: { stage: number; request: Answer } | undefined;

  constructor(options: SecureClientOptions) {
    this.#options = options;
    this.#identity = identityOf(options.certificate, options.key);
  }

  get isBusy(): boolean {
    return this.#participant !== undefined && this.#stage < LAST_STAGE;
  }

  /** Of the round that was answered last: nothing below it is waited for. */
  get knownStage(): number {
    return this.isBusy ? this.#stage : LAST_STAGE;
  }

  /**
   * @param isNew whether this client has said nothing in this round yet, before a restart neither
   * @param update trains
   * @returns what to send; or nothing, and why, where there is something to say
   */
  async answer(
    task: federation.SecureTask,
    isNew: boolean,
    update: (context: RoundContext) => Promise<BigInt64Array>,
  ): Promise<{ request: Answer } | { reason: string | undefined }> {
    const { round, stage } = task;
    if (isNew) this.withdraw();
    if (this.#pending?.stage === stage && this.#pending.request.round === round)
      return { request: this.#pending.request };
    try {
      if (isNew && stage === STAGE.keys) this.#begin(contextOf(task, this.#options.spec));
      const participant = this.#participant;
      if (!participant || BigInt(participant.context.round) !== round) return { reason: undefined };
      const request = { round, ...(await this.#said(participant, task, update)) };
      this.#pending = { stage, request };
      return { request };
    } catch (error) {
      this.withdraw();
      if (!(error instanceof SecureAggregationError || error instanceof BudgetError)) throw error;
      return { reason: error.message };
    }
  }

  /** The last answer has arrived. */
  wasSent(): void {
    this.#stage = this.#pending?.stage ?? this.#stage;
    this.#pending = undefined;
    if (this.#stage >= LAST_STAGE) this.withdraw();
  }

  /** Forgets the round, and its secrets. */
  withdraw(): void {
    this.#participant = undefined;
    this.#pending = undefined;
    this.#stage = 0;
  }

  #begin(context: RoundContext): void {
    const { authority } = this.#options;
    // Before anything is said: who drops out later costs the others time.
    this.#checkBudget(context);
    this.#participant = new Participant({ context, identity: this.#identity, authority });
  }

  async #said(
    participant: Participant,
    { stage, roster, sealed, included, confirmations }: federation.SecureTask,
    update: (context: RoundContext) => Promise<BigInt64Array>,
  ): Promise<Omit<Answer, 'round'>> {
    switch (stage) {
      case STAGE.keys:
        return { keys: participant.advertise() };
      case STAGE.shares:
        return { deal: await participant.deal(roster) };
      case STAGE.masked: {
        const masked = participant.mask(sealed, await update(participant.context));
        // Whether a sum will come of it is in the hands of others.
        this.#opened().append(this.#release(participant.context, participant.threshold));
        return { masked };
      }
      case STAGE.confirm:
        return { confirmation: participant.confirm(included) };
      case STAGE.unmask:
        return { unmasking: participant.unmask(confirmations) };
      default:
        throw new SecureAggregationError(`there is no stage ${stage}: update Phoenix`);
    }
  }

  #checkBudget(context: RoundContext): void {
    const { epsilon: budget } = this.#budget;
    const epsilon = this.#opened().epsilonAfter(this.#release(context));
    if (!(epsilon <= budget))
      throw new BudgetError(
        `it would bring what is known of this installation to epsilon ${epsilon.toPrecision(4)}, and its own budget is ${budget}`,
      );
  }

  /** In a ledger of its own rounds are numbered anew: they may be of several federations. */
  #release({ noise, clip, divisor, dimension }: RoundContext, shares?: number): LedgerRelease {
    const round = (this.#opened().releases.at(-1)?.round ?? 0) + 1;
    return { round, mode: 'secure', rate: 1, noise, clip, divisor, dimension, ...(shares !== undefined && { shares }) };
  }

  get #budget(): ClientBudget {
    return this.#options.budget ?? CLIENT_BUDGET;
  }

  #opened(): PrivacyLedger {
    if (!this.#ledger) {
      this.#ledger = PrivacyLedger.open(join(this.#options.folder, SPENT));
      this.#ledger.setPolicy({ ...this.#budget, adjacency: 'add_remove', unit: 'client' });
    }
    return this.#ledger;
  }
}

/** @throws SecureAggregationError for what makes no sense */
function contextOf(task: federation.SecureTask, { id, dimension }: ModelSpec): RoundContext {
  const { clip, noise, divisor } = task;
  for (const [name, value] of Object.entries({ clip, noise, divisor }))
    if (!(value > 0 && Number.isFinite(value)))
      throw new SecureAggregationError(`a ${name} of ${value} makes no sense`);
  if (noise > MAX_NOISE) throw new SecureAggregationError(`a noise of ${noise} is above ${MAX_NOISE} clipping norms`);
  const [round, baseVersion] = [Number(task.round), Number(task.baseVersion)];
  return { round, baseVersion, clip, noise, divisor, dimension, model: id };
}
