/** What runs inside a skill. */

export { LATENCY_BOUNDS } from './call-metrics.ts';
export {
  type CallContext,
  type DraftCall,
  type Drafter,
  type DraftSession,
  type DraftSettings,
  defineSkill,
  type SkillAnswer,
  type SkillContext,
  SkillError,
  type SkillFactory,
  type SkillHandler,
  type SkillHealth,
  type SkillLog,
  type SkillStatus,
} from './handler.ts';
export type { IsolationLevel, LaunchConfig, TcpListener } from './launch-config.ts';
export { PROTOCOL_VERSION } from './session-service.ts';
export { STATUS_CODES, type StatusName, statusName } from './status.ts';
