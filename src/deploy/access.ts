import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Engine, EngineError, engineSocket } from '../runtimes/index.ts';
import { DeployError } from './error.ts';

export { ASSISTANT_PORT } from '../runtimes/index.ts';

const serverSchema = z.object({ format: z.literal(1), url: z.url(), token: z.string() });

/** The engine of this machine, after it has answered. @throws DeployError */
export async function connectEngine(): Promise<Engine> {
  try {
    const socketPath = engineSocket();
    if (socketPath === undefined)
      throw new DeployError(
        'there is no container engine: install and start one, for example with apt-get install docker.io',
      );
    const engine = new Engine(socketPath);
    await engine.version();
    return engine;
  } catch (error) {
    if (error instanceof EngineError) throw new DeployError(error.message, { cause: error });
    throw error;
  }
}

/** Where a deployment writes down how it is reached. */
export function deployedServerPath(stateDir: string): string {
  return join(stateDir, 'deployment.json');
}

/** Writes down how the deployment is reached, for the other commands. */
export function openServer(stateDir: string, url: string, token: string): void {
  writeFileSync(deployedServerPath(stateDir), JSON.stringify({ format: 1, url, token }), { mode: 0o600 });
}

/** How the deployment of this state folder is reached; undefined when there is none. */
export function findDeployment(stateDir: string): { url: string; token: string } | undefined {
  const path = deployedServerPath(stateDir);
  return existsSync(path) ? serverSchema.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}
