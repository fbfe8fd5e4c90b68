/** gRPC status codes by name, without loading grpc-js: https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
import { SkillError } from './handler.ts';

export const STATUS_CODES = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type StatusName = keyof typeof STATUS_CODES;

const NAMES = new Map<number, StatusName>(
  Object.entries(STATUS_CODES).map(([name, code]) => [code, name as StatusName]),
);

/** The name of a status code; UNKNOWN for a number that is none. */
export function statusName(code: number): StatusName {
  return NAMES.get(code) ?? 'UNKNOWN';
}

/**
 * What the caller is told of an exception of the handler. A handler is bundled apart from the host, so its SkillError is
 * another class: the status field decides, not instanceof.
 */
export function toSkillError(error: unknown): SkillError {
  if (error instanceof SkillError) return error;
  if (error instanceof Error) {
    const { status } = error as { status?: unknown };
    if (typeof status === 'string' && status in STATUS_CODES && status !== 'OK') {
      return new SkillError(status as SkillError['status'], error.message, { cause: error });
    }
    return new SkillError('INTERNAL', error.message, { cause: error });
  }
  return new SkillError('INTERNAL', String(error));
}
