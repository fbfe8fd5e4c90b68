/** Skills on demand. */
export * from './errors.ts';
export type { CallObservation, LaunchKind, PoolEvent, SkillStatusReport } from './events.ts';
export type { BackoffPolicy, StopReason } from './lifecycle.ts';
export { ModelPool, type ModelPoolOptions, type SkillSettings } from './model-pool.ts';
export { type CallOptions, SkillClient } from './skill-client.ts';
