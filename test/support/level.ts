/** The levels of isolation that the same tests are run for. */
import { join } from 'node:path';
import { canStartEngine, TestEngine } from './engine.ts';
import { availableRuntimes, type createTestPool } from './pool.ts';
import { isMissing } from './requirements.ts';
import { Trace } from './scoped-pool.ts';

export type TestPool = ReturnType<typeof createTestPool>;

export interface Level {
  name: 'sandbox' | 'container';
  runtime: 'sandbox' | 'docker';
  /** Why its tests are left out. */
  skip: string | false;
  /** Starts what it needs beside Node. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** What the skill is made of, as it sees it. */
  code: { handler: string; host: string; node: string };
  /** The folders that it can write to. */
  writable: string[];
  /** Sockets of this machine that give whoever reaches them the rights of root. */
  engineSockets(): string[];
  /** Where the data of a skill that has run lie on this machine. */
  dataFolder(test: TestPool, skill: string): Promise<string>;
  /** Whether the kernel ends what exceeds a limit; otherwise more is just not to be had. */
  hasGroups(test: TestPool): boolean;
  /** The files of this machine that a skill has open. */
  openFiles(test: TestPool): string[];
}

const ENGINE_SOCKETS = ['/var/run/docker.sock', '/run/docker.sock', '/run/containerd/containerd.sock'];

export async function sandboxLevel(): Promise<Level> {
  return {
    name: 'sandbox',
    runtime: 'sandbox',
    skip: isMissing('bubblewrap', (await availableRuntimes()).includes('sandbox')),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    code: { handler: '/app/code/handler.mjs', host: '/app/host.mjs', node: '/app/node' },
    writable: ['/data', '/run/skill', '/tmp'],
    engineSockets: () => ENGINE_SOCKETS,
    dataFolder: (test, skill) => Promise.resolve(test.paths.data(skill)),
    hasGroups: (test) => new Trace(test.paths, 'echo').cgroups.length > 0,
    openFiles: (test) => [test.paths.log('echo')],
  };
}

export function containerLevel(): Level {
  const isThere = canStartEngine();
  const engine = isThere ? new TestEngine() : undefined;
  return {
    name: 'container',
    runtime: 'docker',
    skip: isMissing('a Docker engine (dockerd, as root)', isThere),
    start: async () => engine?.start(),
    stop: async () => engine?.remove(),
    code: { handler: '/app/handler.mjs', host: '/app/host.mjs', node: '/app/node' },
    // The message queues of its own IPC namespace, which nobody else is in.
    writable: ['/data', '/dev/mqueue', '/run/skill', '/tmp'],
    engineSockets: () => [...ENGINE_SOCKETS, ...(engine ? [engine.socketPath] : [])],
    dataFolder: async (_, skill) => {
      const { Volumes } = (await engine?.engine.json<{ Volumes: { Name: string }[] }>('GET', '/volumes')) ?? {};
      const volume = Volumes?.find(({ Name }) => Name.endsWith(`-${skill}-data`));
      if (!engine || !volume) throw new Error(`the engine has no volume for the skill ${skill}`);
      return join(engine.folder, 'root/volumes', volume.Name, '_data');
    },
    hasGroups: () => true,
    openFiles: () => [],
  };
}
