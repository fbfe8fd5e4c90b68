import type { Manifest } from '../manifest/index.ts';
import { findProgram } from './find-program.ts';

/**
 * The program that starts others with Linux' policy for batch work (SCHED_BATCH, sched(7)), for a skill of that priority: its threads get
 * their share of the processors, but never take one from a thread that is running when they wake up. Inherited by all that it starts.
 *
 * @returns undefined for other skills, and where the program is not there (util-linux; not on macOS)
 */
export function batchStarter({ resources }: Pick<Manifest, 'resources'>): string | undefined {
  return resources.priority === 'batch' ? findProgram('chrt') : undefined;
}

/** A command as that program starts it. */
export function startedBy(starter: string | undefined, command: readonly string[]): string[] {
  return starter === undefined ? command.slice() : [starter, '-b', '0', ...command];
}
