import { containerLogs, type Engine, EngineError } from '../runtimes/index.ts';
import { PROJECT } from './compose.ts';

/** A container of the deployment. */
export interface ServiceState {
  service: string;
  containerId: string;
  containerName: string;
  /** Name of its image. */
  image: string;
  imageId: string;
  /** created, running, paused, restarting, exited, dead. */
  status: string;
  /** starting, healthy, unhealthy; undefined when nothing checks it. */
  health: string | undefined;
  /** What the last health check printed. */
  healthOutput: string;
  exitCode: number;
  restarts: number;
  /** Milliseconds since the epoch. */
  createdAt: number;
  startedAt: string;
  /** Addresses of this machine that lead to it, by port of the container. */
  ports: Record<string, string>;
  /** The folder of the deployment that it belongs to. */
  deployment: string | undefined;
}

interface Inspection {
  Id: string;
  Name: string;
  Image: string;
  Created: string;
  RestartCount: number;
  State: {
    Status: string;
    ExitCode: number;
    StartedAt: string;
    Health?: { Status: string; Log?: { Output: string }[] };
  };
  Config: { Image: string; Labels: Record<string, string> };
  NetworkSettings: { Ports?: Record<string, { HostIp: string; HostPort: string }[] | null> };
}

/** All containers of the deployment, running or not, by service. @throws EngineError */
export async function serviceStates(engine: Engine): Promise<ServiceState[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`com.docker.compose.project=${PROJECT}`] }));
  const found = await engine.json<{ Id: string }[]>('GET', `/containers/json?all=1&filters=${filters}`);
  const inspected = await Promise.all(found.map(({ Id }) => inspect(engine, Id)));
  return inspected
    .filter((container) => container !== undefined)
    .map(toState)
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}

/** The project that a container of this name belongs to, `undefined` when there is no such container. @throws EngineError */
export async function ownerOf(
  engine: Engine,
  containerName: string,
): Promise<{ project: string | undefined } | undefined> {
  const found = await inspect(engine, containerName);
  return found && { project: found.Config.Labels['com.docker.compose.project'] };
}

/** The last lines that a container wrote, oldest first. */
export async function lastLog(engine: Engine, { containerId }: ServiceState, lines: number): Promise<string[]> {
  return await containerLogs(engine, containerId, lines).catch(() => []);
}

async function inspect(engine: Engine, id: string): Promise<Inspection | undefined> {
  try {
    return await engine.json<Inspection>('GET', `/containers/${encodeURIComponent(id)}/json`);
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined;
    throw error;
  }
}

function toState({ Id, Name, Image, Created, RestartCount, State, Config, NetworkSettings }: Inspection): ServiceState {
  const published = Object.entries(NetworkSettings.Ports ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).slice(0, 1).map(({ HostIp, HostPort }): [string, string] => [port, `${HostIp}:${HostPort}`]),
  );
  return {
    service: Config.Labels['com.docker.compose.service'] ?? Name.slice(1),
    containerId: Id,
    containerName: Name.slice(1),
    image: Config.Image,
    imageId: Image,
    status: State.Status,
    health: State.Health?.Status,
    healthOutput: State.Health?.Log?.at(-1)?.Output.trim() ?? '',
    exitCode: State.ExitCode,
    restarts: RestartCount,
    createdAt: Date.parse(Created),
    startedAt: State.StartedAt,
    ports: Object.fromEntries(published),
    deployment: Config.Labels['sarai.deployment'],
  };
}
