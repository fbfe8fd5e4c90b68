import { isDeepStrictEqual } from 'node:util';
import type { LaunchSpec } from '../runtime.ts';
import {
  type ContainerFiles,
  type HostConfig,
  hostConfig,
  LABELS,
  limitsOf,
  mounts,
  ULIMITS,
} from './container-spec.ts';
import { containerUser } from './layers.ts';

/** What the engine says of a container, as far as it matters to its isolation: `GET /containers/ID/json`. */
export interface EffectiveConfig {
  Config: { User: string; Labels: Record<string, string> };
  HostConfig: HostConfig & Record<string, unknown> & { Mounts?: object[] | null; Ulimits?: object[] | null };
}

/** Whatever is in one of these takes away from the isolation, so that a container of ours has nothing there. */
const EMPTY = [
  ...['Binds', 'VolumesFrom', 'Devices', 'DeviceRequests', 'DeviceCgroupRules', 'GroupAdd', 'Sysctls', 'Links'],
  ...['UsernsMode', 'UTSMode', 'CgroupParent', 'PublishAllPorts', 'OomKillDisable', 'OomScoreAdj', 'ExtraHosts'],
];
/** What the engine hides of /proc and /sys, unless it was told not to. */
const NEVER_EMPTY = ['MaskedPaths', 'ReadonlyPaths'];

/**
 * Whether a container is isolated as one that would be launched now, by what the engine says that it really has: the same
 * as every skill, and limited as it was when it was launched.
 *
 * @param network its own one; undefined: none
 */
export function isIsolated({ Config, HostConfig: actual }: EffectiveConfig, files: ContainerFiles, network?: string) {
  const { Memory, MemorySwap, PidsLimit, NanoCpus, Tmpfs } = actual;
  const resources = { memory: 0, cpus: 0, priority: 'normal' as const, pids: 0, tmp: 0 };
  const wanted: HostConfig = {
    ...hostConfig({ manifest: { resources } as LaunchSpec['manifest'] }, network),
    ...{ Memory, MemorySwap, PidsLimit, NanoCpus, Tmpfs },
  };
  const { uid, gid } = containerUser();
  const allowed = mounts(files, network);
  return (
    Config.User === `${uid}:${gid}` &&
    (Object.keys(wanted) as (keyof HostConfig)[]).every((key) => isDeepStrictEqual(actual[key], wanted[key])) &&
    limitsOf(actual) === Config.Labels[LABELS.limits] &&
    Math.min(Memory, PidsLimit, NanoCpus) > 0 &&
    Memory === MemorySwap &&
    EMPTY.every((key) => isEmpty(actual[key])) &&
    NEVER_EMPTY.every((key) => actual[key] === undefined || !isEmpty(actual[key])) &&
    (network !== undefined || isEmpty(actual.PortBindings)) &&
    ULIMITS.every((limit) => actual.Ulimits?.some((each) => isDeepStrictEqual(each, limit))) &&
    (actual.Mounts ?? []).every((mount) => allowed.some((each) => isDeepStrictEqual(mount, each)))
  );
}

function isEmpty(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
