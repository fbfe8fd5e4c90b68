/** How skills are launched and isolated. */
export { type BuiltImage, buildSkillImage } from './docker/build.ts';
export { SKILL_TLS_NAME } from './docker/certificates.ts';
export { fingerprint } from './fingerprint.ts';
export { type LocalPaths, localPaths } from './local/paths.ts';
export type {
  Endpoint,
  Exit,
  Instance,
  InstanceStats,
  LaunchSpec,
  Probe,
  RuntimeName,
  SkillRuntime,
} from './runtime.ts';
export { RuntimeError } from './runtime.ts';
export { createRuntimes, isAtLeast, type RuntimeChoice, selectRuntime, stopElsewhere } from './select.ts';
