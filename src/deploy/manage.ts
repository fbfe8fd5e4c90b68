import { rmSync } from 'node:fs';
import { connectEngine, deployedServerPath } from './access.ts';
import { Compose } from './compose.ts';
import { type ServiceState, serviceStates } from './containers.ts';
import { COMPOSE_FILE, parseEnvFile } from './contents.ts';
import { DeployError } from './error.ts';
import { DeployFolder } from './folder.ts';
import { refuseOtherDeployment } from './services.ts';

/** What runs of the deployment. @throws DeployError without an engine, EngineError */
export async function deploymentStatus(): Promise<ServiceState[]> {
  return await serviceStates(await connectEngine());
}

/**
 * Stops and removes the deployment of a state folder; its volumes only when asked to.
 *
 * @returns the services that were there
 * @throws DeployError, EngineError
 */
export async function takeDown(stateDir: string, withVolumes: boolean): Promise<string[]> {
  const engine = await connectEngine();
  const folder = new DeployFolder(stateDir);
  const before = await serviceStates(engine);
  refuseOtherDeployment(before, folder.path);
  const env = folder.read('env');
  if (env === undefined || folder.read(COMPOSE_FILE) === undefined) {
    if (before.length === 0) return [];
    throw new DeployError(`${folder.path} does not have what was deployed: run "phoenix deploy" first`);
  }
  const variables = parseEnvFile(env);
  const compose = new Compose({
    socketPath: engine.socketPath,
    variables,
    file: folder.join(COMPOSE_FILE),
    projectDir: variables.SARAI_PROJECT_DIR ?? folder.path,
  });
  await compose.down(withVolumes);
  rmSync(deployedServerPath(stateDir), { force: true });
  return before.map(({ service }) => service);
}
