/** The deployment: the assistant and its skills as containers that docker compose keeps running. */
export { connectEngine, findDeployment } from './access.ts';
export { findCompose } from './compose.ts';
export { composeFile } from './compose-file.ts';
export type { ServiceState } from './containers.ts';
export { type Deployed, deploy } from './deploy.ts';
export { describeState, isUp } from './health.ts';
export { deploymentStatus, takeDown } from './manage.ts';
