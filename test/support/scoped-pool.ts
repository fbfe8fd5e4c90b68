/** Pools, skill copies and traces of running skills that clean up at the end of the scope that made them. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Catalog, readCatalog } from '../../src/manifest/index.ts';
import type { ModelPoolOptions } from '../../src/pool/index.ts';
import type { LocalPaths, RuntimeName } from '../../src/runtimes/index.ts';
import { identify, isRunning, type ProcessIdentity, signal } from '../../src/runtimes/local/process-identity.ts';
import { skillProcesses } from './kill.ts';
import { createTestPool, FIXTURES } from './pool.ts';

const POLL_MS = 20;
/** How long something may take that nobody is told of, in milliseconds: generous, to be a hang and no slow machine. */
const PATIENCE_MS = 20_000;

/** `createTestPool` that cleans up with `await using`. */
export function scopedPool(runtime: RuntimeName, options: Partial<ModelPoolOptions> = {}, stateDir?: string) {
  const test = createTestPool(runtime, options, stateDir);
  return { ...test, [Symbol.asyncDispose]: test.cleanUp };
}

/** A catalog of copies of a fixture skill under other names; their files may be changed. */
export interface SkillCopies extends Disposable {
  catalog: Catalog;
  /** Changes the handler of a copy. */
  edit(name: string, change: (source: string) => string): void;
}

export function copiesOf(fixture: string, ...names: string[]): SkillCopies {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-skills-'));
  for (const name of names) {
    cpSync(join(FIXTURES, fixture), join(folder, name), { recursive: true });
    const manifest = join(folder, name, 'skill.yaml');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace(`name: ${fixture}`, `name: ${name}`));
  }
  return {
    catalog: readCatalog([folder]),
    edit: (name, change) => {
      const path = join(folder, name, 'handler.ts');
      writeFileSync(path, change(readFileSync(path, 'utf8')));
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Waits for something that no event tells of. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, patienceMs = PATIENCE_MS) {
  const deadline = performance.now() + patienceMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await sleep(POLL_MS);
  }
}

/** The processes and control groups of one instance, to see later what is left of them. */
export class Trace implements Disposable {
  readonly processes: ProcessIdentity[];
  readonly cgroups: string[];
  readonly fingerprint: string;
  readonly recordPath: string;
  readonly socketPath: string;

  /** @throws Error when the skill does not run */
  constructor(paths: LocalPaths, skill: string) {
    this.recordPath = join(paths.run(skill), 'unit.json');
    this.socketPath = join(paths.socketDir(skill), 'skill.sock');
    const record = JSON.parse(readFileSync(this.recordPath, 'utf8')) as { cgroups: string[]; fingerprint: string };
    this.cgroups = record.cgroups;
    this.fingerprint = record.fingerprint;
    this.processes = skillProcesses(paths, skill).map(identify);
  }

  /** The numbers of those that still run. */
  running(): number[] {
    return this.processes.filter(isRunning).map(({ pid }) => pid);
  }

  /** Waits until no process is left. */
  async untilEnded(): Promise<void> {
    await until(`the end of ${this.running()}`, () => this.running().length === 0);
  }

  /** What of the instance itself is still there, once it had a moment to go. */
  async left(): Promise<string[]> {
    const find = () => [...this.running().map((pid) => `process ${pid}`), ...this.cgroups.filter(existsSync)];
    await until('', () => find().length === 0, 2000).catch(() => {});
    return find();
  }

  /** So that a test that fails leaves nothing either. */
  [Symbol.dispose](): void {
    for (const process of this.processes) signal(process, 'SIGKILL');
    for (const group of this.cgroups) {
      try {
        rmdirSync(group);
      } catch {
        // Gone, as it should be.
      }
    }
  }
}
