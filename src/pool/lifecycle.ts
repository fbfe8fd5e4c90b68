/**
 * The life of one skill as a pure function: `decide(state, event)` says what the state becomes and what is to be done. It does
 * no I/O and reads no clock, so that its tests are tables.
 */

/** Why a skill was started or stopped. */
export type StopReason =
  | 'idle'
  | `evicted_for:${string}`
  | `crashed:${string}`
  | 'oom'
  | 'unhealthy'
  | 'used'
  | 'operator'
  | 'shutdown';

export type UnitState =
  /** Nothing runs. `crashes` counts ends without a healthy run between them; `failures` counts launches that failed in a row. */
  | { t: 'stopped'; crashes: number; failures: number }
  /** Nothing runs, and nothing is launched until `backoff_elapsed`. */
  | { t: 'backing_off'; crashes: number; failures: number; relaunch: boolean }
  /** `stopFor`: it is to be stopped as soon as it is there. */
  | { t: 'starting'; crashes: number; failures: number; stopFor?: StopReason }
  | { t: 'ready'; crashes: number }
  /** A call has the instance, and nobody else gets it: that of a skill which is thrown away after one call. `relaunch`: somebody waits. */
  | { t: 'taken'; relaunch: boolean }
  | { t: 'stopping'; reason: StopReason; relaunch: boolean; crashes: number }
  /** The circuit is open: launches failed too often. `half_open` comes after a while and allows one more try. */
  | { t: 'failed'; failures: number }
  | { t: 'closed' };

export type UnitEvent =
  /** Somebody needs the skill. */
  | { t: 'ensure' }
  | { t: 'launched' }
  /** The one call that an instance serves begins ... */
  | { t: 'taken' }
  /** ... and has ended, however it did. */
  | { t: 'used' }
  | { t: 'launch_failed' }
  /** The process is gone. `healthy`: it had answered calls well before. */
  | { t: 'exited'; reason: StopReason; healthy: boolean }
  /** Health checks fail, or the connection broke although the process runs. `healthy`: as above. */
  | { t: 'unhealthy'; healthy?: boolean }
  | { t: 'stop'; reason: StopReason }
  | { t: 'restart'; reason: StopReason }
  | { t: 'stopped' }
  | { t: 'backoff_elapsed' }
  | { t: 'half_open' }
  | { t: 'close' };

export type UnitEffect =
  | { t: 'launch' }
  | { t: 'stop_instance'; reason: StopReason }
  /** Those who wait get the running skill ... */
  | { t: 'grant' }
  /** ... or the error of the last failed launch. */
  | { t: 'refuse' }
  | { t: 'back_off'; delayMs: number }
  | { t: 'open_circuit'; delayMs: number };

export interface BackoffPolicy {
  /** Delay before the second relaunch in a row, in milliseconds; it doubles from there. The first one is immediate. */
  initialMs: number;
  maxMs: number;
  /** Failed launches in a row that open the circuit. */
  circuitFailures: number;
  /** How long the circuit stays open, in milliseconds. */
  circuitMs: number;
}

/** Whatever kept a skill from starting, it is tried again within 3 s of the end of that. */
export const DEFAULT_BACKOFF: BackoffPolicy = { initialMs: 100, maxMs: 3000, circuitFailures: 3, circuitMs: 3000 };

type Decision = [UnitState, UnitEffect[]];

/** What follows from an event. An event that means nothing in a state leaves it as it is. */
export function decide(state: UnitState, event: UnitEvent, policy: BackoffPolicy = DEFAULT_BACKOFF): Decision {
  if (state.t === 'closed') return [state, event.t === 'ensure' ? [{ t: 'refuse' }] : []];
  if (event.t === 'close') return close(state);
  switch (state.t) {
    case 'stopped':
      if (event.t === 'ensure' || event.t === 'restart') return [{ ...state, t: 'starting' }, [{ t: 'launch' }]];
      return [state, []];
    case 'backing_off':
      if (event.t === 'ensure') return [{ ...state, relaunch: true }, []];
      if (event.t === 'restart') return [{ t: 'starting', crashes: 0, failures: 0 }, [{ t: 'launch' }]];
      if (event.t === 'stop') return [{ t: 'stopped', crashes: 0, failures: 0 }, [{ t: 'refuse' }]];
      if (event.t !== 'backoff_elapsed') return [state, []];
      if (!state.relaunch) return [{ t: 'stopped', crashes: state.crashes, failures: state.failures }, []];
      return [{ t: 'starting', crashes: state.crashes, failures: state.failures }, [{ t: 'launch' }]];
    case 'starting':
      return whenStarting(state, event, policy);
    case 'ready':
      return whenReady(state, event, policy);
    case 'taken':
      return whenTaken(state, event);
    case 'stopping':
      if (event.t === 'ensure' || event.t === 'restart') return [{ ...state, relaunch: true }, []];
      if (event.t === 'stop') return [{ ...state, relaunch: false }, [{ t: 'refuse' }]];
      if (event.t !== 'stopped') return [state, []];
      if (!state.relaunch) return [{ t: 'stopped', crashes: state.crashes, failures: 0 }, []];
      return relaunch(state.crashes, policy);
    case 'failed':
      if (event.t === 'ensure') return [state, [{ t: 'refuse' }]];
      if (event.t === 'restart') return [{ t: 'starting', crashes: 0, failures: 0 }, [{ t: 'launch' }]];
      if (event.t === 'stop') return [{ t: 'stopped', crashes: 0, failures: 0 }, []];
      // One more failure opens the circuit again at once.
      if (event.t === 'half_open') return [{ t: 'stopped', crashes: 0, failures: policy.circuitFailures - 1 }, []];
      return [state, []];
  }
}

function whenStarting(state: UnitState & { t: 'starting' }, event: UnitEvent, policy: BackoffPolicy): Decision {
  const { crashes, failures, stopFor } = state;
  switch (event.t) {
    case 'ensure':
    case 'restart':
      return [stopFor === undefined ? state : { t: 'starting', crashes, failures }, []];
    case 'stop':
      return [{ t: 'starting', crashes, failures, stopFor: event.reason }, [{ t: 'refuse' }]];
    case 'launched':
      if (stopFor === undefined) return [{ t: 'ready', crashes }, [{ t: 'grant' }]];
      return [
        { t: 'stopping', reason: stopFor, relaunch: false, crashes: 0 },
        [{ t: 'stop_instance', reason: stopFor }],
      ];
    case 'launch_failed':
      if (stopFor === undefined) return launchFailed(state, policy);
      return [{ t: 'stopped', crashes: 0, failures: 0 }, [{ t: 'refuse' }]];
    default:
      return [state, []];
  }
}

/** How the instance ends says nothing of the next one: what it was used for may have ended it. */
function whenTaken(state: UnitState & { t: 'taken' }, event: UnitEvent): Decision {
  const stop = (reason: StopReason, relaunch: boolean, ...before: UnitEffect[]): Decision => [
    { t: 'stopping', reason, relaunch, crashes: 0 },
    [...before, { t: 'stop_instance', reason }],
  ];
  switch (event.t) {
    case 'ensure':
      return [{ t: 'taken', relaunch: true }, []];
    case 'used':
    case 'unhealthy':
      return stop(event.t, state.relaunch);
    case 'stop':
      return stop(event.reason, false, { t: 'refuse' });
    case 'restart':
      return stop(event.reason, true);
    case 'exited':
      if (state.relaunch) return [{ t: 'starting', crashes: 0, failures: 0 }, [{ t: 'launch' }]];
      return [{ t: 'stopped', crashes: 0, failures: 0 }, []];
    default:
      return [state, []];
  }
}

/** The first crash is followed by a launch at once, the next ones by one after a delay. */
function relaunch(crashes: number, policy: BackoffPolicy): Decision {
  if (crashes <= 1) return [{ t: 'starting', crashes, failures: 0 }, [{ t: 'launch' }]];
  return [
    { t: 'backing_off', crashes, failures: 0, relaunch: true },
    [{ t: 'back_off', delayMs: backoff(crashes - 1, policy) }],
  ];
}

function whenReady(state: UnitState & { t: 'ready' }, event: UnitEvent, policy: BackoffPolicy): Decision {
  switch (event.t) {
    case 'ensure':
      return [state, [{ t: 'grant' }]];
    case 'taken':
      return [{ t: 'taken', relaunch: false }, []];
    case 'stop':
      return [
        { t: 'stopping', reason: event.reason, relaunch: false, crashes: 0 },
        [{ t: 'stop_instance', reason: event.reason }],
      ];
    case 'restart':
      return [
        { t: 'stopping', reason: event.reason, relaunch: true, crashes: 0 },
        [{ t: 'stop_instance', reason: event.reason }],
      ];
    case 'unhealthy':
      return [
        { t: 'stopping', reason: 'unhealthy', relaunch: true, crashes: event.healthy ? 1 : state.crashes + 1 },
        [{ t: 'stop_instance', reason: 'unhealthy' }],
      ];
    case 'exited':
      return relaunch(event.healthy ? 1 : state.crashes + 1, policy);
    default:
      return [state, []];
  }
}

function launchFailed(state: UnitState & { t: 'starting' }, policy: BackoffPolicy): Decision {
  const failures = state.failures + 1;
  if (failures >= policy.circuitFailures) {
    return [{ t: 'failed', failures }, [{ t: 'refuse' }, { t: 'open_circuit', delayMs: policy.circuitMs }]];
  }
  return [
    { t: 'backing_off', crashes: state.crashes, failures, relaunch: false },
    [{ t: 'refuse' }, { t: 'back_off', delayMs: backoff(failures, policy) }],
  ];
}

function close(state: UnitState): Decision {
  const running = state.t === 'ready' || state.t === 'starting' || state.t === 'taken';
  return [
    { t: 'closed' },
    [{ t: 'refuse' }, ...(running ? [{ t: 'stop_instance', reason: 'shutdown' } as const] : [])],
  ];
}

function backoff(times: number, policy: BackoffPolicy): number {
  return Math.min(policy.maxMs, policy.initialMs * 2 ** (times - 1));
}
