import { until } from '../../support/scoped-pool.ts';
import { type ChaosSystem, SKILLS } from '../system.ts';
import { type Fault, nothing, pick, signal } from './fault.ts';

/** How long a skill may take to be there, in milliseconds: another fault may have just ended it. */
const PATIENCE_MS = 3000;

/** Its processes, outermost first; none when it does not come. */
async function processesOf(system: ChaosSystem, skill: string): Promise<number[]> {
  let found: number[] = [];
  const isThere = async () => {
    found = await system.skillProcesses(skill).catch(() => []);
    return found.length > 0;
  };
  await until('the skill runs', isThere, PATIENCE_MS).catch(() => {});
  return found;
}

export const killSkill: Fault = {
  kind: 'kill-skill',
  what: 'kill -9 of a process of a skill: the skill itself, or what holds its sandbox',
  inject: async (system, random) => {
    const victim = (await processesOf(system, pick(SKILLS, random))).at(pick([0, -1], random));
    if (victim === undefined) return undefined;
    signal(victim, 'SIGKILL');
    return nothing;
  },
};

export const stopSkill: Fault = {
  kind: 'stop-skill',
  what: 'SIGSTOP of a skill, and SIGCONT later',
  inject: async (system, random) => {
    const victim = (await processesOf(system, pick(SKILLS, random))).at(-1);
    if (victim === undefined) return undefined;
    signal(victim, 'SIGSTOP');
    return () => signal(victim, 'SIGCONT');
  },
};

/** More than any heap may have; buffers instead of objects are outside the heap, where only a control group sees them. */
const EAT = {
  heap: 'const all = []; while (true) all.push(new Array(1e5).fill(all.length));',
  buffers: 'const all = []; while (all.length < 4000) all.push(Buffer.alloc(1e6, 1)); return all.length;',
};

export const outOfMemory: Fault = {
  kind: 'oom',
  what: 'a skill asks for more memory than it may have',
  inject: async (system, random) => {
    // Nothing but the heap is limited in a plain process.
    const eat = system.runtime === 'process' ? EAT.heap : pick(Object.values(EAT), random);
    const call = { prompt: `eval:${eat}`, timeoutMs: 3000 };
    const ended = system.ask('POST', '/api/skills/echo/call', call, 4000).catch(() => {});
    return async () => {
      await ended;
    };
  },
};
