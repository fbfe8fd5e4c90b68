/** Calls of a client to its coordinator. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { COORDINATOR_TLS_NAME } from './certificates.ts';
import { FederationError } from './error.ts';

const CALL_TIMEOUT_MS = 30_000;

export const TLS_OPTIONS = {
  'grpc.ssl_target_name_override': COORDINATOR_TLS_NAME,
  'grpc.default_authority': COORDINATOR_TLS_NAME,
} as const;

/** The coordinator did not do what it was asked. */
export class FederationCallError extends FederationError {
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

export function addressOf(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function callbackOptions(waitMs = 0) {
  return { deadline: Date.now() + waitMs + CALL_TIMEOUT_MS };
}

export function unary<Response>(
  call: (callback: (error: ServiceError | null, response: Response) => void) => { cancel(): void },
  signal?: AbortSignal,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const running = call((error, response) => (error ? reject(new FederationCallError(error)) : resolve(response)));
  const cancel = () => running.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  return promise.finally(() => signal?.removeEventListener('abort', cancel));
}
