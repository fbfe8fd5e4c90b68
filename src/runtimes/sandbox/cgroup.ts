/**
 * Control groups for sandboxed skills, where this process may make them: version 1 (one hierarchy per controller) and
 * version 2 (one for all). Kernel documentation: admin-guide/cgroup-v1 and admin-guide/cgroup-v2.rst.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileAlways } from '../local/reserve.ts';

const REMOVE_TRIES = 50;
const REMOVE_WAIT_MS = 10;

const ROOT = '/sys/fs/cgroup';
const PARENT = 'phoenix-skills';
const CPU_PERIOD_US = 100_000;

export interface CgroupLimits {
  memoryBytes: number;
  cpus: number;
  pids: number;
}

/** Makes groups with these limits. @returns their folders; empty when the machine does not let us. */
export function createCgroups(name: string, limits: CgroupLimits): string[] {
  const quota = Math.round(limits.cpus * CPU_PERIOD_US);
  if (existsSync(join(ROOT, 'cgroup.controllers'))) {
    const made = create(join(ROOT, PARENT, name), {
      'memory.max': limits.memoryBytes,
      'memory.swap.max': 0,
      'pids.max': limits.pids,
      'cpu.max': `${quota} ${CPU_PERIOD_US}`,
    });
    return made ? [made] : [];
  }
  const groups = [
    create(join(ROOT, 'memory', PARENT, name), { 'memory.limit_in_bytes': limits.memoryBytes }),
    create(join(ROOT, 'pids', PARENT, name), { 'pids.max': limits.pids }),
    create(join(ROOT, 'cpu', PARENT, name), { 'cpu.cfs_period_us': CPU_PERIOD_US, 'cpu.cfs_quota_us': quota }),
  ];
  return groups.filter((group) => group !== undefined);
}

function create(path: string, settings: Record<string, string | number>): string | undefined {
  try {
    mkdirSync(path, { recursive: true });
    const controllers = join(dirname(path), 'cgroup.subtree_control');
    if (existsSync(controllers)) writeFileSync(controllers, '+memory +pids +cpu');
    for (const [file, value] of Object.entries(settings)) {
      // The kernel may be built without swap accounting.
      if (file.includes('swap') && !existsSync(join(path, file))) continue;
      writeFileSync(join(path, file), String(value));
    }
    return path;
  } catch {
    removeGroup(path);
    return undefined;
  }
}

/** Removes control groups. The kernel may still be busy with what ran in them: it is asked again for a moment. */
export async function removeCgroups(paths: readonly string[]): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES && !paths.map(removeGroup).every(Boolean); tries++)
    await sleep(REMOVE_WAIT_MS);
}

/** Kills what runs in control groups, and removes them. */
export async function endCgroups(paths: readonly string[]): Promise<void> {
  for (const pid of cgroupProcesses(paths)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
  await removeCgroups(paths);
}

/** @returns whether it is gone */
function removeGroup(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Bytes that the group uses, page cache that can be dropped left out; undefined without a memory group. */
export function cgroupMemory(paths: readonly string[]): number | undefined {
  for (const path of paths) {
    const usage = readNumber(join(path, 'memory.usage_in_bytes')) ?? readNumber(join(path, 'memory.current'));
    if (usage === undefined) continue;
    const inactive = /^(?:total_)?inactive_file (\d+)$/m.exec(readText(join(path, 'memory.stat')))?.[1];
    return Math.max(0, usage - Number(inactive ?? 0));
  }
  return undefined;
}

/** Whether the kernel killed a process of the group for using too much memory. */
export function wasOutOfMemory(paths: readonly string[]): boolean {
  return paths.some((path) => {
    const events = `${readText(join(path, 'memory.oom_control'))}\n${readText(join(path, 'memory.events'))}`;
    return /^oom_kill [1-9]/m.test(events);
  });
}

/** The processes in the group. */
export function cgroupProcesses(paths: readonly string[]): number[] {
  const [path] = paths;
  return path ? readText(join(path, 'cgroup.procs')).split('\n').filter(Boolean).map(Number) : [];
}

function readNumber(path: string): number | undefined {
  const text = readText(path);
  return text === '' ? undefined : Number(text);
}

function readText(path: string): string {
  try {
    return readFileAlways(path);
  } catch {
    return '';
  }
}
