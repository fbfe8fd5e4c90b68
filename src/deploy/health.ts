import { setTimeout as sleep } from 'node:timers/promises';
import type { Engine } from '../runtimes/index.ts';
import { lastLog, type ServiceState, serviceStates } from './containers.ts';
import { DeployError } from './error.ts';

const POLL_MS = 250;
const LOG_LINES = 12;
/** A container that ended this often does not come up. */
const MAX_RESTARTS = 3;

/** Says what happens, one line at a time. */
export type Report = (line: string) => void;

/** Whether a service does what it is there for. */
export function isUp({ status, health }: ServiceState): boolean {
  return status === 'running' && (health === undefined || health === 'healthy');
}

/** What a service does, in a word. */
export function describeState({ status, health, exitCode, restarts }: ServiceState): string {
  if (status === 'restarting' || (status === 'running' && restarts > 0 && health !== 'healthy'))
    return `restarted ${restarts} times, last exit code ${exitCode}`;
  if (status === 'exited' || status === 'dead') return `ended with exit code ${exitCode}`;
  return status === 'running' ? (health ?? 'running') : status;
}

/**
 * Waits until all services are up.
 *
 * @param isNew tells which containers count: one that compose is about to replace may be in any state
 * @throws DeployError that names a service that failed and has its last log lines; the signal's reason when that ends the wait
 */
export async function untilUp(
  engine: Engine,
  services: readonly string[],
  isNew: (state: ServiceState) => boolean,
  report: Report,
  signal: AbortSignal,
): Promise<ServiceState[]> {
  const told = new Map<string, string>();
  const started = performance.now();
  while (true) {
    const states = (await serviceStates(engine)).filter(({ service }) => services.includes(service));
    if (signal.aborted && (signal.reason as Error).name !== 'TimeoutError') throw signal.reason;
    for (const state of states.filter(isNew)) {
      const now = describeState(state);
      if (told.get(state.service) !== now) {
        report(`  ${state.service}: ${now} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
        told.set(state.service, now);
      }
      if (hasFailed(state)) throw new DeployError(await failure(engine, state, describeState(state)));
    }
    const up = states.filter((state) => isNew(state) && isUp(state)).map(({ service }) => service);
    if (services.every((service) => up.includes(service))) return states;
    if (signal.aborted) {
      const late = states.find((state) => !isUp(state));
      const missing = services.find((service) => !states.some((state) => state.service === service));
      if (late) throw new DeployError(await failure(engine, late, `not up in time (${describeState(late)})`));
      throw new DeployError(`${missing}: was not started in time`);
    }
    await sleep(POLL_MS);
  }
}

/** Why services do not come up, from one of them that was started and is not up; undefined when all are up or none was started. */
export async function explainFailure(engine: Engine, services: readonly string[]): Promise<DeployError | undefined> {
  const states = (await serviceStates(engine)).filter(({ service }) => services.includes(service));
  const failed = states.find((state) => state.status !== 'created' && !isUp(state));
  return failed && new DeployError(await failure(engine, failed, describeState(failed)));
}

function hasFailed({ health, status, restarts, exitCode }: ServiceState): boolean {
  if (health === 'unhealthy' || status === 'dead') return true;
  return restarts >= MAX_RESTARTS && (status === 'restarting' || exitCode !== 0);
}

/** A failure in words, with what the service logged last. */
export async function failure(engine: Engine, state: ServiceState, what: string): Promise<string> {
  const lines = await lastLog(engine, state, LOG_LINES);
  const check =
    state.health === 'unhealthy' && state.healthOutput ? `; its health check says: ${state.healthOutput}` : '';
  const log =
    lines.length > 0
      ? `\nlast log lines of ${state.containerName}:\n${lines.map((line) => `  ${line}`).join('\n')}`
      : '';
  return `${state.service}: ${what}${check}${log}`;
}
