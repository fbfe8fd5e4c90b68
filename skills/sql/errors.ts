import { SkillError, type SkillStatus } from 'phoenix/skill';

/** Primary result codes (https://www.sqlite.org/rescode.html). */
const STATUS: Record<number, SkillStatus> = {
  1: 'INVALID_ARGUMENT', // ERROR: syntax, unknown table
  3: 'PERMISSION_DENIED', // PERM
  5: 'UNAVAILABLE', // BUSY
  6: 'UNAVAILABLE', // LOCKED
  7: 'RESOURCE_EXHAUSTED', // NOMEM
  8: 'FAILED_PRECONDITION', // READONLY
  9: 'CANCELLED', // INTERRUPT
  10: 'INTERNAL', // IOERR
  11: 'DATA_LOSS', // CORRUPT
  13: 'RESOURCE_EXHAUSTED', // FULL
  18: 'RESOURCE_EXHAUSTED', // TOOBIG
  19: 'FAILED_PRECONDITION', // CONSTRAINT
  20: 'INVALID_ARGUMENT', // MISMATCH
  23: 'PERMISSION_DENIED', // AUTH
  25: 'INVALID_ARGUMENT', // RANGE
  26: 'DATA_LOSS', // NOTADB
};
const CONSTRAINT_UNIQUE = 2067;
const CONSTRAINT_PRIMARYKEY = 1555;
const CONSTRAINT_ROWID = 2579;

/** The gRPC status for what SQLite, or Node's binding of it, threw. */
export function toSqlError(error: unknown, deniedReason: string | undefined): SkillError {
  if (error instanceof SkillError) return error;
  const { code, errcode, message } = error as Error & { code?: string; errcode?: number };
  if (errcode === undefined) {
    // The binding itself refuses: unknown parameter, no statement.
    return new SkillError(code?.startsWith('ERR_') ? 'INVALID_ARGUMENT' : 'INTERNAL', message, { cause: error });
  }
  if (deniedReason !== undefined) return new SkillError('PERMISSION_DENIED', deniedReason, { cause: error });
  if ([CONSTRAINT_UNIQUE, CONSTRAINT_PRIMARYKEY, CONSTRAINT_ROWID].includes(errcode)) {
    return new SkillError('ALREADY_EXISTS', message, { cause: error });
  }
  return new SkillError(STATUS[errcode & 0xff] ?? 'INTERNAL', message, { cause: error });
}

/** Whether the file itself is damaged, or no database at all. */
export function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && [11, 26].includes(errcode & 0xff);
}
