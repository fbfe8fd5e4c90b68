import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Engine } from '../../src/runtimes/docker/engine.ts';
import { findProgram } from '../../src/runtimes/find-program.ts';

/** Whether a Docker engine of our own can be started here. */
export function canStartEngine(): boolean {
  return process.getuid?.() === 0 && findProgram('dockerd') !== undefined;
}

/** A Docker engine for one test file: its own folders, its own socket, no network bridge; DOCKER_HOST names it. */
export class TestEngine {
  readonly folder = mkdtempSync(join(tmpdir(), 'phoenix-engine-'));
  readonly socketPath = join(this.folder, 'docker.sock');
  readonly engine = new Engine(this.socketPath);
  #process: ChildProcess | undefined;
  #ending: Promise<unknown> = Promise.resolve();
  /** The last of what it said. */
  #said = '';

  /** Where it keeps images. */
  get dataRoot(): string {
    return join(this.folder, 'root');
  }

  /** Resolves once it answers; also when it is stopped meanwhile. */
  async start(): Promise<void> {
    await this.#ending;
    this.#process ??= this.#spawn();
    process.env.DOCKER_HOST = `unix://${this.socketPath}`;
    const its = this.#process;
    for (let i = 0; i < 300 && this.#process === its; i++) {
      if (its.exitCode !== null) throw new Error(`the engine did not start: ${this.#said}`);
      if (
        await this.engine.json('GET', '/info').then(
          () => true,
          () => false,
        )
      )
        return;
      await sleep(100);
    }
    if (this.#process === its) throw new Error(`the engine does not answer: ${this.#said}`);
  }

  #spawn(): ChildProcess {
    const folder = (name: string) => join(this.folder, name);
    const its = spawn(
      'dockerd',
      [
        ...['--data-root', this.dataRoot, '--exec-root', folder('exec'), '--pidfile', folder('pid')],
        ...['--host', `unix://${this.socketPath}`, '--bridge', 'none', '--iptables=false', '--ip-forward=false'],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#said = '';
    its.stderr.on('data', (data: Buffer) => {
      this.#said = (this.#said + data).slice(-4000);
    });
    return its;
  }

  /** SIGSTOP makes it hang, SIGCONT go on. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  async stop(): Promise<void> {
    const its = this.#process;
    this.#process = undefined;
    if (its && its.exitCode === null) {
      this.#ending = once(its, 'exit');
      its.kill('SIGTERM');
      // It may hang.
      its.kill('SIGCONT');
    }
    await this.#ending;
  }

  async remove(): Promise<void> {
    await this.stop();
    // The engine leaves the network of the machine mounted, once a container was in it, and now and then its own folder.
    const mounted = readFileSync('/proc/mounts', 'utf8').matchAll(/^\S+ (\S+)/gm);
    for (const [, place = ''] of [...mounted].toReversed())
      if (place.startsWith(`${this.folder}/`)) spawnSync('umount', [place], { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
