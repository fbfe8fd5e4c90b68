/** What several installations learn together, and what that tells about each of them. docs/privacy.md explains it. */
export {
  type ClientEvent,
  type ClientState,
  enrol,
  FederationClient,
  isEnrolled,
  readClientState,
  removeEnrolment,
} from './client.ts';
export type { CoordinatorStatus, RoundSettings } from './coordinator.ts';
export { FederationError } from './error.ts';
export { federatedFolders } from './folders.ts';
export { CLIENT_FORMATS, COORDINATOR_FORMATS } from './formats.ts';
export { Membership } from './membership.ts';
export type { FederatedModel, ModelSpec } from './model.ts';
export * from './privacy/index.ts';
export { FederatedRouter, type RouterHome, routerSpec } from './router-model.ts';
export { type FederationEvent, FederationServer, type FederationServerOptions, invite } from './server.ts';
