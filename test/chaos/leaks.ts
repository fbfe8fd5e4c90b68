/** What is left behind: looked for between rounds, and when all is over. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../support/scoped-pool.ts';
import { commandOf, openFiles, processesOf, withDescendants } from './processes.ts';
import { type ChaosSystem, SKILLS } from './system.ts';
import type { Violation } from './violation.ts';

/** How long something may take to go, in milliseconds: a question to an engine that hung is given up after 5 s. */
const PATIENCE_MS = 8000;
/** So many sockets more than at first are no leak: some are about to close. */
const SPARE_SOCKETS = 3;

const leak = (detail: string): Violation => ({ invariant: 'leak', detail });

export class Leaks {
  readonly #system: ChaosSystem;
  readonly #cgroups = new Set<string>();
  /** Process -> sockets that it had when it was first seen without load. */
  readonly #sockets = new Map<string, number>();

  constructor(system: ChaosSystem) {
    this.#system = system;
  }

  /** While everything runs and nothing is asked. */
  async whileRunning(): Promise<Violation[]> {
    const { client } = this.#system;
    client.disconnect();
    const current = this.#noteCgroups();
    return [
      ...(await this.#patiently(() => this.#strayProcesses())),
      ...(await this.#patiently(() => this.#strayContainers(1))),
      ...(await this.#patiently(() => this.#moreSockets())),
      ...(await this.#patiently(async () => this.#cgroupsBeside(current))),
    ];
  }

  /** After the assistant has ended. */
  async afterwards(): Promise<Violation[]> {
    const { folder, tmpDir, paths } = this.#system;
    return [
      ...(await this.#patiently(async () => processesOf(folder).map((pid) => `process ${pid}: ${commandOf(pid)}`))),
      ...(await this.#patiently(() => this.#strayContainers(0))),
      ...(await this.#patiently(async () => this.#cgroupsBeside(new Set()))),
      ...(await this.#patiently(async () => listening(folder))),
      ...SKILLS.flatMap((skill) =>
        existsSync(join(paths.socketDir(skill), 'skill.sock')) ? [`socket of ${skill}`] : [],
      ),
      ...readdirSync(tmpDir).map((name) => `temporary folder ${name}`),
    ].map((what) => (typeof what === 'string' ? leak(what) : what));
  }

  async #patiently(find: () => Promise<string[]>): Promise<Violation[]> {
    let left: string[] = [];
    const isClean = async () => {
      left = await find();
      return left.length === 0;
    };
    await until('nothing is left', isClean, PATIENCE_MS).catch(() => {});
    return left.map(leak);
  }

  async #strayProcesses(): Promise<string[]> {
    const { folder, pid } = this.#system;
    const skills = await Promise.all(SKILLS.map((skill) => this.#system.skillProcesses(skill)));
    const known = new Set([...withDescendants([pid]), ...skills.flat()]);
    return processesOf(folder)
      .filter((each) => !known.has(each))
      .map((each) => `process ${each}: ${commandOf(each)}`);
  }

  /** @param most for each skill */
  async #strayContainers(most: number): Promise<string[]> {
    const { engine } = this.#system;
    if (!engine) return [];
    const filters = encodeURIComponent(JSON.stringify({ label: ['sarai.skill'] }));
    const path = `/containers/json?all=1&filters=${filters}`;
    const containers = await engine.engine.json<{ Id: string; Labels: Record<string, string>; Status: string }[]>(
      'GET',
      path,
    );
    const bySkill = Map.groupBy(containers, ({ Labels }) => Labels['sarai.skill'] ?? '');
    return [...bySkill].flatMap(([skill, all]) =>
      all.length > most
        ? [`containers of ${skill}: ${all.map(({ Id, Status }) => `${Id.slice(0, 12)} ${Status}`)}`]
        : [],
    );
  }

  async #moreSockets(): Promise<string[]> {
    const found: string[] = [];
    const watched = [{ name: 'assistant', pid: this.#system.pid }];
    for (const skill of SKILLS) {
      const pid = (await this.#system.skillProcesses(skill)).at(-1);
      if (pid !== undefined) watched.push({ name: skill, pid });
    }
    for (const { name, pid } of watched) {
      const { sockets } = openFiles(pid);
      const first = this.#sockets.get(`${name} ${pid}`) ?? sockets;
      this.#sockets.set(`${name} ${pid}`, first);
      if (sockets > first + SPARE_SOCKETS) found.push(`${sockets} sockets of ${name} (${pid}), at first ${first}`);
    }
    return found;
  }

  /** @returns those of what runs now */
  #noteCgroups(): Set<string> {
    const current = new Set<string>();
    for (const skill of SKILLS) {
      try {
        const record = readFileSync(join(this.#system.paths.run(skill), 'unit.json'), 'utf8');
        for (const group of (JSON.parse(record) as { cgroups: string[] }).cgroups) current.add(group);
      } catch {
        // It runs elsewhere, or not now.
      }
    }
    for (const group of current) this.#cgroups.add(group);
    return current;
  }

  #cgroupsBeside(current: ReadonlySet<string>): string[] {
    return [...this.#cgroups]
      .filter((group) => !current.has(group) && existsSync(group))
      .map(
        (group) =>
          `control group ${group} with processes ${readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n')}`,
      );
  }
}

/** Sockets of this machine that listen in a folder. */
function listening(folder: string): string[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => `socket ${line.split(' ').at(-1)}`);
}
