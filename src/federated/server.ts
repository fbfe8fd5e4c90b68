/** The coordinator on the network: one port for enrolment, one, with mutual TLS, for everything else. */
import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { federation } from '../contract/index.ts';
import type { Identity } from '../x509.ts';
import { certify, fingerprintOf } from './certificates.ts';
import { Coordinator, type CoordinatorStatus, type RoundSettings } from './coordinator.ts';
import { FederationError } from './error.ts';
import { Membership } from './membership.ts';
import type { ModelSpec } from './model.ts';
import type { Policy } from './privacy/index.ts';
import { PROTOCOL } from './protocol.ts';
import { readSecrets, type Secrets, writeAddress } from './secrets.ts';
import { MAX_CLIENTS } from './secure/index.ts';
import { SubmissionError } from './submission-error.ts';

/** Longest time that a poll waits, in milliseconds. */
const MAX_WAIT_MS = 60_000;
/** Beside an update, what a message carries. */
const MESSAGE_OVERHEAD = 4096;
/** What a client deals to another, at most. */
const MAX_SHARE = 256;
/** Messages of an enrolment are small. */
const MAX_ENROLMENT = 16_384;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface FederationServerOptions {
  folder: string;
  spec: ModelSpec;
  settings: RoundSettings;
  policy: Policy;
  host: string;
  /** 0: a free one. */
  port: number;
  enrolmentPort: number;
  /** Names or addresses under which clients reach it. Default: `host`. */
  publicHost?: string;
  onEvent?: (event: FederationEvent) => void;
}

export type FederationEvent =
  | { type: 'enrolled'; client: string }
  | { type: 'round'; status: CoordinatorStatus }
  | { type: 'exhausted'; status: CoordinatorStatus }
  | { type: 'abandoned'; round: number; reason: string }
  | { type: 'failed'; error: Error };

/** A coordinator that listens. */
export class FederationServer implements AsyncDisposable {
  readonly coordinator: Coordinator;
  readonly #options: FederationServerOptions;
  readonly #members: Membership;
  readonly #authority: Identity;
  readonly #servers: Server[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** Settled, and made anew, whenever something is new. */
  #news = Promise.withResolvers<void>();
  #port = 0;
  #isClosed = false;
  #ticking = Promise.resolve();

  private constructor(options: FederationServerOptions, secrets: Secrets) {
    this.#options = options;
    this.#authority = secrets.authority;
    this.#members = new Membership(options.folder);
    const { folder, spec, settings, policy } = options;
    this.coordinator = new Coordinator({
      ...{ folder, spec, settings, policy, members: this.#members, keys: secrets.keys },
      authority: secrets.authority.certificate,
      onAbandoned: (round, reason) => options.onEvent?.({ type: 'abandoned', round, reason }),
    });
  }

  /** @throws FederationError, LedgerError */
  static async start(options: FederationServerOptions): Promise<FederationServer> {
    const secrets = await readSecrets(options.folder);
    const server = new FederationServer(options, secrets);
    await server.#listen(secrets);
    await server.#tick();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#ticking;
    this.#news.resolve();
    await Promise.all(
      this.#servers.map(
        (server) =>
          new Promise<void>((resolve) => {
            const force = setTimeout(() => server.forceShutdown(), 500);
            server.tryShutdown(() => {
              clearTimeout(force);
              resolve();
            });
          }),
      ),
    );
  }

  async #listen({ authority, server }: Secrets): Promise<void> {
    const pair = { private_key: Buffer.from(server.key), cert_chain: Buffer.from(server.certificate) };
    const main = new Server({
      'grpc.max_receive_message_length':
        Math.max(this.#options.spec.dimension * 8, this.#isSecure ? MAX_CLIENTS * MAX_SHARE : 0) + MESSAGE_OVERHEAD,
      'grpc.max_send_message_length': -1,
    });
    main.addService(federation.FederationService, {
      poll: this.#answer((call: Poll, client) => this.#poll(call, client)),
      submit: this.#answer((call: Submit, client) => this.#submit(call.request, client)),
      aggregate: this.#answer((call: Aggregate, client) => this.#aggregate(call.request, client)),
    });
    const enrolment = new Server({ 'grpc.max_receive_message_length': MAX_ENROLMENT });
    enrolment.addService(federation.EnrolmentService, { enrol: this.#enrol });
    this.#servers.push(main, enrolment);
    const { host, port, enrolmentPort } = this.#options;
    const mutual = ServerCredentials.createSsl(Buffer.from(authority.certificate), [pair], true);
    this.#port = await bind(main, host, port, mutual);
    const enrolmentAt = await bind(enrolment, host, enrolmentPort, ServerCredentials.createSsl(null, [pair], false));
    writeAddress(this.#options.folder, {
      ...{ host: this.#options.publicHost ?? host, port: this.#port, enrolmentPort: enrolmentAt },
      ...(this.#isSecure && { secure: true }),
    });
  }

  /** Answers a call of a client that is known, or says why not. */
  #answer<Request, Response>(
    handle: (call: ServerUnaryCall<Request, Response>, client: string) => Response | Promise<Response>,
  ) {
    return async (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>): Promise<void> => {
      try {
        const certificate = call.getAuthContext()?.sslPeerCertificate?.raw;
        const client = certificate && this.#members.clientOf(fingerprintOf(certificate));
        if (client === undefined)
          throw refusal(status.PERMISSION_DENIED, 'this client was removed from the federation');
        const { protocol } = call.request as { protocol?: number };
        if (protocol !== PROTOCOL)
          throw refusal(
            status.FAILED_PRECONDITION,
            `this coordinator speaks version ${PROTOCOL}, not ${protocol}: update one of the two`,
          );
        callback(null, await handle(call, client));
      } catch (error) {
        callback(this.#toStatus(error), null);
      }
    };
  }

  async #poll({ request }: Poll, client: string): Promise<federation.PollResponse> {
    const ends = Date.now() + Math.min(request.waitMs, MAX_WAIT_MS);
    while (true) {
      const news = this.#news.promise;
      const task = this.coordinator.taskOf(client);
      const isNewTask = task !== undefined && BigInt(task.round) !== request.knownRound;
      const secure = this.coordinator.secureTaskOf(client);
      const isNewStage =
        secure !== undefined && (secure.round !== request.knownRound || secure.stage > request.knownStage);
      const isNewModel = BigInt(this.coordinator.version) > request.haveVersion;
      const left = ends - Date.now();
      if (isNewTask || isNewStage || isNewModel || left <= 0 || this.#isClosed) {
        return {
          model: isNewModel ? this.coordinator.model : undefined,
          task: task && {
            round: BigInt(task.round),
            baseVersion: BigInt(task.baseVersion),
            clip: task.clip,
            remainingMs: Math.min(2 ** 32 - 1, Math.floor(task.remainingMs)),
          },
          secure: isNewStage ? secure : undefined,
        };
      }
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, left);
      await Promise.race([news, late]);
      clearTimeout(timer);
    }
  }

  #submit({ round, baseVersion, update }: federation.SubmitRequest, client: string): federation.SubmitResponse {
    this.coordinator.submit(client, { round: Number(round), baseVersion: Number(baseVersion), bytes: update });
    return {};
  }

  #aggregate(request: federation.AggregateRequest, client: string): federation.SubmitResponse {
    if (this.coordinator.aggregate(client, request)) void this.#tick();
    return {};
  }

  readonly #enrol = async (
    { request }: ServerUnaryCall<federation.EnrolRequest, federation.EnrolResponse>,
    callback: sendUnaryData<federation.EnrolResponse>,
  ): Promise<void> => {
    try {
      if (request.protocol !== PROTOCOL)
        throw refusal(
          status.FAILED_PRECONDITION,
          `this coordinator speaks version ${PROTOCOL}, not ${request.protocol}`,
        );
      // Nothing is computed for who has no invitation.
      if (!this.#members.isInvited(request.secret))
        throw refusal(status.PERMISSION_DENIED, 'the invitation is unknown, used or expired: ask for another one');
      const client = randomUUID();
      const certificate = await certify(this.#authority, request.certificateRequest, client);
      this.#members.enrol(request.secret, { id: client, fingerprint: fingerprintOf(certificate) });
      this.#options.onEvent?.({ type: 'enrolled', client });
      callback(null, { certificate: Buffer.from(certificate) });
      // The first ones let rounds begin.
      void this.#tick();
    } catch (error) {
      callback(this.#toStatus(error), null);
    }
  };

  /** One after the other: taking masks off takes a while. */
  #tick(): Promise<void> {
    this.#ticking = this.#ticking.then(() => this.#tickOnce());
    return this.#ticking;
  }

  async #tickOnce(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    try {
      const before = this.coordinator.version;
      const next = await this.coordinator.tick();
      const { onEvent } = this.#options;
      const now = this.coordinator.status();
      if (now.version > before) onEvent?.({ type: 'round', status: now });
      const wait = (next ?? 0) - Date.now();
      if (next === undefined) onEvent?.({ type: 'exhausted', status: now });
      else if (!this.#isClosed)
        this.#timer = setTimeout(() => void this.#tick(), Math.min(LONGEST_TIMER_MS, Math.max(0, wait)));
    } catch (error) {
      this.#options.onEvent?.({ type: 'failed', error: error as Error });
    }
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  get #isSecure(): boolean {
    return this.#options.settings.mode === 'secure';
  }

  #toStatus(error: unknown) {
    if (error instanceof SubmissionError) return { code: SUBMISSION_STATUS[error.kind], details: error.message };
    if (error instanceof FederationError) return { code: status.INVALID_ARGUMENT, details: error.message };
    if ((error as { code?: unknown }).code !== undefined && (error as { details?: unknown }).details !== undefined)
      return error as { code: status; details: string };
    this.#options.onEvent?.({ type: 'failed', error: error as Error });
    return { code: status.INTERNAL, details: 'the coordinator failed; its log says why' };
  }
}

type Poll = ServerUnaryCall<federation.PollRequest, federation.PollResponse>;
type Submit = ServerUnaryCall<federation.SubmitRequest, federation.SubmitResponse>;
type Aggregate = ServerUnaryCall<federation.AggregateRequest, federation.SubmitResponse>;

const SUBMISSION_STATUS = {
  malformed: status.INVALID_ARGUMENT,
  late: status.FAILED_PRECONDITION,
  uninvited: status.FAILED_PRECONDITION,
  duplicate: status.ALREADY_EXISTS,
} as const;

function bind(server: Server, host: string, port: number, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host.includes(':') ? `[${host}]` : host}:${port}`, credentials, (error, bound) =>
      error ? reject(new FederationError(`${host}:${port} cannot be listened on: ${error.message}`)) : resolve(bound),
    );
  });
}

function refusal(code: status, details: string) {
  return { code, details };
}
