import { spawnSync } from 'node:child_process';
import { openFiles } from '../processes.ts';
import { type Fault, pick } from './fault.ts';

export const killAssistant: Fault = {
  kind: 'kill-assistant',
  what: 'kill -9 of the assistant, which is started again',
  inject: async (system) => {
    await system.kill();
    return () => system.launch();
  },
};

export const restartAssistant: Fault = {
  kind: 'restart-assistant',
  what: 'SIGTERM to the assistant, which has to end, and is started again',
  inject: async (system) => {
    try {
      await system.stop();
    } catch (error) {
      system.onDeath((error as Error).message);
    }
    return () => system.launch();
  },
};

const HOUR_MS = 3_600_000;

export const clockJump: Fault = {
  kind: 'clock-jump',
  what: 'the wall clock of the assistant jumps, up to a year ahead or back, and later returns',
  inject: (system, random) => {
    const far = 10 ** (random() * Math.log10(365 * 24)) * HOUR_MS;
    system.setClock(Math.round(pick([-1, 1], random) * far));
    return Promise.resolve(() => system.setClock(0));
  },
};

export const openFilesLimit: Fault = {
  kind: 'open-files',
  what: 'the assistant may not open any more files and sockets, or just a few',
  inject: (system, random, effects) => {
    const { pid } = system;
    if (pid === 0) return Promise.resolve(undefined);
    const limit = (soft: number | string) =>
      spawnSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`], { stdio: 'ignore' });
    // What Node itself sets when it starts; what is set now may be that of another such fault.
    const hard = spawnSync('prlimit', ['--pid', String(pid), '--nofile', '--output=HARD', '--noheadings'], {
      encoding: 'utf8',
    }).stdout.trim();
    effects.connectionsMayWait(true);
    limit(openFiles(pid).files + Math.floor(random() * 6));
    return Promise.resolve(() => {
      limit(hard);
      effects.connectionsMayWait(false);
    });
  },
};
