import { isTooManyFiles, readFileAlways } from './reserve.ts';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Start time in clock ticks since boot, field 22 of proc_pid_stat(5); undefined where it cannot be seen. */
  startTime?: string | undefined;
}

/** The fields of /proc/PID/stat after the command name, which may itself hold spaces and brackets; [0] is field 3. */
function statFields(pid: number): string[] | undefined | 'unreadable' {
  try {
    const stat = readFileAlways(`/proc/${pid}/stat`);
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    // Nobody can look; that says nothing of the process.
    return isTooManyFiles(error) ? 'unreadable' : undefined;
  }
}

/** Identifies a running process; without a start time where that cannot be seen. */
export function identify(pid: number): ProcessIdentity {
  const fields = statFields(pid);
  return { pid, startTime: fields === 'unreadable' ? undefined : fields?.[19] };
}

/** Whether exactly this process still runs; one that is dead but not yet reaped does not. */
export function isRunning({ pid, startTime }: ProcessIdentity): boolean {
  if (startTime === undefined) return signalIfPresent(pid, 0);
  const fields = statFields(pid);
  if (fields === 'unreadable') return signalIfPresent(pid, 0);
  return fields !== undefined && fields[19] === startTime && fields[0] !== 'Z' && fields[0] !== 'X';
}

/** Sends a signal to exactly this process. @returns whether it was there */
export function signal(identity: ProcessIdentity, name: NodeJS.Signals): boolean {
  return isRunning(identity) && signalIfPresent(identity.pid, name);
}

function signalIfPresent(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
