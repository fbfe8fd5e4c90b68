import { type Fault, nothing } from './fault.ts';

export const restartEngine: Fault = {
  kind: 'restart-engine',
  what: 'the container engine ends, with all its containers, and starts again',
  missing: (system) => (system.engine ? undefined : 'a container engine of its own (--runtime docker)'),
  inject: async ({ engine }) => {
    await engine?.stop();
    return () => engine?.start() ?? nothing();
  },
};

export const hangEngine: Fault = {
  kind: 'stop-engine',
  what: 'SIGSTOP of the container engine, and SIGCONT later',
  missing: restartEngine.missing,
  inject: ({ engine }) => {
    engine?.signal('SIGSTOP');
    return Promise.resolve(() => engine?.signal('SIGCONT'));
  },
};
