import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { z } from 'zod';
import { type Engine, inspectImage } from '../runtimes/index.ts';
import { parseYaml } from '../yaml/read-yaml.ts';
import { PROJECT } from './compose.ts';
import { ownerOf, type ServiceState } from './containers.ts';
import { DeployError } from './error.ts';
import type { Report } from './health.ts';

/** Time for pulling one image, in milliseconds. */
const PULL_MS = 120_000;

/** The part of a compose file that is looked at here; compose itself validates the rest. */
const composeSchema = z.looseObject({
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string().optional(),
      container_name: z.string().optional(),
      profiles: z.array(z.string()).default([]),
      ports: z.array(z.unknown()).default([]),
      depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown())]).default([]),
    }),
  ),
});

type Services = z.output<typeof composeSchema>['services'];

/** The services of a compose file. @throws YamlFileError */
export function servicesOf(text: string, name: string): Services {
  return parseYaml(text, name, composeSchema).services;
}

/** Reads a compose file. @throws DeployError */
export function readComposeFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new DeployError(`${path}: ${(error as Error).message}`);
  }
}

/** There is one deployment on an engine. @throws DeployError when it belongs to another folder */
export function refuseOtherDeployment(running: readonly ServiceState[], folder: string): void {
  const other = running.find(({ deployment }) => deployment !== undefined && deployment !== folder);
  if (!other) return;
  throw new DeployError(
    `this engine runs the deployment of ${other.deployment}: take that one down first, with "phoenix deploy --down" there`,
  );
}

/**
 * Refuses to touch what is not ours: a container of the same name, a port that another program uses.
 *
 * @throws DeployError
 */
export async function refuseConflicts(
  engine: Engine,
  services: Services,
  variables: Record<string, string>,
  running: readonly ServiceState[],
): Promise<void> {
  for (const [service, { container_name, ports }] of Object.entries(services)) {
    const owner = container_name === undefined ? undefined : await ownerOf(engine, container_name);
    if (owner && owner.project !== PROJECT)
      throw new DeployError(
        `a container named ${container_name} is there that is not part of the deployment; it was left alone: rename or remove it`,
      );
    const own = running.find((state) => state.service === service && state.status === 'running');
    for (const address of ports.map((port) => addressOf(port, variables))) {
      if (!address || Object.values(own?.ports ?? {}).includes(`${address.host}:${address.port}`)) continue;
      if (await isTaken(address))
        throw new DeployError(
          `${address.host}:${address.port}, where ${service} would answer, is in use by another program: stop that, or set ${address.setting}`,
        );
    }
  }
}

interface Address {
  host: string;
  port: number;
  /** How the port is changed, for people. */
  setting: string;
}

/** Where `"[HOST:]PORT:CONTAINER_PORT"` listens on this machine; undefined for other notations and for any free port. */
function addressOf(entry: unknown, variables: Record<string, string>): Address | undefined {
  if (typeof entry !== 'string') return undefined;
  const variable = /\$\{(\w+)/.exec(entry)?.[1];
  const filled = entry.replace(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => {
    return variables[name] || fallback;
  });
  const match = /^(?:([\d.]+):)?(\d+):\d+$/.exec(filled);
  const port = Number(match?.[2] ?? 0);
  const setting = variable === 'SARAI_PORT' ? 'server.port (or PHOENIX_SERVER_PORT)' : (variable ?? 'another port');
  return port === 0 ? undefined : { host: match?.[1] ?? '0.0.0.0', port, setting };
}

function isTaken({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(false)));
  });
}

/**
 * Decides which services start: all, but for optional ones (those with a profile) whose image is not there and cannot be pulled.
 *
 * @param mayPull try to pull what is missing
 * @returns the names, and why others are left out
 */
export async function chooseServices(
  engine: Engine,
  services: Services,
  mayPull: boolean,
  report: Report,
): Promise<{ chosen: string[]; leftOut: Map<string, string> }> {
  const leftOut = new Map<string, string>();
  for (const [name, { image, profiles }] of Object.entries(services)) {
    if (profiles.length === 0 || image === undefined || (await inspectImage(engine, image))) continue;
    const problem = mayPull ? await pull(engine, image, report) : 'its image is not here';
    if (problem !== undefined) leftOut.set(name, problem);
  }
  const needs = (name: string) => {
    const { depends_on: all = [] } = services[name] ?? {};
    return Array.isArray(all) ? all : Object.keys(all);
  };
  for (const name of Object.keys(services)) {
    const missing = needs(name).find((needed) => leftOut.has(needed));
    if (missing !== undefined && !leftOut.has(name)) leftOut.set(name, `it needs ${missing}`);
  }
  return { chosen: Object.keys(services).filter((name) => !leftOut.has(name)), leftOut };
}

/** @returns why it could not be pulled */
async function pull(engine: Engine, image: string, report: Report): Promise<string | undefined> {
  report(`  pulling ${image} ...`);
  try {
    const [, fromImage = image, tag = ''] = /^(.*):([^:/]+)$/.exec(image) ?? [];
    const said = await engine.work(`/images/create?${new URLSearchParams({ fromImage, tag })}`, undefined, PULL_MS);
    const error = said
      .split('\n')
      .filter((line) => line.startsWith('{"error'))
      .map((line) => (JSON.parse(line) as { error?: string }).error)
      .find(Boolean);
    if (error) return `${image} cannot be pulled: ${error}`;
    return (await inspectImage(engine, image)) ? undefined : `${image} cannot be pulled`;
  } catch (error) {
    return `${image} cannot be pulled: ${(error as Error).message}`;
  }
}
