import type { LaunchSpec } from '../runtime.ts';
import { DATA_DIR, LAUNCH_PATH, SOCKET_DIR } from './image.ts';
import { containerUser } from './layers.ts';

/** What a container of ours is marked with: the only way to find it again. */
export const LABELS = {
  skill: 'sarai.skill',
  spec: 'sarai.spec',
  instance: 'sarai.instance',
  state: 'sarai.state',
} as const;

export interface ContainerFiles {
  socketDir: string;
  launchConfigPath: string;
  /** Name of the volume for /data; undefined when the skill has none. */
  volume: string | undefined;
}

/** The part of the engine's HostConfig that isolates. */
export interface HostConfig {
  NetworkMode: string;
  ReadonlyRootfs: boolean;
  Privileged: boolean;
  CapDrop: string[];
  CapAdd: string[] | null;
  SecurityOpt: string[];
  PidsLimit: number;
  Memory: number;
  MemorySwap: number;
  NanoCpus: number;
  IpcMode: string;
  PidMode: string;
  Tmpfs: Record<string, string>;
}

/** How a skill is isolated by the engine: nothing that it does not need. */
export function hostConfig({ manifest }: LaunchSpec): HostConfig {
  const { memory, cpus, pids, tmp } = manifest.resources;
  return {
    NetworkMode: 'none',
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ['ALL'],
    CapAdd: null,
    SecurityOpt: ['no-new-privileges:true'],
    PidsLimit: pids,
    Memory: memory,
    // Memory and swap together: no swap.
    MemorySwap: memory,
    NanoCpus: Math.round(cpus * 1e9),
    IpcMode: 'none',
    PidMode: '',
    Tmpfs: { '/tmp': `rw,noexec,nosuid,nodev,size=${tmp},mode=1777` },
  };
}

/** The body of `POST /containers/create`. */
export function containerSpec(
  spec: LaunchSpec,
  image: string,
  instanceId: string,
  stateId: string,
  files: ContainerFiles,
): object {
  const { uid, gid } = containerUser();
  return {
    Image: image,
    User: `${uid}:${gid}`,
    // The pool watches its health over the connection that it has; a probe in the container would start a Node each time.
    Healthcheck: { Test: ['NONE'] },
    Hostname: `skill-${spec.manifest.name}`,
    Labels: {
      [LABELS.skill]: spec.manifest.name,
      [LABELS.spec]: spec.fingerprint,
      [LABELS.instance]: instanceId,
      [LABELS.state]: stateId,
    },
    HostConfig: {
      ...hostConfig(spec),
      Init: true,
      Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }],
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
      Mounts: [
        { Type: 'bind', Source: files.socketDir, Target: SOCKET_DIR },
        { Type: 'bind', Source: files.launchConfigPath, Target: LAUNCH_PATH, ReadOnly: true },
        ...(files.volume ? [{ Type: 'volume', Source: files.volume, Target: DATA_DIR }] : []),
      ],
    },
  };
}

/** Whether a container that runs is isolated as one that would be launched now. */
export function isIsolatedAs(actual: HostConfig, wanted: HostConfig): boolean {
  return (Object.keys(wanted) as (keyof HostConfig)[]).every(
    (key) => JSON.stringify(actual[key]) === JSON.stringify(wanted[key]),
  );
}
