/**
 * A round with secure aggregation as the coordinator sees it: five stages, in each of which those who answered the one before are asked.
 * What a client sent is on the disk before it is told so, and so is every stage before anybody is asked for the next one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { federation } from '../../contract/index.ts';
import { replaceDurably } from '../durable.ts';
import { SubmissionError } from '../submission-error.ts';
import { MAX_CLIENTS, MIN_CLIENTS, type RoundContext, thresholdOf } from './context.ts';
import { SecureAggregationError } from './error.ts';
import { checkConfirmation, checkKeys, confirmationMessage } from './identity.ts';
import { BOX_BYTES, HASH_BYTES } from './primitives.ts';
import { checkUnmasking, missingShares, type Received } from './unmask.ts';

export const STAGE = { keys: 1, shares: 2, masked: 3, confirm: 4, unmask: 5 } as const;
export const LAST_STAGE = STAGE.unmask;

export const secureStateSchema = z.strictObject({
  /** Who answered, of each stage that is over. */
  answered: z.array(z.array(z.string())).max(LAST_STAGE),
  /** Of the present stage, in milliseconds since 1970. */
  endsAt: z.number(),
});
export type SecureState = z.output<typeof secureStateSchema>;

export interface SecureRoundOptions {
  /** Where what clients send is kept. */
  folder: string;
  context: RoundContext;
  /** Who may advertise keys. */
  cohort: readonly string[];
  /** Certificate of the federation, PEM. */
  authority: string;
  /** How long a stage takes at most, in milliseconds. */
  stageMs: number;
  state: SecureState;
}

type Answers = Map<string, federation.AggregateRequest>;

export class SecureRound {
  readonly #options: SecureRoundOptions;
  /** What came, of each stage; from the disk after a restart. */
  readonly #answers: Answers[];

  constructor(options: SecureRoundOptions) {
    this.#options = options;
    this.#answers = Object.values(STAGE).map(
      (stage) =>
        new Map(
          options.cohort
            .filter((client) => existsSync(this.#path(stage, client)))
            .map((client) => [client, federation.AggregateRequest.decode(readFileSync(this.#path(stage, client)))]),
        ),
    );
  }

  get state(): SecureState {
    return this.#options.state;
  }

  /** The present one. */
  get stage(): number {
    return this.state.answered.length + 1;
  }

  /** How many have to stay until the end; known after the keys. */
  get threshold(): number {
    const [advertised] = this.state.answered;
    return advertised ? thresholdOf(advertised.length) : MIN_CLIENTS;
  }

  /** How many have answered the present stage. */
  get received(): number {
    return this.#of(this.stage).size;
  }

  taskOf(client: string, now: number): federation.SecureTask | undefined {
    const { stage } = this;
    const { context, state } = this.#options;
    if (now >= state.endsAt || !this.#expected().includes(client) || this.#of(stage).has(client)) return undefined;
    if (stage === STAGE.keys && this.received >= MAX_CLIENTS) return undefined;
    return {
      round: BigInt(context.round),
      baseVersion: BigInt(context.baseVersion),
      ...{ clip: context.clip, noise: context.noise, divisor: context.divisor, stage },
      remainingMs: Math.min(2 ** 32 - 1, Math.floor(state.endsAt - now)),
      roster: stage === STAGE.shares ? this.#roster() : [],
      sealed: stage === STAGE.masked ? this.#sealedFor(client) : [],
      included: stage === STAGE.confirm ? [...this.#answeredIn(STAGE.masked)] : [],
      confirmations: stage === STAGE.unmask ? this.#confirmations() : [],
    };
  }

  /** Takes an answer to the present stage. When this returns it is on the disk. @throws SubmissionError */
  submit(client: string, request: federation.AggregateRequest, now: number): void {
    const { stage } = this;
    const { context, cohort, state } = this.#options;
    const answered = stageOf(request);
    if (
      request.round !== BigInt(context.round) ||
      now >= state.endsAt ||
      (answered !== undefined && answered < stage)
    ) {
      if (answered !== undefined && request.round === BigInt(context.round) && this.#of(answered).has(client))
        throw new SubmissionError('duplicate', `there is an answer of this client to stage ${answered} already`);
      throw new SubmissionError('late', `stage ${answered} of round ${request.round} is not open any more`);
    }
    if (!cohort.includes(client) || !this.#expected().includes(client))
      throw new SubmissionError('uninvited', 'nothing is asked for');
    if (answered !== stage) throw new SubmissionError('malformed', `this is no answer to stage ${stage}`);
    if (this.#of(stage).has(client))
      throw new SubmissionError('duplicate', `there is an answer of this client to stage ${stage} already`);
    if (stage === STAGE.keys && this.received >= MAX_CLIENTS)
      throw new SubmissionError('late', `${MAX_CLIENTS} clients take part already, and more cannot`);
    try {
      this.#check(client, request);
    } catch (error) {
      if (!(error instanceof SecureAggregationError)) throw error;
      throw new SubmissionError('malformed', error.message);
    }
    replaceDurably(this.#path(stage, client), federation.AggregateRequest.encode(request).finish());
    this.#of(stage).set(client, request);
  }

  /** Whether nothing more is waited for. */
  isOver(now: number): boolean {
    if (now >= this.state.endsAt) return true;
    if (this.stage === STAGE.keys && this.received >= MAX_CLIENTS) return true;
    if (this.stage === STAGE.unmask) return missingShares(this.everything()).length === 0;
    return this.#expected().every((client) => this.#of(this.stage).has(client));
  }

  /**
   * What follows the present stage.
   *
   * @returns the state of the next stage, to be written down before `begin`; `sum` when the masks can be taken off
   * @throws SecureAggregationError when too few are left: the round is over, and nothing comes of it
   */
  next(now: number): SecureState | 'sum' {
    const { stage, threshold } = this;
    if (stage === STAGE.unmask) {
      const missing = missingShares(this.everything());
      if (missing.length > 0)
        throw new SecureAggregationError(
          `too few shares of ${missing.length} clients: ${threshold} of each are needed`,
        );
      return 'sum';
    }
    const answered = [...this.#of(stage).keys()].sort();
    if (answered.length < threshold)
      throw new SecureAggregationError(
        `${answered.length} clients have answered stage ${stage} of ${LAST_STAGE}, and ${threshold} are needed`,
      );
    return { answered: [...this.state.answered, answered], endsAt: now + this.#options.stageMs };
  }

  begin(state: SecureState): void {
    this.#options.state = state;
  }

  /** All that the sum follows from. */
  everything(): Received {
    const only = <T>(stage: number, pick: (request: federation.AggregateRequest) => T | undefined) =>
      new Map(
        this.#answeredIn(stage).flatMap((client): [string, T][] => {
          const request = this.#of(stage).get(client);
          const value = request && pick(request);
          return value === undefined ? [] : [[client, value]];
        }),
      );
    return {
      context: this.#options.context,
      threshold: this.threshold,
      roster: this.#roster(),
      deals: only(STAGE.shares, ({ deal }) => deal),
      masked: only(STAGE.masked, ({ masked }) => masked),
      unmaskings: new Map(
        this.#of(STAGE.unmask)
          .entries()
          .flatMap(([client, { unmasking }]): [string, federation.Unmasking][] =>
            unmasking ? [[client, unmasking]] : [],
          ),
      ),
    };
  }

  /** @throws SecureAggregationError when an answer is not what the stage asks for */
  #check(client: string, request: federation.AggregateRequest): void {
    const { context, authority } = this.#options;
    const { keys, deal, masked, confirmation, unmasking } = request;
    if (keys) {
      if (keys.client !== client) throw new SecureAggregationError('these keys are of somebody else');
      checkKeys(context, keys, authority);
      const taken = [...this.#of(STAGE.keys).values()].flatMap((each) => each.keys ?? []);
      if (taken.some(({ sealKey, maskKey }) => sealKey.equals(keys.sealKey) || maskKey.equals(keys.maskKey)))
        throw new SecureAggregationError('somebody else has these keys');
    }
    if (deal) this.#checkDeal(client, deal);
    if (masked && masked.length !== context.dimension * 8)
      throw new SecureAggregationError(`the update has ${masked.length} bytes, not ${context.dimension * 8}`);
    if (confirmation) checkConfirmation(this.#confirmed(), { client, signature: confirmation }, this.#roster());
    if (unmasking) checkUnmasking(client, unmasking, this.everything());
  }

  #checkDeal(client: string, { shares }: federation.Deal): void {
    const roster = this.#answeredIn(STAGE.keys);
    const isWhole = shares.every(
      ({ client: to, box, selfHash, keyHash }) =>
        roster.includes(to) &&
        box.length === (to === client ? 0 : BOX_BYTES) &&
        selfHash.length === HASH_BYTES &&
        keyHash.length === HASH_BYTES,
    );
    if (
      !isWhole ||
      shares.length !== roster.length ||
      new Set(shares.map((share) => share.client)).size < roster.length
    )
      throw new SecureAggregationError('there has to be a share for each client, and no other');
  }

  #roster(): federation.ClientKeys[] {
    return this.#answeredIn(STAGE.keys).flatMap((client) => this.#of(STAGE.keys).get(client)?.keys ?? []);
  }

  #sealedFor(client: string): federation.SealedShares[] {
    return this.#answeredIn(STAGE.shares).flatMap((dealer) => {
      const share = this.#of(STAGE.shares)
        .get(dealer)
        ?.deal?.shares.find((each) => each.client === client);
      const none = Buffer.alloc(0);
      return share && dealer !== client ? [{ client: dealer, box: share.box, selfHash: none, keyHash: none }] : [];
    });
  }

  #confirmations(): federation.Confirmation[] {
    return this.#answeredIn(STAGE.confirm).flatMap((client) => {
      const signature = this.#of(STAGE.confirm).get(client)?.confirmation;
      return signature ? [{ client, signature }] : [];
    });
  }

  #confirmed(): Buffer {
    return confirmationMessage(this.#options.context, this.#roster(), this.#answeredIn(STAGE.masked));
  }

  #expected(): readonly string[] {
    return this.stage === STAGE.keys ? this.#options.cohort : this.#answeredIn(this.stage - 1);
  }

  #answeredIn(stage: number): readonly string[] {
    return this.state.answered[stage - 1] ?? [];
  }

  #of(stage: number): Answers {
    return this.#answers[stage - 1] ?? new Map();
  }

  #path(stage: number, client: string): string {
    return join(this.#options.folder, `${this.#options.context.round}-${stage}-${client}.bin`);
  }
}

/** The stage that an answer is for; undefined for none. */
function stageOf({ keys, deal, masked, confirmation, unmasking }: federation.AggregateRequest): number | undefined {
  const at = [keys, deal, masked, confirmation, unmasking].findIndex((answer) => answer !== undefined);
  return at < 0 ? undefined : at + 1;
}
