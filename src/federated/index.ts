/** What several installations learn together, and what that tells about each of them. docs/privacy.md explains it. */
export { type ClientEvent, type ClientReport, FederationClient, readClient } from './client.ts';
export type { CoordinatorStatus, RoundSettings } from './coordinator.ts';
export { enrol, isEnrolled, removeEnrolment } from './enrolment.ts';
export { FederationError } from './error.ts';
export { federatedFolders } from './folders.ts';
export { CLIENT_FORMATS, COORDINATOR_FORMATS } from './formats.ts';
export { Membership } from './membership.ts';
export type { FederatedModel, ModelSpec } from './model.ts';
export { setPaused } from './participation.ts';
export * from './privacy/index.ts';
export { FederatedRouter, type RouterHome, routerSpec } from './router-model.ts';
export { invite } from './secrets.ts';
export { MAX_CLIENTS, MIN_CLIENTS } from './secure/index.ts';
export { CLIENT_BUDGET, type ClientBudget, clientSpendingReader } from './secure-client.ts';
export { type FederationEvent, FederationServer, type FederationServerOptions } from './server.ts';
