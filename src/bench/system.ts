/** An assistant of its own to be measured: a process with a fresh state folder, on a free port. The load comes from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parse } from 'yaml';
import type { LoadedConfig } from '../config/index.ts';
import {
  createRuntimes,
  Engine,
  engineSocket,
  localPaths,
  type RuntimeName,
  selectRuntime,
} from '../runtimes/index.ts';

/** `.ts` in the repository, `.js` in the published package. */
const MAIN = join(import.meta.dirname, `../cli/main${extname(import.meta.filename)}`);
/** Lines of its log that an error repeats. */
const LOG_LINES = 20;

export class SystemUnderTest implements AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly runtime: RuntimeName;
  readonly #child: ChildProcess;
  readonly #stateDir: string;
  readonly #exited: Promise<unknown>;
  #model: Promise<string> | undefined;
  #knownContainers: Set<string> | undefined;

  private constructor(child: ChildProcess, url: string, stateDir: string, runtime: RuntimeName) {
    this.#child = child;
    this.url = url;
    this.pid = child.pid ?? 0;
    this.#stateDir = stateDir;
    this.runtime = runtime;
    this.#exited = once(child, 'exit');
  }

  /** Starts `phoenix start` with the settings of the operator but its own state. @throws Error with its last log lines */
  static async start(config: LoadedConfig, warm: readonly string[], signal: AbortSignal): Promise<SystemUnderTest> {
    const stateDir = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
    const { runtime } = await selectRuntime(createRuntimes(localPaths(stateDir), config.docker), config.skill_runtime);
    const before = runtime.name === 'docker' ? new Set((await skillContainers()).map(({ Id }) => Id)) : undefined;
    // As the operator wrote them: durations with their units.
    const { skills = {} } = (parse(config.source) ?? {}) as { skills?: Record<string, object> };
    const spares = Object.fromEntries(warm.map((name) => [name, { ...skills[name], warm: 1 }]));
    const child = spawn(
      process.execPath,
      [MAIN, ...(config.file === undefined ? [] : ['--config', config.file]), 'start'],
      {
        env: {
          ...process.env,
          PHOENIX_STATE_DIR: stateDir,
          PHOENIX_SERVER_HOST: '127.0.0.1',
          PHOENIX_SERVER_PORT: '0',
          PHOENIX_LOG_LEVEL: 'warn',
          PHOENIX_SKILLS: JSON.stringify({ ...skills, ...spares }),
        },
        cwd: stateDir,
        stdio: ['ignore', 'pipe', 'pipe'],
        signal,
      },
    );
    const log: string[] = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (log.push(line) > LOG_LINES) log.shift();
    });
    child.on('error', (error) => log.push(error.message));
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /listening on (\S+)/.exec(line)?.[1];
      if (!url) continue;
      child.stdout.resume();
      const system = new SystemUnderTest(child, url, stateDir, runtime.name);
      system.#knownContainers = before;
      return system;
    }
    rmSync(stateDir, { recursive: true, force: true });
    throw new Error(`the assistant to be measured did not start:\n${log.join('\n')}`);
  }

  /** The first process of each container of its skills, and the name of the skill. */
  async containers(): Promise<ReadonlyMap<number, string>> {
    const pids = new Map<number, string>();
    const known = this.#knownContainers;
    if (!known) return pids;
    for (const { Id, skill, engine } of await skillContainers()) {
      if (known.has(Id)) continue;
      const { State } = await engine.json<{ State: { Pid: number } }>('GET', `/containers/${Id}/json`);
      if (State.Pid > 0) pids.set(State.Pid, skill);
    }
    return pids;
  }

  /** Asks it. @throws Error with what it answers when that is no success */
  async ask<T>(method: 'GET' | 'POST', path: string, body: object | undefined, signal?: AbortSignal): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: signal ?? null,
    });
    const text = await response.text();
    if (!response.ok) {
      const { error } = JSON.parse(text) as { error?: { message?: string } };
      throw new Error(error?.message ?? `status ${response.status}`);
    }
    return JSON.parse(text) as T;
  }

  /** Name of its language model. @throws Error when it has none */
  async languageModel(): Promise<string> {
    this.#model ??= this.ask<{ data: { id: string }[] }>('GET', '/v1/models', undefined).then(({ data }) => {
      const model = data.find(({ id }) => id !== 'phoenix');
      if (!model) throw new Error('the assistant has no language model (models.target)');
      return model.id;
    });
    return await this.#model;
  }

  /** Its metrics: name with labels -> value. */
  async metrics(): Promise<Map<string, number>> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#exited;
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}

async function skillContainers(): Promise<{ Id: string; skill: string; engine: Engine }[]> {
  const path = engineSocket();
  if (path === undefined) return [];
  const engine = new Engine(path);
  const filters = encodeURIComponent(JSON.stringify({ label: ['sarai.skill'] }));
  const found = await engine.json<{ Id: string; Labels: Record<string, string> }[]>(
    'GET',
    `/containers/json?filters=${filters}`,
  );
  return found.map(({ Id, Labels }) => ({ Id, skill: Labels['sarai.skill'] ?? '', engine }));
}
