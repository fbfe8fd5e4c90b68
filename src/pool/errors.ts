import type { StatusName } from '../skill/index.ts';

/** Every error of the pool and of calls through it. */
export class SkillCallError extends Error {
  override readonly name: string = 'SkillCallError';
  readonly skill: string;
  /** The gRPC status by name. */
  readonly code: StatusName;

  constructor(skill: string, code: StatusName, message: string, options?: ErrorOptions) {
    super(`skill ${skill}: ${message}`, options);
    this.skill = skill;
    this.code = code;
  }
}

/** There is no skill of this name, or its manifest is broken. */
export class SkillNotFoundError extends SkillCallError {
  override readonly name = 'SkillNotFoundError';

  constructor(skill: string, known: readonly string[], broken?: Error) {
    super(
      skill,
      'NOT_FOUND',
      broken
        ? `its manifest is broken: ${broken.message}`
        : `there is none of this name; there are: ${known.join(', ') || 'none'}`,
      { cause: broken },
    );
  }
}

/** The skill could not be started; carries what it logged last. */
export class SkillLaunchError extends SkillCallError {
  override readonly name = 'SkillLaunchError';
  readonly logLines: readonly string[];

  constructor(skill: string, message: string, logLines: readonly string[], options?: ErrorOptions) {
    const log = logLines.length > 0 ? `\nlast log lines:\n${logLines.map((line) => `  ${line}`).join('\n')}` : '';
    super(skill, 'UNAVAILABLE', `${message}${log}`, options);
    this.logLines = logLines;
  }
}

/** The skill is not there now; the call may be tried again, after `retryAfterMs` milliseconds where that is known. */
export class SkillUnavailableError extends SkillCallError {
  override readonly name = 'SkillUnavailableError';
  readonly retryAfterMs: number | undefined;

  constructor(skill: string, message: string, options?: ErrorOptions & { retryAfterMs?: number }) {
    super(skill, 'UNAVAILABLE', message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** No answer within the deadline. */
export class SkillTimeoutError extends SkillCallError {
  override readonly name = 'SkillTimeoutError';
  readonly timeoutMs: number;

  constructor(skill: string, timeoutMs: number, doing: string) {
    super(skill, 'DEADLINE_EXCEEDED', `no answer within ${timeoutMs} ms (${doing})`);
    this.timeoutMs = timeoutMs;
  }
}
