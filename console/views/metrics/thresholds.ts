/** From which value on something is good, worth a look, or bad: as on the Grafana dashboard. */
import type { Tone } from '../../components/basics.tsx';

export interface Step {
  from: number;
  tone: Tone;
}

export const ACCEPTANCE: readonly Step[] = [
  { from: 0, tone: 'bad' },
  { from: 0.6, tone: 'warn' },
  { from: 0.8, tone: 'good' },
];

export const EPSILON: readonly Step[] = [
  { from: 0, tone: 'good' },
  { from: 1, tone: 'warn' },
  { from: 2, tone: 'bad' },
];

/** Below this many percent of requests with a skill the dashboard alerts. */
export const HIT_RATE_ALERT = 40;

export function toneAt(steps: readonly Step[], value: number): Tone {
  return steps.findLast(({ from }) => value >= from)?.tone ?? 'none';
}
