/** What the whole system uses: the assistant, and every skill with all that it started. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { cgroupMemory } from '../runtimes/index.ts';

export interface MemorySample {
  /** Since the sampler was started, in milliseconds. */
  atMs: number;
  /** Bytes. */
  total: number;
  assistant: number;
  /** Name -> bytes; instances of a skill together. */
  skills: Record<string, number>;
}

/**
 * Looks at a process and its descendants, and at containers, every few hundred milliseconds.
 *
 * A process counts with its proportional set size (proc_pid_smaps_rollup(5)): what it has alone, and its share of what it shares. What runs
 * in a control group of its own counts as that group does, without cache that can be dropped: that includes files in memory.
 */
export class MemorySampler {
  readonly samples: MemorySample[] = [];
  readonly #root: number;
  readonly #containers: () => Promise<ReadonlyMap<number, string>>;
  readonly #started = performance.now();
  readonly #timer: NodeJS.Timeout;
  #outside: ReadonlyMap<number, string> = new Map();

  /**
   * @param root the assistant's process
   * @param containers the first process of each container of a skill, and the name of the skill; asked at every look
   */
  constructor(
    root: number,
    intervalMs: number,
    containers: () => Promise<ReadonlyMap<number, string>> = () => Promise.resolve(new Map()),
  ) {
    this.#root = root;
    this.#containers = containers;
    this.#timer = setInterval(() => this.sample(), intervalMs);
  }

  sample(): void {
    void this.#containers().then(
      (found) => {
        this.#outside = found;
      },
      () => {},
    );
    const own = cgroupOf(this.#root);
    const sample: MemorySample = { atMs: performance.now() - this.#started, total: 0, assistant: 0, skills: {} };
    const groups = new Map<string, number>();
    for (const pid of descendants([this.#root, ...this.#outside.keys()])) {
      const group = cgroupOf(pid);
      if (group !== undefined && group !== own && cgroupMemory([group]) !== undefined) groups.set(group, pid);
      else if (pid === this.#root) sample.assistant += pss(pid);
      else this.#count(sample, skillOf(pid), pss(pid));
    }
    const containers = new Map([...this.#outside].map(([pid, skill]) => [cgroupOf(pid), skill]));
    for (const [group, pid] of groups)
      this.#count(sample, containers.get(group) ?? skillOf(pid), cgroupMemory([group]) ?? 0);
    sample.total = sample.assistant + Object.values(sample.skills).reduce((sum, bytes) => sum + bytes, 0);
    // Nothing is left to measure.
    if (sample.total > 0) this.samples.push(sample);
  }

  #count({ skills }: MemorySample, skill: string, bytes: number): void {
    skills[skill] = (skills[skill] ?? 0) + bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function descendants(roots: readonly number[]): number[] {
  const found = [...roots];
  for (let at = 0; at < found.length; at++) {
    const children = read(`/proc/${found[at]}/task/${found[at]}/children`);
    for (const pid of children.split(' ').filter(Boolean).map(Number)) if (!found.includes(pid)) found.push(pid);
  }
  return found;
}

/**
 * Folder of the control group that counts the memory of a process, cgroups(7): version 1, then version 2. Undefined for the topmost one, which
 * is everybody's, and in which processes appear that have ended.
 */
function cgroupOf(pid: number): string | undefined {
  const lines = read(`/proc/${pid}/cgroup`);
  const first = /^\d+:(?:\w+,)*memory(?:,\w+)*:(.*)$/m.exec(lines)?.[1];
  const second = /^0::(.*)$/m.exec(lines)?.[1];
  if (first !== undefined) return first === '/' ? undefined : `/sys/fs/cgroup/memory${first}`;
  return second === undefined || second === '/' ? undefined : `/sys/fs/cgroup${second}`;
}

/** Bytes; 0 when it has ended, or is not ours to look at. */
function pss(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024;
}

/** Which skill a process belongs to: bubblewrap and containers name the host after it, a plain one reads its launch configuration. */
function skillOf(pid: number): string {
  const group = /^(.+)-[0-9a-f]{8}-[0-9a-f-]{27}$/.exec(basename(cgroupOf(pid) ?? ''))?.[1];
  if (group !== undefined) return group;
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  return /skill-([a-z0-9-]+)|run\/([a-z0-9-]+)[./][^ ]*launch\.json/.exec(command)?.slice(1).find(Boolean) ?? 'other';
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
