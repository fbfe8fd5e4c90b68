/** How skills are launched and isolated. */
export {
  ASSISTANT_CONFIG_DIR,
  ASSISTANT_PORT,
  assistantImageName,
  planAssistantImage,
} from './docker/assistant-image.ts';
export { type BuiltImage, buildSkillImage, type ImagePlan, planSkillImage } from './docker/build.ts';
export { SKILL_TLS_NAME } from './docker/certificates.ts';
export { containerLogs } from './docker/docker-instance.ts';
export { Engine, EngineError, engineSocket } from './docker/engine.ts';
export {
  DATA_DIR,
  HANDLER_PATH,
  imageName as skillImageName,
  inspectImage,
  LAUNCH_PATH,
  SOCKET_DIR,
  SOCKET_PATH,
} from './docker/image.ts';
export { containerUser } from './docker/layers.ts';
export type { SkillRecord } from './external/record.ts';
export { modelPath, modelsInside } from './extras.ts';
export { fingerprint } from './fingerprint.ts';
export { launchConfig } from './launch-config.ts';
export { type LocalPaths, localPaths } from './local/paths.ts';
export type {
  Elsewhere,
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
export { cgroupMemory } from './sandbox/cgroup.ts';
export { createRuntimes, isAtLeast, type RuntimeChoice, selectRuntime, stopElsewhere } from './select.ts';
