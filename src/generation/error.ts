/**
 * `no_model`: none is configured, or it cannot be loaded. `context_length_exceeded`: prompt and answer do not fit. `invalid`: a
 * setting or grammar that makes no sense. `busy`: too many wait already.
 */
export type GenerationErrorCode = 'no_model' | 'context_length_exceeded' | 'invalid' | 'busy';

/** Why nothing is generated. Nothing was changed. */
export class GenerationError extends Error {
  override readonly name = 'GenerationError';
  readonly code: GenerationErrorCode;
  /** The setting that is wrong, where it is one. */
  readonly param: string | undefined;

  constructor(code: GenerationErrorCode, message: string, options: { param?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.param = options.param;
  }
}
