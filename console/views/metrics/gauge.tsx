import { type Step, toneAt } from './thresholds.ts';

const RADIUS = 80;
const CENTRE = { x: 100, y: 96 };

/** A share from 0 to 1 on a half circle, with its thresholds around it. */
export function Gauge({
  value,
  steps,
  text,
  label,
}: {
  value: number;
  steps: readonly Step[];
  text: string;
  label: string;
}) {
  return (
    <svg class="gauge" viewBox="0 0 200 112" role="img" aria-label={`${label}: ${text}`}>
      {steps.map(({ from, tone }, n) => (
        <path class={`gauge-step ${tone}`} d={arc(from, steps[n + 1]?.from ?? 1, RADIUS + 11)} key={from} />
      ))}
      <path class="gauge-track" d={arc(0, 1, RADIUS)} />
      {value > 0.005 && <path class={`gauge-value ${toneAt(steps, value)}`} d={arc(0, Math.min(1, value), RADIUS)} />}
      <text x={CENTRE.x} y={CENTRE.y - 6}>
        {text}
      </text>
    </svg>
  );
}

/** The part of the half circle between two shares. */
function arc(from: number, to: number, radius: number): string {
  const point = (share: number) => {
    const angle = Math.PI * (1 - share);
    return `${(CENTRE.x + radius * Math.cos(angle)).toFixed(2)} ${(CENTRE.y - radius * Math.sin(angle)).toFixed(2)}`;
  };
  return `M ${point(from)} A ${radius} ${radius} 0 0 1 ${point(to)}`;
}
