/** A client of a federation: takes models that the coordinator signed, and sends clipped updates when it is asked. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, status } from '@grpc/grpc-js';
import { z } from 'zod';
import { federation } from '../contract/index.ts';
import { addressOf, callbackOptions, type FederationCallError, TLS_OPTIONS, unary } from './connection.ts';
import { replaceDurably } from './durable.ts';
import { type Enrolled, isEnrolled, readEnrolment } from './enrolment.ts';
import { FederationError } from './error.ts';
import type { FederatedModel } from './model.ts';
import { isPaused } from './participation.ts';
import { type Spending, toLattice } from './privacy/index.ts';
import { encodeUpdate, isSameSpec, PROTOCOL } from './protocol.ts';
import { MAX_CLIENTS } from './secure/index.ts';
import { type ClientBudget, readClientSpending, SecureClient } from './secure-client.ts';
import { noteSent, readSent, type SentUpdate } from './sent-log.ts';
import { fromFile, type ModelStatement, openModel, type ReleasedModel, toFile } from './signed-model.ts';

/** How long it takes at most until it is noticed that a client takes part again, in milliseconds. */
const PAUSED_MS = 1000;
/** A model whose loss here is this much higher than that of the present one is not used. */
const TOLERATED = 1.02;

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** Newest version that was looked at: an older one is never taken. */
  seen: z.int().nonnegative(),
  /** Version that is used; 0 is what Phoenix came with. */
  installed: z.int().nonnegative(),
  /** Last round that was answered. */
  answered: z.int().nonnegative(),
});
export type ClientState = Omit<z.output<typeof stateSchema>, 'format'>;

export type ClientEvent =
  | { type: 'installed'; version: number; before: number; after: number; privacy: ModelStatement['privacy'] }
  | { type: 'rejected'; version: number; before: number; after: number }
  | { type: 'submitted'; round: number }
  /** With secure aggregation: an update that only the sum of all tells something of. */
  | { type: 'masked'; round: number }
  | { type: 'refused'; round: number; reason: string };

export interface FederationClientOptions {
  folder: string;
  model: FederatedModel;
  /** What rounds with secure aggregation may cost this installation, whatever the coordinator says. */
  budget?: ClientBudget;
  onEvent?: (event: ClientEvent) => void;
}

/** Beside a model, what a message carries: of a round with secure aggregation, the keys and certificates of all clients. */
const MESSAGE_OVERHEAD = 65_536 + MAX_CLIENTS * 1024;

export class FederationClient implements Disposable {
  readonly #options: FederationClientOptions;
  readonly #enrolled: Enrolled;
  readonly #client: federation.FederationClient;
  readonly #secure: SecureClient;
  #state: ClientState;

  /** @throws FederationError when it was not enrolled */
  constructor(options: FederationClientOptions) {
    this.#options = options;
    this.#enrolled = readEnrolment(options.folder);
    const { host, port, authority, key, certificate } = this.#enrolled;
    this.#client = new federation.FederationClient(
      addressOf(host, port),
      credentials.createSsl(
        ...([authority, key, certificate].map((pem) => Buffer.from(pem)) as [Buffer, Buffer, Buffer]),
      ),
      { ...TLS_OPTIONS, 'grpc.max_receive_message_length': options.model.spec.dimension * 8 + MESSAGE_OVERHEAD },
    );
    this.#state = readClientState(options.folder);
    this.#secure = new SecureClient({
      ...{ folder: options.folder, key, certificate, authority, spec: options.model.spec },
      ...(options.budget && { budget: options.budget }),
    });
  }

  get state(): ClientState {
    return this.#state;
  }

  /** Whether a round with secure aggregation goes on that this client is in. */
  get isBusy(): boolean {
    return this.#secure.isBusy;
  }

  /** The model that is used; undefined for what Phoenix came with. */
  installed(): ReleasedModel | undefined {
    const { installed } = this.#state;
    return installed === 0 ? undefined : openModel(this.#file(installed), this.#enrolled.modelKey);
  }

  /**
   * Asks once for what is new, and does it: a model is tried and used, or not; a task is answered. While it is paused it asks for nothing.
   *
   * @param waitMs how long the coordinator may wait for something new
   * @throws FederationError when the coordinator cannot be reached, or says nonsense
   */
  async step(waitMs: number, signal?: AbortSignal): Promise<void> {
    const { seen, answered } = this.#state;
    if (this.#hasPaused())
      return void (await sleep(Math.min(waitMs, PAUSED_MS), undefined, { signal }).catch(() => undefined));
    const { model, task, secure } = await unary<federation.PollResponse>(
      (callback) =>
        this.#client.poll(
          {
            ...{ protocol: PROTOCOL, haveVersion: BigInt(seen), waitMs },
            ...{ knownRound: BigInt(answered), knownStage: this.#secure.knownStage },
          },
          new Metadata(),
          callbackOptions(waitMs),
          callback,
        ),
      signal,
    );
    if (this.#hasPaused()) return;
    if (model) await this.#take(openModel(model, this.#enrolled.modelKey), toFile(model));
    if (secure) await this.#aggregate(secure);
    else if (task && Number(task.round) > this.#state.answered) await this.#answer(task);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }

  /** Uses a model unless it does worse here than the present one. */
  async #take(released: ReleasedModel, file: string): Promise<void> {
    const { model, onEvent } = this.#options;
    const { version, spec, privacy } = released.statement;
    if (version <= this.#state.seen)
      throw new FederationError(`the coordinator offers model ${version}, which is older than ${this.#state.seen}`);
    if (!isSameSpec(spec, model.spec))
      throw new FederationError(
        `the federation learns "${spec.id}", and this Phoenix would learn "${model.spec.id}": both need the same version and the same skills`,
      );
    // Kept whether it is used here or not: updates are relative to it.
    replaceDurably(join(this.#options.folder, `model-${version}.json`), file);
    const before = await model.evaluate(this.installed()?.parameters ?? new Float64Array(spec.dimension));
    const after = await model.evaluate(released.parameters);
    if (!(after <= before * TOLERATED)) {
      this.#write({ ...this.#state, seen: version });
      onEvent?.({ type: 'rejected', version, before, after });
      return;
    }
    await model.install(released.parameters);
    this.#write({ ...this.#state, seen: version, installed: version });
    onEvent?.({ type: 'installed', version, before, after, privacy });
  }

  async #answer(task: federation.Task): Promise<void> {
    const round = Number(task.round);
    if (this.#enrolled.secure)
      throw new FederationError(
        `round ${round}: the coordinator asks for an update in clear, and it promised secure aggregation: nothing is sent`,
      );
    const bytes = encodeUpdate(await this.#update({ round, baseVersion: Number(task.baseVersion), clip: task.clip }));
    // Training takes a while.
    if (this.#hasPaused()) return;
    const request = { protocol: PROTOCOL, round: task.round, baseVersion: task.baseVersion, update: bytes };
    this.#note(round, 'update', bytes);
    const refused = await this.#sent((callback) =>
      this.#client.submit(request, new Metadata(), callbackOptions(), callback),
    );
    this.#options.onEvent?.(
      refused ? { type: 'refused', round, reason: refused.details } : { type: 'submitted', round },
    );
    this.#write({ ...this.#state, answered: round });
  }

  /** One stage of a round with secure aggregation. */
  async #aggregate(task: federation.SecureTask): Promise<void> {
    const { onEvent } = this.#options;
    const round = Number(task.round);
    if (!Number.isSafeInteger(round)) throw new FederationError(`there is no round ${round}`);
    const isNew = round > this.#state.answered;
    // Before it says anything: after a restart it is not in this round again.
    if (isNew) this.#write({ ...this.#state, answered: round });
    const step = await this.#secure.answer(task, isNew, (context) => this.#update(context));
    if ('reason' in step) {
      if (step.reason !== undefined) onEvent?.({ type: 'refused', round, reason: step.reason });
      return;
    }
    if (this.#hasPaused()) return;
    if (step.request.masked) this.#note(round, 'masked', step.request.masked);
    const refused = await this.#sent((callback) =>
      this.#client.aggregate({ protocol: PROTOCOL, ...step.request }, new Metadata(), callbackOptions(), callback),
    );
    // That it is there already is what was wanted: only the answer was lost.
    if (refused && refused.code !== status.ALREADY_EXISTS) {
      this.#secure.withdraw();
      onEvent?.({ type: 'refused', round, reason: refused.details });
      return;
    }
    this.#secure.wasSent();
    if (step.request.masked) onEvent?.({ type: 'masked', round });
  }

  /** What training changes, clipped. */
  async #update({ round, baseVersion: base, clip }: { round: number; baseVersion: number; clip: number }) {
    const { model } = this.#options;
    if (base !== this.#state.seen)
      throw new FederationError(`round ${round} is about model ${base}, which is not here`);
    if (!(clip > 0 && Number.isFinite(clip))) throw new FederationError(`a clipping norm of ${clip} makes no sense`);
    const zero = new Float64Array(model.spec.dimension);
    const from = base === 0 ? zero : openModel(this.#file(base), this.#enrolled.modelKey).parameters;
    // Who has nothing to learn from sends nothing learned, and does not stand out.
    const trained = (await model.train(from)) ?? from;
    return toLattice(
      trained.map((value, n) => value - (from[n] ?? 0)),
      clip,
    );
  }

  /** @returns why it was not taken: too late, or it arrived before and only the answer was lost. The round goes on without */
  async #sent(call: Parameters<typeof unary<federation.SubmitResponse>>[0]): Promise<FederationCallError | undefined> {
    try {
      await unary(call);
      return undefined;
    } catch (error) {
      const { code } = error as FederationCallError;
      if (code !== status.FAILED_PRECONDITION && code !== status.ALREADY_EXISTS) throw error;
      return error as FederationCallError;
    }
  }

  #note(round: number, what: SentUpdate['what'], { length: bytes }: Uint8Array): void {
    noteSent(this.#options.folder, { round, what, numbers: this.#options.model.spec.dimension, bytes });
  }

  /** Who pauses drops out of the round. */
  #hasPaused(): boolean {
    if (!isPaused(this.#options.folder)) return false;
    this.#secure.withdraw();
    return true;
  }

  #file(version: number) {
    return fromFile(readFileSync(join(this.#options.folder, `model-${version}.json`), 'utf8'));
  }

  #write(state: ClientState): void {
    replaceDurably(join(this.#options.folder, 'state.json'), `${JSON.stringify({ format: 1, ...state })}\n`);
    this.#state = state;
  }
}

/** What an installation has done in a federation, and what that cost. */
export interface ClientReport extends ClientState {
  isPaused: boolean;
  /** By rounds with secure aggregation, as its own ledger says; undefined where there were none. */
  spent: Spending | undefined;
  /** Updates that left, the newest first. */
  sent: SentUpdate[];
}

/** How many updates a report lists. */
const LISTED = 100;

/** @returns undefined where there is no federation @throws FederationError */
export function readClient(folder: string): ClientReport | undefined {
  if (!isEnrolled(folder)) return undefined;
  return {
    ...readClientState(folder),
    isPaused: isPaused(folder),
    spent: readClientSpending(folder),
    sent: readSent(folder, LISTED),
  };
}

/** What a client has done so far. @throws FederationError */
function readClientState(folder: string): ClientState {
  const path = join(folder, 'state.json');
  if (!existsSync(path)) return { seen: 0, installed: 0, answered: 0 };
  try {
    const { format: _, ...state } = stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return state;
  } catch (error) {
    throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
  }
}
