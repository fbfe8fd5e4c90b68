import { limitOpenFiles } from '../../support/descriptors.ts';
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
    const end = limitOpenFiles(pid, openFiles(pid).files + Math.floor(random() * 6));
    if (!end) return Promise.resolve(undefined);
    effects.connectionsMayWait(true);
    return Promise.resolve(() => {
      end();
      effects.connectionsMayWait(false);
    });
  },
};
