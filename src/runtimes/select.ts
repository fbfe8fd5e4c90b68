import { ISOLATION_LEVELS, type Manifest } from '../manifest/index.ts';
import type { IsolationLevel } from '../skill/index.ts';
import { DockerRuntime, type DockerSettings } from './docker/docker-runtime.ts';
import { ExternalRuntime } from './external/external-runtime.ts';
import { LocalRuntime } from './local/local-runtime.ts';
import type { LocalPaths } from './local/paths.ts';
import { plainProcess } from './process/plain-process.ts';
import { type Probe, RuntimeError, type RuntimeName, type SkillRuntime } from './runtime.ts';
import { sandbox } from './sandbox/sandbox.ts';

/**
 * All runtimes, strongest isolation first.
 *
 * @param skillRecord names the skills that somebody else starts and stops; they are the only ones then
 */
export function createRuntimes(
  paths: LocalPaths,
  docker: DockerSettings = { build: 'auto', transport: 'auto' },
  skillRecord?: string,
): SkillRuntime[] {
  if (skillRecord !== undefined) return [new ExternalRuntime(skillRecord)];
  return [new DockerRuntime(paths, docker), new LocalRuntime(sandbox, paths), new LocalRuntime(plainProcess, paths)];
}

export interface RuntimeChoice {
  runtime: SkillRuntime;
  /** What was chosen and why, for people. */
  reason: string;
}

/**
 * Chooses the strongest runtime that works here, or checks the one that was asked for.
 *
 * @throws RuntimeError when the one that was asked for does not work
 */
export async function selectRuntime(
  runtimes: readonly SkillRuntime[],
  wanted: RuntimeName | 'auto',
): Promise<RuntimeChoice> {
  const refused: string[] = [];
  for (const runtime of runtimes) {
    if (wanted !== 'auto' && runtime.name !== wanted) continue;
    const probe = await runtime.probe();
    if (probe.available) {
      const why = refused.length > 0 ? ` (${refused.join('; ')})` : '';
      return { runtime, reason: `${runtime.name}: ${probe.detail}${why}` };
    }
    refused.push(describe(runtime.name, probe));
  }
  const known = runtimes.map(({ name }) => name).join(', ');
  throw new RuntimeError(
    refused.length > 0
      ? `skill_runtime ${wanted} does not work here: ${refused.join('; ')}`
      : `skill_runtime ${wanted} is not available in this version; there are: auto, ${known}`,
  );
}

/**
 * Stops what runs in other runtimes than the chosen one, left by an assistant that was configured differently: two instances of a
 * skill must not share its data.
 */
export async function stopElsewhere(
  runtimes: readonly SkillRuntime[],
  chosen: SkillRuntime,
  skills: Iterable<Manifest>,
): Promise<void> {
  const manifests = [...skills];
  for (const other of runtimes) {
    if (other === chosen || !(await other.probe()).available) continue;
    for (const { name, timeouts } of manifests) {
      const instance = await other.find(name);
      // Runtimes of this machine share their records: what is found may be the chosen one's own.
      if (instance && instance.runtime !== chosen.name) await instance.stop(timeouts.drain);
    }
  }
}

function describe(name: RuntimeName, { detail, hint }: Probe): string {
  return `${name}: ${detail}${hint ? `; ${hint}` : ''}`;
}

/** Whether a level is at least as strong as another. */
export function isAtLeast(level: IsolationLevel, minimum: IsolationLevel): boolean {
  return ISOLATION_LEVELS.indexOf(level) >= ISOLATION_LEVELS.indexOf(minimum);
}
