import { type Engine, EngineError } from './engine.ts';

/** How a skill in a container is reached: a socket in a shared folder, or a port of 127.0.0.1. */
export type Transport = 'unix' | 'tcp';

/** Inside the container. */
export const SKILL_PORT = 50_051;

/** Sockets cross a shared folder only where container and assistant have one kernel. */
export async function transportOf(engine: Engine): Promise<Transport> {
  const { OperatingSystem } = await engine.json<{ OperatingSystem: string }>('GET', '/info');
  return process.platform !== 'linux' || OperatingSystem.includes('Docker Desktop') ? 'tcp' : 'unix';
}

/**
 * Makes sure that there is a network for one skill alone: no other container is in it, and its addresses are not translated, so that
 * nothing outside can answer to them. What listens on the engine's own addresses can be reached, which is why a socket is the default.
 *
 * @throws EngineError
 */
export async function ensureNetwork(engine: Engine, name: string, labels: Record<string, string>): Promise<void> {
  try {
    await engine.json('GET', `/networks/${name}`);
  } catch (error) {
    if (!(error instanceof EngineError) || error.status !== 404) throw error;
    await engine.json('POST', '/networks/create', {
      Name: name,
      Driver: 'bridge',
      Labels: labels,
      Options: {
        'com.docker.network.bridge.enable_ip_masquerade': 'false',
        'com.docker.network.bridge.enable_icc': 'false',
        'com.docker.network.bridge.host_binding_ipv4': '127.0.0.1',
      },
    });
  }
}

/** Removes the network of a skill, if nothing is in it any more. */
export async function removeNetwork(engine: Engine, name: string): Promise<void> {
  await engine.json('DELETE', `/networks/${name}`).catch((error: unknown) => {
    if (!(error instanceof EngineError) || ![403, 404].includes(error.status)) throw error;
  });
}

interface PublishedPorts {
  NetworkSettings: { Ports?: Record<string, { HostPort: string }[] | null> };
}

/** The port of 127.0.0.1 that the engine gave to a container. @throws EngineError */
export async function publishedPort(engine: Engine, containerId: string): Promise<number> {
  const { NetworkSettings } = await engine.json<PublishedPorts>('GET', `/containers/${containerId}/json`);
  const port = Number(NetworkSettings.Ports?.[`${SKILL_PORT}/tcp`]?.[0]?.HostPort);
  if (!port) throw new EngineError(0, 'the engine published no port for the skill');
  return port;
}
