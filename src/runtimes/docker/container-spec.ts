import { modelPath, modelsOf } from '../extras.ts';
import type { LaunchSpec } from '../runtime.ts';
import { DATA_DIR, LAUNCH_PATH, SOCKET_DIR } from './image.ts';
import { containerUser } from './layers.ts';
import { SKILL_PORT } from './transport.ts';

/** What a container of ours is marked with: the only way to find it again. */
export const LABELS = {
  skill: 'sarai.skill',
  spec: 'sarai.spec',
  instance: 'sarai.instance',
  state: 'sarai.state',
  /** What it was limited to when it was launched. */
  limits: 'sarai.limits',
} as const;

export interface ContainerFiles {
  socketDir: string;
  launchConfigPath: string;
  /** Paths of the models that it reads, by their role. */
  models: LaunchSpec['models'];
  /** What else of the machine it sees: path outside, path inside. */
  shared: readonly (readonly [outside: string, inside: string])[];
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
  CgroupnsMode: string;
  Tmpfs: Record<string, string>;
}

/**
 * How a skill is isolated by the engine: nothing that it does not need.
 *
 * @param network its own one; undefined: none, because it answers on a socket
 */
export function hostConfig({ manifest }: Pick<LaunchSpec, 'manifest'>, network: string | undefined): HostConfig {
  const { memory, cpus, pids, tmp } = manifest.resources;
  const { uid, gid } = containerUser();
  const tmpfs = 'rw,noexec,nosuid,nodev';
  return {
    NetworkMode: network ?? 'none',
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
    CgroupnsMode: 'private',
    Tmpfs: {
      '/tmp': `${tmpfs},size=${tmp},mode=1777`,
      // Its socket is for its own health check then.
      ...(network === undefined ? {} : { [SOCKET_DIR]: `${tmpfs},size=64k,mode=0700,uid=${uid},gid=${gid}` }),
    },
  };
}

/** No core dumps, and no more open files than in the sandbox. */
export const ULIMITS = [
  { Name: 'core', Soft: 0, Hard: 0 },
  { Name: 'nofile', Soft: 1024, Hard: 1024 },
];

/** All that a container shares with the machine: the folder of its socket, its launch configuration, models, folders, its own /data. */
export function mounts(files: ContainerFiles, network: string | undefined): object[] {
  return [
    ...(network === undefined ? [{ Type: 'bind', Source: files.socketDir, Target: SOCKET_DIR }] : []),
    { Type: 'bind', Source: files.launchConfigPath, Target: LAUNCH_PATH, ReadOnly: true },
    ...modelsOf(files).map(([role, path]) => ({ Type: 'bind', Source: path, Target: modelPath(role), ReadOnly: true })),
    ...files.shared.map(([from, to]) => ({ Type: 'bind', Source: from, Target: to, ReadOnly: true })),
    ...(files.volume ? [{ Type: 'volume', Source: files.volume, Target: DATA_DIR }] : []),
  ];
}

/** The part of the configuration that differs between skills, as a label. */
export function limitsOf({ Memory, MemorySwap, PidsLimit, NanoCpus, Tmpfs }: HostConfig): string {
  return JSON.stringify([Memory, MemorySwap, PidsLimit, NanoCpus, Object.entries(Tmpfs ?? {}).sort()]);
}

/** What is launched, and which launch it is. */
export interface ContainerIdentity {
  image: string;
  instanceId: string;
  /** Tells containers of this state folder from those of others. */
  stateId: string;
}

/** The body of `POST /containers/create`. */
export function containerSpec(
  spec: LaunchSpec,
  { image, instanceId, stateId }: ContainerIdentity,
  files: ContainerFiles,
  network: string | undefined,
): object {
  const { uid, gid } = containerUser();
  const port = `${SKILL_PORT}/tcp`;
  const host = hostConfig(spec, network);
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
      [LABELS.limits]: limitsOf(host),
    },
    ...(network === undefined ? {} : { ExposedPorts: { [port]: {} } }),
    HostConfig: {
      ...host,
      ...(network === undefined ? {} : { PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
      Init: true,
      Ulimits: ULIMITS,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
      Mounts: mounts(files, network),
    },
  };
}
