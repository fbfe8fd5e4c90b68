import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { type Operations, Phoenix } from '../assistant/index.ts';
import { type LoadedConfig, loadConfig } from '../config/index.ts';
import { findDeployment } from '../deploy/index.ts';
import { lockStateDir } from '../state-lock/index.ts';
import { createLogger } from '../telemetry/index.ts';
import { CliError } from './errors.ts';
import { RemoteOperations } from './remote-operations.ts';

/** How long to wait for another command on the same state folder, in milliseconds. */
const WAIT_MS = 10_000;

const serverFile = z.object({ format: z.literal(1), url: z.url() });

/** Where a server writes down how it is reached. */
export function serverFilePath(stateDir: string): string {
  return join(stateDir, 'server.json');
}

/** The configuration that the global options of a command name. */
export function configOf(command: Command): LoadedConfig {
  return loadConfig((command.optsWithGlobals() as { config?: string }).config);
}

/** Runs something against the Phoenix of this state folder: the one that is deployed or serves it, or else one inside this process. */
export async function withOperations(command: Command, run: (operations: Operations) => Promise<void>): Promise<void> {
  const config = configOf(command);
  const deployed = connectToDeployed(config);
  if (deployed) return await run(deployed);
  const lock = await lockStateDir(config.state_dir, 0);
  if (lock) {
    lock[Symbol.dispose]();
    return await embedded(config, run);
  }
  const remote = findServer(config);
  if (remote) return await run(remote);
  return await embedded(config, run);
}

/** The Phoenix that is deployed from this state folder, or serves it. @throws CliError when there is none */
export async function connectToRunning(config: LoadedConfig): Promise<RemoteOperations> {
  const running = connectToDeployed(config) ?? findServer(config, '; "phoenix start" starts it');
  if (running) return running;
  throw new CliError(
    `no assistant runs on ${config.state_dir}: start it with "phoenix start", or deploy it with "phoenix deploy"`,
  );
}

function connectToDeployed(config: LoadedConfig): RemoteOperations | undefined {
  const deployed = findDeployment(config.state_dir);
  if (!deployed) return undefined;
  const hint =
    '; it is deployed: see "phoenix deploy --status"; "phoenix deploy" brings it back, "phoenix deploy --down" ends it';
  return new RemoteOperations(deployed.url, deployed.token, hint);
}

async function embedded(config: LoadedConfig, run: (operations: Operations) => Promise<void>): Promise<void> {
  using lock = await lockStateDir(config.state_dir, WAIT_MS);
  if (!lock) {
    const remote = findServer(config);
    if (remote) return await run(remote);
    throw new CliError(`${config.state_dir} is in use by another Phoenix that is not done after ${WAIT_MS / 1000} s`);
  }
  // Its log would mix with what the command prints.
  const phoenix = await Phoenix.open(config, createLogger('silent'));
  try {
    await run(phoenix.operations);
  } finally {
    await phoenix.close();
  }
}

/** @param hint what to do when it does not answer */
function findServer(config: LoadedConfig, hint?: string): RemoteOperations | undefined {
  const path = serverFilePath(config.state_dir);
  if (!existsSync(path)) return undefined;
  const { url } = serverFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  return new RemoteOperations(url, config.server.token, hint);
}
