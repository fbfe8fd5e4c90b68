/** An assistant as people run it, `phoenix start`, with a supervisor that starts it again; in a small file system of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type LocalPaths, localPaths, type RuntimeName } from '../../src/runtimes/index.ts';
import { MAIN } from '../support/assistant.ts';
import { TestEngine } from '../support/engine.ts';
import { skillProcesses } from '../support/kill.ts';
import { FIXTURES } from '../support/pool.ts';
import { type CallTrace, Client } from './client.ts';
import type { Delay } from './noise.ts';
import { withDescendants } from './processes.ts';

/** How long a store waits for the skill, in milliseconds. */
export const MEMORY_TIMEOUT_MS = 1000;
/** How long an assistant may take to end when it is asked to, in milliseconds. */
const STOP_MS = 15_000;
/** An assistant that does not start is started again after so long, for so long, in milliseconds. */
const RETRY_MS = 200;
const START_MS = 30_000;
/** Of its file system; images of skills are put together in there. */
const SIZE_MIB = { sandbox: 128, process: 128, docker: 768, external: 0 };
/** The skills that are used. */
export const SKILLS = ['sql', 'echo'];

export interface SystemOptions {
  runtime: RuntimeName;
  /** Modules that are loaded into the assistant. */
  preload?: string[];
}

/** Whether a small file system can be mounted here. */
export function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-chaos-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (status === 0) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true, force: true });
  return status === 0;
}

export class ChaosSystem {
  readonly runtime: RuntimeName;
  /** Everything of this run is in here. */
  readonly folder = mkdtempSync(join(tmpdir(), 'phoenix-chaos-'));
  readonly stateDir = join(this.folder, 'state');
  /** Temporary folders of the assistant. */
  readonly tmpDir = join(this.folder, 'tmp');
  readonly logPath = join(this.folder, 'assistant.log');
  readonly paths: LocalPaths = localPaths(this.stateDir);
  readonly client = new Client();
  /** It has a file system of its own, which can be filled. */
  readonly isMounted: boolean;
  readonly engine: TestEngine | undefined;
  /** Tells of an assistant that ended although nobody ended it. */
  onDeath: (how: string) => void = () => {};
  /** Tells of a time in which the assistant could not run because it got no processor. */
  onDelay: (delay: Delay) => void = () => {};
  readonly #preload: string[];
  readonly #clockFile = join(this.folder, 'clock');
  #child: ChildProcess | undefined;
  #url = '';
  #isEnding = false;
  /** One at a time ends or starts the assistant. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor({ runtime, preload = [] }: SystemOptions) {
    this.runtime = runtime;
    this.#preload = [join(import.meta.dirname, 'preload.ts'), ...preload];
    this.isMounted =
      spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB[runtime]}m`, 'tmpfs', this.folder]).status === 0;
    mkdirSync(this.stateDir, { mode: 0o700 });
    mkdirSync(this.tmpDir);
    if (runtime === 'docker') this.engine = new TestEngine();
  }

  static async start(options: SystemOptions): Promise<ChaosSystem> {
    const system = new ChaosSystem(options);
    try {
      await system.engine?.start();
      await system.#launch();
      return system;
    } catch (error) {
      await system.remove();
      throw error;
    }
  }

  /** Of the assistant; 0 while there is none. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Where it listens; empty while it does not. */
  get url(): string {
    return this.#url;
  }

  /** @throws StatusError, or Error when there is no answer within `timeoutMs` milliseconds */
  async ask<T>(
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
    trace?: CallTrace,
  ): Promise<T> {
    return JSON.parse(await this.client.ask(this.#url, method, path, body, timeoutMs, trace)) as T;
  }

  /** What it answers to a GET, as it is. Throws as `ask` does. */
  askText(path: string, timeoutMs: number): Promise<string> {
    return this.client.ask(this.#url, 'GET', path, undefined, timeoutMs);
  }

  /** kill -9; does not start it again. */
  async kill(): Promise<void> {
    await this.#inTurn(async () => {
      const child = this.#child;
      if (!child) return;
      this.#isEnding = true;
      child.kill('SIGKILL');
      await gone(child);
    });
  }

  /** Ends it as an operator does. @returns its exit code @throws Error when it does not end */
  async stop(): Promise<number | null> {
    return await this.#inTurn(async () => {
      const child = this.#child;
      if (!child) return 0;
      this.#isEnding = true;
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone(child);
      clearTimeout(late);
      if (child.signalCode !== null) throw new Error(`the assistant did not end within ${STOP_MS} ms of SIGTERM`);
      return child.exitCode;
    });
  }

  /** Starts it, unless it runs. */
  async launch(): Promise<void> {
    await this.#inTurn(() => this.#launch());
  }

  /** Sets the wall clock of the assistant, to so many milliseconds from the right time. */
  setClock(offsetMs: number): void {
    writeFileSync(this.#clockFile, String(offsetMs));
    this.#child?.kill('SIGUSR2');
  }

  /** The processes of a running skill, outermost first. */
  async skillProcesses(skill: string): Promise<number[]> {
    if (!this.engine) return skillProcesses(this.paths, skill);
    const { engine } = this.engine;
    const filters = encodeURIComponent(JSON.stringify({ label: [`sarai.skill=${skill}`], status: ['running'] }));
    const [found] = await engine.json<{ Id: string }[]>('GET', `/containers/json?filters=${filters}`);
    if (!found) return [];
    const { State } = await engine.json<{ State: { Pid: number } }>('GET', `/containers/${found.Id}/json`);
    return State.Pid > 0 ? withDescendants([State.Pid]) : [];
  }

  /** Where the sql skill keeps its data. */
  async skillData(): Promise<string> {
    if (!this.engine) return this.paths.data('sql');
    const { Volumes } = await this.engine.engine.json<{ Volumes: { Name: string }[] }>('GET', '/volumes');
    const volume = Volumes.find(({ Name }) => Name.endsWith('-sql-data'));
    if (!volume) throw new Error('the sql skill has no volume yet');
    return join(this.engine.dataRoot, 'volumes', volume.Name, '_data');
  }

  /** The last lines of its log. */
  log(lines = 30): string {
    return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Removes all that it had. @throws Error when something still uses it */
  async remove(): Promise<void> {
    this.client.disconnect();
    await this.kill();
    await this.engine?.remove();
    if (this.isMounted) {
      const { status, stderr } = spawnSync('umount', [this.folder], { encoding: 'utf8' });
      if (status !== 0) {
        spawnSync('umount', ['--lazy', this.folder]);
        throw new Error(`${this.folder} is still in use: ${stderr}`);
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  /** As a service manager does: again, when it cannot start, as on a full disk. @throws Error when that goes on */
  async #launch(): Promise<void> {
    if (this.#child) return;
    for (const started = performance.now(); ; await sleep(RETRY_MS)) {
      const child = this.#spawn();
      for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
        const url = /listening on (\S+)/.exec(line)?.[1];
        if (url === undefined) continue;
        child.stdout?.resume();
        this.#listening(child, url);
        return;
      }
      await gone(child);
      if (performance.now() - started > START_MS) throw new Error(`the assistant does not start: ${this.log()}`);
    }
  }

  #listening(child: ChildProcess, url: string): void {
    this.#child = child;
    this.#url = url;
    this.#isEnding = false;
    child.on('message', (delay) => this.onDelay(delay as Delay));
    child.once('exit', (code, signal) => {
      this.#child = undefined;
      this.#url = '';
      if (this.#isEnding) return;
      this.onDeath(`the assistant ended by itself (${signal ?? code}): ${this.log(5)}`);
      void this.launch();
    });
  }

  #spawn(): ChildProcess {
    const log = openSync(this.logPath, 'a');
    try {
      return spawn(process.execPath, [...this.#preload.flatMap((file) => ['--import', file]), MAIN, 'start'], {
        env: {
          ...process.env,
          TMPDIR: this.tmpDir,
          CHAOS_CLOCK: this.#clockFile,
          PHOENIX_STATE_DIR: this.stateDir,
          PHOENIX_SERVER_PORT: '0',
          PHOENIX_SKILL_RUNTIME: this.runtime,
          PHOENIX_SKILL_DIRS: JSON.stringify([FIXTURES]),
          PHOENIX_MEMORY_TIMEOUT: `${MEMORY_TIMEOUT_MS}ms`,
          PHOENIX_MODELS: JSON.stringify({ target: 'none', draft: 'none' }),
        },
        cwd: this.folder,
        stdio: ['ignore', 'pipe', log, 'ipc'],
      });
    } finally {
      closeSync(log);
    }
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
