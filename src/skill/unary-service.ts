import { Metadata, type ServerUnaryCall, type ServerWritableStream, type sendUnaryData } from '@grpc/grpc-js';
import {
  type HealthCheckRequest,
  type HealthCheckResponse,
  type InferRequest,
  type InferResponse,
  type MetricsRequest,
  type MetricsResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type SkillServiceServer,
} from '../contract/index.ts';
import { Call, type Dispatcher } from './dispatcher.ts';
import type { SkillError } from './handler.ts';
import type { LaunchConfig } from './launch-config.ts';
import { STATUS_CODES, toSkillError } from './status.ts';

const NO_GRANTS: ReadonlySet<string> = new Set();

/** The part of SkillService that answers one call per gRPC call: what every stock client uses. */
export function createUnaryService(
  dispatcher: Dispatcher,
  config: Pick<LaunchConfig, 'skill' | 'version' | 'isolation' | 'requestTimeoutMs'>,
): Omit<SkillServiceServer, 'session' | symbol | number> & Pick<SkillServiceServer, 'infer'> {
  const open = (call: ServerUnaryCall<InferRequest, unknown> | ServerWritableStream<InferRequest, unknown>): Call => {
    const metadata = new Metadata();
    metadata.set('x-skill', `${config.skill}/${config.version}`);
    metadata.set('x-skill-isolation', config.isolation);
    call.sendMetadata(metadata);
    const opened = new Call({ request: call.request, timeoutMs: timeoutOf(call), grants: NO_GRANTS });
    call.on('cancelled', () => dispatcher.cancel(opened));
    return opened;
  };
  const timeoutOf = (call: { getDeadline(): Date | number }): number => {
    const deadline = Number(call.getDeadline());
    return Number.isFinite(deadline) ? deadline - Date.now() : config.requestTimeoutMs;
  };
  return {
    async infer(call: ServerUnaryCall<InferRequest, InferResponse>, callback: sendUnaryData<InferResponse>) {
      try {
        callback(null, await dispatcher.run(open(call)));
      } catch (error) {
        callback(toServiceError(error));
      }
    },
    async inferStream(call: ServerWritableStream<InferRequest, InferResponse>) {
      try {
        for await (const piece of dispatcher.stream(open(call))) {
          if (!call.write(piece))
            await new Promise((resolve) => call.once('drain', resolve).once('cancelled', resolve));
        }
        call.end();
      } catch (error) {
        call.emit('error', toServiceError(error));
      }
    },
    check(
      call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
      callback: sendUnaryData<HealthCheckResponse>,
    ) {
      const { service } = call.request;
      if (service !== '' && service !== 'sarai.skills.SkillService') {
        callback(null, { status: ServingStatus.SERVICE_UNKNOWN, message: `this skill serves no "${service}"` });
        return;
      }
      const health = dispatcher.health();
      callback(null, {
        status: health.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING,
        message: health.message ?? '',
      });
    },
    getMetrics(_call: ServerUnaryCall<MetricsRequest, MetricsResponse>, callback: sendUnaryData<MetricsResponse>) {
      callback(null, dispatcher.metrics());
    },
  };
}

/** The gRPC error of an exception. */
function toServiceError(error: unknown): Error & { code: number; details: string } {
  const { status, message }: SkillError = toSkillError(error);
  return Object.assign(new Error(message), { code: STATUS_CODES[status], details: message });
}
