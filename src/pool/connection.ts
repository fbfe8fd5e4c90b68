import {
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
  credentials,
  Metadata,
} from '@grpc/grpc-js';
import {
  type DraftRequest,
  type DraftResponse,
  type HealthCheckResponse,
  health,
  type MetricsResponse,
  type ServerHello,
  SkillServiceClient,
} from '../contract/index.ts';
import { type Endpoint, type Instance, SKILL_TLS_NAME } from '../runtimes/index.ts';
import { untilAccepting } from './accepting.ts';
import { SkillSession } from './session.ts';

const Status = health.HealthCheckResponse_ServingStatus;
const MAX_RECEIVE_BYTES = 64 * 1024 ** 2;

/** A gRPC channel to one instance: its session, its health, its metrics. Never used for another instance. */
export class SkillConnection {
  readonly session: SkillSession;
  readonly hello: ServerHello;
  readonly #client: SkillServiceClient;
  readonly #health: health.HealthClient;
  readonly #watch: ClientReadableStream<health.HealthCheckResponse>;
  readonly #drafts = new Set<ClientDuplexStream<DraftRequest, DraftResponse>>();
  #onNotServing: (() => void) | undefined;

  /**
   * Connects to an instance and waits until it serves.
   *
   * @param signal ends the wait
   * @throws Error when the identity is not the expected one
   */
  static async open(instance: Instance, signal: AbortSignal): Promise<SkillConnection> {
    await untilAccepting(instance.endpoint, signal);
    // Only now: a channel that dials too early waits out its reconnection backoff.
    const { address, security } = dialling(instance.endpoint);
    const options = {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
      'grpc.max_send_message_length': -1,
      // Instances come and go on one address: nothing may be shared between their channels.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.ssl_target_name_override': SKILL_TLS_NAME,
    };
    const client = new SkillServiceClient(address, security, options);
    const healthClient = new health.HealthClient(address, security, {
      channelOverride: client.getChannel(),
    });
    const session = new SkillSession(client, instance.ownerToken);
    const serving = healthClient.watch({ service: '' });
    const onAbort = () => {
      session.close();
      serving.cancel();
    };
    signal.addEventListener('abort', onAbort);
    try {
      const [hello] = await Promise.all([session.hello, untilServing(serving)]);
      if (
        hello.skill !== instance.skill ||
        hello.fingerprint !== instance.fingerprint ||
        hello.instanceId !== instance.instanceId
      ) {
        throw new Error(
          `the socket answers as ${hello.skill} (${hello.instanceId}), not as the skill that was launched`,
        );
      }
      return new SkillConnection(client, healthClient, session, serving, hello);
    } catch (error) {
      onAbort();
      client.close();
      throw signal.aborted ? signal.reason : error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  private constructor(
    client: SkillServiceClient,
    healthClient: health.HealthClient,
    session: SkillSession,
    serving: ClientReadableStream<health.HealthCheckResponse>,
    hello: ServerHello,
  ) {
    this.#client = client;
    this.#health = healthClient;
    this.session = session;
    this.#watch = serving;
    this.hello = hello;
    serving.on('data', ({ status }: health.HealthCheckResponse) => {
      if (status !== Status.SERVING) this.#onNotServing?.();
    });
    serving.on('error', () => {});
  }

  /** Called when the skill says that it does not serve any more. */
  onNotServing(callback: () => void): void {
    this.#onNotServing = callback;
  }

  check(timeoutMs: number): Promise<HealthCheckResponse> {
    return new Promise((resolve, reject) => {
      this.#client.check({ service: '' }, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  metrics(timeoutMs: number): Promise<MetricsResponse> {
    return new Promise((resolve, reject) => {
      this.#client.getMetrics({}, new Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) =>
        error ? reject(error) : resolve(response),
      );
    });
  }

  /** @param traceparent of the trace that the stream is part of */
  draft(traceparent?: string): ClientDuplexStream<DraftRequest, DraftResponse> {
    const metadata = new Metadata();
    if (traceparent !== undefined) metadata.set('traceparent', traceparent);
    const stream = this.#client.draft(metadata);
    this.#drafts.add(stream);
    stream.on('status', () => this.#drafts.delete(stream));
    return stream;
  }

  close(): void {
    this.session.close();
    for (const stream of this.#drafts) stream.cancel();
    this.#watch.cancel();
    this.#health.close();
    this.#client.close();
  }
}

async function untilServing(serving: ClientReadableStream<health.HealthCheckResponse>): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    serving.on('data', ({ status }: health.HealthCheckResponse) => {
      if (status === Status.SERVING) resolve();
    });
    serving.on('error', reject);
    serving.on('end', () => reject(new Error('the skill ended its health watch')));
  });
}

function dialling(endpoint: Endpoint): { address: string; security: ChannelCredentials } {
  if (endpoint.kind === 'unix') return { address: `unix:${endpoint.path}`, security: credentials.createInsecure() };
  const { serverCertificate, key, certificate } = endpoint.tls;
  return {
    address: `127.0.0.1:${endpoint.port}`,
    security: credentials.createSsl(Buffer.from(serverCertificate), Buffer.from(key), Buffer.from(certificate)),
  };
}
