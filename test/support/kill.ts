import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalPaths } from '../../src/runtimes/local/paths.ts';

/** The processes of a running skill, outermost first; none when it does not run. */
export function skillProcesses(paths: LocalPaths, skill: string): number[] {
  try {
    const record = JSON.parse(readFileSync(join(paths.run(skill), 'unit.json'), 'utf8')) as {
      process: { pid: number };
    };
    const found = [record.process.pid];
    for (let at = 0; at < found.length; at++) {
      const children = readFileSync(`/proc/${found[at]}/task/${found[at]}/children`, 'utf8');
      found.push(...children.split(' ').filter(Boolean).map(Number));
    }
    return found;
  } catch {
    return [];
  }
}

/** Kills one process of a skill. @returns whether there was one */
export function killSkill(paths: LocalPaths, skill: string, which: 'innermost' | 'outermost'): boolean {
  const pid = skillProcesses(paths, skill).at(which === 'innermost' ? -1 : 0);
  if (pid === undefined) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}
