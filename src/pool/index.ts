/** Skills on demand. */
export type { DraftLine, DraftListener } from './draft-line.ts';
export * from './errors.ts';
export type {
  CallObservation,
  LaunchKind,
  LaunchPhases,
  PoolEvent,
  SkillEvent,
  SkillLimits,
  SkillStatusReport,
} from './events.ts';
export type { BackoffPolicy, StopReason } from './lifecycle.ts';
export { ModelPool, type ModelPoolOptions, type SkillSettings } from './model-pool.ts';
export type { CallOptions } from './pending-call.ts';
export { SkillClient } from './skill-client.ts';
