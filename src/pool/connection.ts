import { existsSync, watch } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, dirname } from 'node:path';
import { type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js';
import {
  type HealthCheckResponse,
  health,
  type MetricsResponse,
  type ServerHello,
  SkillServiceClient,
} from '../contract/index.ts';
import type { Instance } from '../runtimes/index.ts';
import { SkillSession } from './session.ts';

const Status = health.HealthCheckResponse_ServingStatus;
const MAX_RECEIVE_BYTES = 64 * 1024 ** 2;
/** How long to wait before connecting again to a socket that exists but does not accept yet, in milliseconds. */
const ACCEPT_RETRY_MS = 2;

/** A gRPC channel to one instance: its session, its health, its metrics. Never used for another instance. */
export class SkillConnection {
  readonly session: SkillSession;
  readonly hello: ServerHello;
  readonly #client: SkillServiceClient;
  readonly #health: health.HealthClient;
  readonly #watch: ClientReadableStream<health.HealthCheckResponse>;
  #onNotServing: (() => void) | undefined;

  /**
   * Connects to an instance and waits until it serves.
   *
   * @param signal ends the wait
   * @throws Error when the identity is not the expected one
   */
  static async open(instance: Instance, signal: AbortSignal): Promise<SkillConnection> {
    await untilAccepting(instance.socketPath, signal);
    // Only now: a channel that dials too early waits out its reconnection backoff.
    const address = `unix:${instance.socketPath}`;
    const options = {
      'grpc.initial_reconnect_backoff_ms': 50,
      'grpc.max_receive_message_length': MAX_RECEIVE_BYTES,
      'grpc.max_send_message_length': -1,
      // Instances come and go on one address: nothing may be shared between their channels.
      'grpc.use_local_subchannel_pool': 1,
    };
    const client = new SkillServiceClient(address, credentials.createInsecure(), options);
    const healthClient = new health.HealthClient(address, credentials.createInsecure(), {
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

  close(): void {
    this.session.close();
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

/** Resolves as soon as the socket accepts a connection. */
async function untilAccepting(path: string, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    if (await accepts(path)) return;
    if (existsSync(path)) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
    else await untilThere(path, signal);
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function untilThere(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      watcher.close();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      finish();
      reject(signal.reason);
    };
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) {
        finish();
        resolve();
      }
    });
    watcher.on('error', (error) => {
      finish();
      reject(error);
    });
    signal.addEventListener('abort', onAbort);
    // It may have appeared before the watch began.
    if (existsSync(path)) {
      finish();
      resolve();
    }
  });
}
