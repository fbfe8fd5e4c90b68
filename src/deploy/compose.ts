import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { DeployError } from './error.ts';

/** All containers of the deployment carry this name; there is one deployment on one engine. */
export const PROJECT = 'sarai';
/** Lines of what compose said that an error repeats. */
const SAID_LINES = 15;
/** The ways to call compose, the newer one first. */
const COMMANDS = [['docker', 'compose'] as const, ['docker-compose'] as const];

/** The compose that is installed here. */
export interface ComposeCommand {
  command: readonly string[];
  version: string;
}

/** Looks for Compose v2, then for docker-compose v1. */
export function findCompose(): ComposeCommand | undefined {
  for (const command of COMMANDS) {
    const [file, ...args] = command;
    const { status, stdout } = spawnSync(file, [...args, 'version', '--short'], { encoding: 'utf8' });
    if (status === 0 && stdout.trim()) return { command, version: stdout.trim() };
  }
  return undefined;
}

export interface ComposeOptions {
  /** Path of the engine's socket. */
  socketPath: string;
  /** Values of the variables of the file. */
  variables: Record<string, string>;
  file: string;
  /** Where relative paths of the file start. */
  projectDir: string;
}

/** Calls compose for one file; never through a shell. */
export class Compose {
  readonly #command: readonly string[];
  readonly #options: ComposeOptions;

  /** @throws DeployError when there is no compose */
  constructor(options: ComposeOptions) {
    const found = findCompose();
    if (!found) {
      throw new DeployError(
        'neither "docker compose" nor "docker-compose" is installed: for example apt-get install docker-compose',
      );
    }
    this.#command = found.command;
    this.#options = options;
  }

  /** @throws DeployError with what compose says about the file */
  async validate(): Promise<void> {
    await this.#run(['config', '-q']);
  }

  /** Starts or replaces services; resolves when compose is done. @throws DeployError */
  async up(services: readonly string[], signal: AbortSignal): Promise<void> {
    await this.#run(['up', '-d', '--no-build', '--remove-orphans', ...services], signal);
  }

  /** Stops and removes everything; the volumes only when asked to. @throws DeployError */
  async down(withVolumes: boolean): Promise<void> {
    await this.#run(['--profile', 'monitoring', 'down', '--remove-orphans', ...(withVolumes ? ['--volumes'] : [])]);
  }

  /** @throws DeployError with what it said last */
  async #run(args: readonly string[], signal?: AbortSignal): Promise<void> {
    const { file, variables, socketPath, projectDir } = this.#options;
    const [program = '', ...first] = this.#command;
    const child = spawn(program, [...first, '-p', PROJECT, '-f', file, '--project-directory', projectDir, ...args], {
      env: { ...process.env, ...variables, DOCKER_HOST: `unix://${socketPath}`, COMPOSE_IGNORE_ORPHANS: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (line) => {
        if (line.trim() && said.push(line) > SAID_LINES) said.shift();
      });
    return new Promise((resolve, reject) => {
      child.once('error', (error) =>
        reject(signal?.aborted ? signal.reason : new DeployError(`${program}: ${error.message}`)),
      );
      child.once('close', (code) => {
        if (code === 0) resolve();
        else reject(new DeployError(`${this.#command.join(' ')} ${args[0]} failed:\n${said.join('\n')}`));
      });
    });
  }
}
