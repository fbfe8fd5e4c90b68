import type { Manifest } from '../manifest/index.ts';
import type { Instance, InstanceStats } from '../runtimes/index.ts';
import type { SkillStatusReport } from './events.ts';
import type { LaunchSettings } from './launcher.ts';

type Counted = Pick<
  SkillStatusReport,
  | 'state'
  | 'expected'
  | 'inFlight'
  | 'queued'
  | 'calls'
  | 'restarts'
  | 'pinned'
  | 'spares'
  | 'lastStop'
  | 'error'
  | 'events'
>;

/** What an operator sees of a skill. */
export function toReport(
  { name, version, description, isolation, resources, limits, volumes, models, native, single_use }: Manifest,
  { mounts, toolchain }: LaunchSettings,
  instance: Instance | undefined,
  stats: InstanceStats | undefined,
  counted: Counted,
): SkillStatusReport {
  return {
    name,
    version,
    description,
    runtime: instance?.runtime,
    isolation: instance?.isolation,
    instanceId: instance?.instanceId,
    since: instance?.launchedAt,
    memoryBytes: stats?.memoryBytes,
    memoryLimitBytes: resources.memory,
    processes: stats?.processes,
    minimumIsolation: isolation.minimum,
    limits: {
      memoryBytes: resources.memory,
      cpus: resources.cpus,
      processes: resources.pids,
      tmpBytes: resources.tmp,
      concurrency: limits.concurrency,
      data: volumes.includes('data'),
      models,
      native,
      folders: Object.values(mounts),
      toolchain,
      singleUse: single_use,
    },
    ...counted,
  };
}

/** What an operator sees of a skill whose manifest cannot be used. */
export function brokenReport(name: string, error: Error): SkillStatusReport {
  return {
    name,
    version: '',
    description: '',
    state: 'broken',
    expected: true,
    runtime: undefined,
    isolation: undefined,
    instanceId: undefined,
    since: undefined,
    inFlight: 0,
    queued: 0,
    calls: 0,
    restarts: 0,
    pinned: false,
    spares: 0,
    memoryBytes: undefined,
    memoryLimitBytes: undefined,
    processes: undefined,
    lastStop: undefined,
    error: error.message,
    minimumIsolation: undefined,
    limits: undefined,
    events: [],
  };
}
