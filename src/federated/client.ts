/** A client of a federation: takes models that the coordinator signed, and sends clipped updates when it is asked. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { z } from 'zod';
import { federation } from '../contract/index.ts';
import { COORDINATOR_TLS_NAME, createRequest, toPem } from './certificates.ts';
import { replaceDurably } from './durable.ts';
import { FederationError } from './error.ts';
import { decodeInvitation } from './invitation.ts';
import type { FederatedModel } from './model.ts';
import { toLattice } from './privacy/index.ts';
import { encodeUpdate, isSameSpec, PROTOCOL } from './protocol.ts';
import { fromFile, type ModelStatement, openModel, type ReleasedModel, toFile } from './signed-model.ts';

const CALL_TIMEOUT_MS = 30_000;
/** A model whose loss here is this much higher than that of the present one is not used. */
const TOLERATED = 1.02;

const membershipSchema = z.strictObject({
  format: z.literal(1),
  host: z.string(),
  port: z.int(),
  authority: z.string(),
  modelKey: z.string(),
  certificate: z.string(),
  key: z.string(),
});
type Enrolled = z.output<typeof membershipSchema>;

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
  | { type: 'refused'; round: number; reason: string };

/** Whether this installation belongs to a federation. */
export function isEnrolled(folder: string): boolean {
  return existsSync(join(folder, 'enrolment.json'));
}

/** Forgets the federation: certificate, models and state. */
export function removeEnrolment(folder: string): void {
  for (const name of readdirSync(folder)) if (name.endsWith('.json')) rmSync(join(folder, name));
}

/**
 * Enrols this installation. The key of its certificate is made here and stays here.
 *
 * @throws FederationError when the invitation holds no longer, or nobody answers
 */
export async function enrol(folder: string, invitation: string): Promise<void> {
  const { host, port, enrolmentPort, authority, modelKey, secret } = decodeInvitation(invitation);
  const { key, request } = await createRequest();
  const client = new federation.EnrolmentClient(
    addressOf(host, enrolmentPort),
    credentials.createSsl(Buffer.from(authority)),
    TLS_OPTIONS,
  );
  try {
    const { certificate } = await unary<federation.EnrolResponse>((callback) =>
      client.enrol(
        { protocol: PROTOCOL, secret, certificateRequest: Buffer.from(request) },
        new Metadata(),
        callbackOptions(),
        callback,
      ),
    );
    const enrolled: Enrolled = {
      format: 1,
      host,
      port,
      authority,
      modelKey,
      key,
      certificate: await toPem(certificate),
    };
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    replaceDurably(join(folder, 'enrolment.json'), `${JSON.stringify(enrolled)}\n`);
  } finally {
    client.close();
  }
}

export interface FederationClientOptions {
  folder: string;
  model: FederatedModel;
  onEvent?: (event: ClientEvent) => void;
}

export class FederationClient implements Disposable {
  readonly #options: FederationClientOptions;
  readonly #enrolled: Enrolled;
  readonly #client: federation.FederationClient;
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
      { ...TLS_OPTIONS, 'grpc.max_receive_message_length': options.model.spec.dimension * 8 + 65_536 },
    );
    this.#state = readClientState(options.folder);
  }

  get state(): ClientState {
    return this.#state;
  }

  /** The model that is used; undefined for what Phoenix came with. */
  installed(): ReleasedModel | undefined {
    const { installed } = this.#state;
    return installed === 0 ? undefined : openModel(this.#file(installed), this.#enrolled.modelKey);
  }

  /**
   * Asks once for what is new, and does it: a model is tried and used, or not; a task is answered.
   *
   * @param waitMs how long the coordinator may wait for something new
   * @throws FederationError when the coordinator cannot be reached, or says nonsense
   */
  async step(waitMs: number, signal?: AbortSignal): Promise<void> {
    const { seen, answered } = this.#state;
    const { model, task } = await unary<federation.PollResponse>(
      (callback) =>
        this.#client.poll(
          { protocol: PROTOCOL, haveVersion: BigInt(seen), waitMs, knownRound: BigInt(answered) },
          new Metadata(),
          callbackOptions(waitMs),
          callback,
        ),
      signal,
    );
    if (model) await this.#take(openModel(model, this.#enrolled.modelKey), toFile(model));
    if (task && Number(task.round) > this.#state.answered) await this.#answer(task);
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
    const { model, onEvent } = this.#options;
    const round = Number(task.round);
    const base = Number(task.baseVersion);
    if (base !== this.#state.seen)
      throw new FederationError(`round ${round} is about model ${base}, which is not here`);
    if (!(task.clip > 0 && Number.isFinite(task.clip)))
      throw new FederationError(`a clipping norm of ${task.clip} makes no sense`);
    const zero = new Float64Array(model.spec.dimension);
    const from = base === 0 ? zero : openModel(this.#file(base), this.#enrolled.modelKey).parameters;
    // Who has nothing to learn from sends nothing learned, and does not stand out.
    const trained = (await model.train(from)) ?? from;
    const update = trained.map((value, n) => value - (from[n] ?? 0));
    const bytes = encodeUpdate(toLattice(update, task.clip));
    try {
      await unary<federation.SubmitResponse>((callback) =>
        this.#client.submit(
          { protocol: PROTOCOL, round: task.round, baseVersion: task.baseVersion, update: bytes },
          new Metadata(),
          callbackOptions(),
          callback,
        ),
      );
      onEvent?.({ type: 'submitted', round });
    } catch (error) {
      // Too late, or it arrived before and only the answer was lost: the round goes on without.
      const { code, details } = error as FederationCallError;
      if (code !== status.FAILED_PRECONDITION && code !== status.ALREADY_EXISTS) throw error;
      onEvent?.({ type: 'refused', round, reason: details });
    }
    this.#write({ ...this.#state, answered: round });
  }

  #file(version: number) {
    return fromFile(readFileSync(join(this.#options.folder, `model-${version}.json`), 'utf8'));
  }

  #write(state: ClientState): void {
    replaceDurably(join(this.#options.folder, 'state.json'), `${JSON.stringify({ format: 1, ...state })}\n`);
    this.#state = state;
  }
}

/** The coordinator did not do what it was asked. */
class FederationCallError extends FederationError {
  readonly code: status;
  readonly details: string;

  constructor({ code, details }: ServiceError) {
    super(
      `the coordinator of the federation ${code === status.UNAVAILABLE ? 'cannot be reached' : 'refused'}: ${details}`,
    );
    this.code = code;
    this.details = details;
  }
}

/** What a client has done so far. @throws FederationError */
export function readClientState(folder: string): ClientState {
  const path = join(folder, 'state.json');
  if (!existsSync(path)) return { seen: 0, installed: 0, answered: 0 };
  try {
    const { format: _, ...state } = stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return state;
  } catch (error) {
    throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function readEnrolment(folder: string): Enrolled {
  const path = join(folder, 'enrolment.json');
  if (!existsSync(path))
    throw new FederationError('this installation belongs to no federation: join with an invitation');
  try {
    return membershipSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new FederationError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

const TLS_OPTIONS = {
  'grpc.ssl_target_name_override': COORDINATOR_TLS_NAME,
  'grpc.default_authority': COORDINATOR_TLS_NAME,
} as const;

function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function callbackOptions(waitMs = 0) {
  return { deadline: Date.now() + waitMs + CALL_TIMEOUT_MS };
}

function unary<Response>(
  call: (callback: (error: ServiceError | null, response: Response) => void) => { cancel(): void },
  signal?: AbortSignal,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const running = call((error, response) => (error ? reject(new FederationCallError(error)) : resolve(response)));
  const cancel = () => running.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return promise.finally(() => signal?.removeEventListener('abort', cancel));
}
