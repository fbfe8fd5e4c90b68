import type { RuntimeName } from '../../src/runtimes/index.ts';
import { INVARIANTS, type Violation } from './violation.ts';

/** What a run has shown. Format 1. */
export interface ChaosReport {
  format: 1;
  seed: number;
  runtime: RuntimeName;
  startedAt: string;
  seconds: number;
  /** Kind -> how many were injected. */
  faults: Record<string, number>;
  /** Kind -> why it was left out. */
  leftOut: Record<string, string>;
  rounds: number;
  calls: number;
  answered: number;
  failed: number;
  /** Writes that were acknowledged: facts, facts that change, rows. */
  acknowledged: number;
  /** Milliseconds, from the end of the last fault of a round until everything worked; what the machine took is not counted. */
  recovery: { p50: number; worst: number };
  /** Milliseconds. */
  worstOverrun: number;
  violations: (Violation & { round: number; faults: string[]; from: number })[];
}

export const totalFaults = ({ faults }: Pick<ChaosReport, 'faults'>) =>
  Object.values(faults).reduce((sum, count) => sum + count, 0);

const MOST_SHOWN = 20;

/** For people. */
export function toText(report: ChaosReport): string {
  const { faults, leftOut, violations, recovery } = report;
  const width = Math.max(...[...Object.keys(faults), ...Object.keys(leftOut)].map((kind) => kind.length));
  return [
    `${totalFaults(report)} faults in ${report.rounds} rounds, ${Math.round(report.seconds)} s, runtime ${report.runtime}, seed ${report.seed}`,
    ...Object.entries(faults).map(([kind, count]) => `  ${kind.padEnd(width)} ${String(count).padStart(5)}`),
    ...Object.entries(leftOut).map(([kind, why]) => `  ${kind.padEnd(width)}  LEFT OUT: it needs ${why}`),
    `calls: ${report.calls}, answered ${report.answered}, failed ${report.failed}; acknowledged writes: ${report.acknowledged}`,
    `recovery: median ${Math.round(recovery.p50)} ms, worst ${Math.round(recovery.worst)} ms; worst overrun of a deadline: ${Math.round(report.worstOverrun)} ms`,
    ...violations
      .slice(0, MOST_SHOWN)
      .map(
        ({ invariant, detail, round, faults: which }) =>
          `VIOLATION of "${INVARIANTS[invariant]}" in round ${round} (${which.join(', ')}): ${detail}`,
      ),
    violations.length === 0 ? 'no violation' : `${violations.length} violations`,
    '',
  ].join('\n');
}
