import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { health } from '../contract/index.ts';
import type { Dispatcher } from './dispatcher.ts';

const Status = health.HealthCheckResponse_ServingStatus;
type Status = health.HealthCheckResponse_ServingStatus;
type Request = health.HealthCheckRequest;
type Response = health.HealthCheckResponse;

/** How often a watched skill's own health is looked at, in milliseconds; the host's changes are pushed at once. */
const WATCH_INTERVAL_MS = 250;

const KNOWN_SERVICES = new Set(['', 'sarai.skills.SkillService', 'grpc.health.v1.Health']);

/**
 * grpc.health.v1.Health over the skill's own health.
 *
 * Not the `grpc-health-check` package: that one parses its .proto file when it is loaded, which costs a fifth of the launch
 * time, and cannot be bundled into one file.
 */
export class HealthService {
  readonly #dispatcher: Dispatcher;
  readonly #watchers = new Set<() => void>();

  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  readonly implementation: health.HealthServer = {
    check: (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      if (!KNOWN_SERVICES.has(call.request.service)) {
        callback({ code: 5, details: `this skill serves no "${call.request.service}"` });
        return;
      }
      callback(null, { status: this.#status() });
    },
    watch: (call: ServerWritableStream<Request, Response>) => this.#watch(call),
  };

  /** Tells the watchers of a change at once. */
  notify(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #status(): Status {
    return this.#dispatcher.health().serving ? Status.SERVING : Status.NOT_SERVING;
  }

  #watch(call: ServerWritableStream<Request, Response>): void {
    const known = KNOWN_SERVICES.has(call.request.service);
    let last: Status | undefined;
    const send = () => {
      const status = known ? this.#status() : Status.SERVICE_UNKNOWN;
      if (status === last) return;
      last = status;
      call.write({ status });
    };
    const timer = setInterval(send, WATCH_INTERVAL_MS);
    const stop = () => {
      clearInterval(timer);
      this.#watchers.delete(send);
    };
    this.#watchers.add(send);
    call.on('cancelled', stop).on('close', stop).on('error', stop);
    send();
  }
}
