/** The validation checklist of the source document. */
export type { Result } from './check.ts';
export { type CheckResult, type VerifyOptions, verify } from './verify.ts';
