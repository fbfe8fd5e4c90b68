import { useEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { t } from '../lib/i18n.ts';
import { theme } from '../lib/settings.ts';
import { useStore } from '../lib/store.ts';

export interface Line {
  name: string;
  values: readonly (number | null)[];
}

interface ChartProps {
  title: string;
  /** Milliseconds since the epoch. */
  times: readonly number[];
  lines: readonly Line[];
  /** How much of the past is shown, in milliseconds. */
  spanMs: number;
  format: (value: number) => string;
  /** The highest value that is always shown. */
  max?: number;
  /** Whether round values are powers of two, as of bytes. */
  isBinary?: boolean;
  /** A value that is marked: below it, or above it, something is wrong. */
  threshold?: number;
}

const HEIGHT = 190;
const POWERS_OF_TWO = Array.from({ length: 50 }, (_, n) => 2 ** n);
const COLOURS = ['--line-1', '--line-2', '--line-3', '--line-4', '--line-5', '--line-6'];

/** Lines over time. What they say last stands in words beside them. */
export function Chart({ title, times, lines, spanMs, format, max, threshold, isBinary }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colours = useStore(theme);
  const names = lines.map(({ name }) => name).join('\n');

  // A new picture when other lines are shown, or in other colours.
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const settings = { names: names === '' ? [] : names.split('\n'), format, max, threshold, isBinary };
    const chart = new uPlot(optionsOf(element, settings), [[]], element);
    plot.current = chart;
    const observer = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      chart.destroy();
    };
  }, [names, colours, max, threshold]);

  const data = useMemo(
    (): uPlot.AlignedData => [times.map((at) => at / 1000), ...lines.map(({ values }) => [...values])],
    [times, lines],
  );
  useEffect(() => {
    const chart = plot.current;
    if (!chart) return;
    const now = (times.at(-1) ?? Date.now()) / 1000;
    chart.setData(data, false);
    chart.setScale('x', { min: now - spanMs / 1000, max: now });
  }, [data, names, colours, max, threshold]);

  const latest = lines.map(({ name, values }) => ({ name, value: values.at(-1) ?? undefined }));
  const spoken = latest.map(({ name, value }) => `${name} ${value === undefined ? t('chart.nothing') : format(value)}`);
  return (
    <>
      <div class="chart" ref={box} role="img" aria-label={`${title}: ${spoken.join(', ')}`} />
      <ul class="legend">
        {latest.map(({ name, value }, n) => (
          <li key={name}>
            <span class={`line-mark line-${(n % COLOURS.length) + 1}`} aria-hidden="true" />
            {name} <strong>{value === undefined ? '–' : format(value)}</strong>
          </li>
        ))}
      </ul>
    </>
  );
}

interface Settings extends Pick<ChartProps, 'format' | 'max' | 'threshold' | 'isBinary'> {
  names: readonly string[];
}

function optionsOf(
  element: HTMLElement,
  { names, format, max = 0, threshold, isBinary = false }: Settings,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.getPropertyValue('--font')}`;
  const axis: uPlot.Axis = {
    font,
    stroke: colour('--muted'),
    grid: { stroke: colour('--border'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 20, 0, 0],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(max, (high || 0) * 1.1, Number.MIN_VALUE)] } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 70, values: (_plot, ticks) => ticks.map(clock) },
      {
        ...axis,
        size: 66,
        space: 36,
        ...(isBinary && { incrs: POWERS_OF_TWO }),
        values: (_plot, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      ...names.map((label, n) => {
        const stroke = colour(COLOURS[n % COLOURS.length] ?? '--line-1');
        return { label, stroke, width: 2, points: { show: false } };
      }),
    ],
    hooks: threshold === undefined ? {} : { draw: [(plot) => drawThreshold(plot, threshold, colour('--bad'))] },
  };
}

function drawThreshold(plot: uPlot, value: number, stroke: string): void {
  const y = plot.valToPos(value, 'y', true);
  const { left, width } = plot.bbox;
  plot.ctx.save();
  plot.ctx.strokeStyle = stroke;
  plot.ctx.setLineDash([5, 5]);
  plot.ctx.beginPath();
  plot.ctx.moveTo(left, y);
  plot.ctx.lineTo(left + width, y);
  plot.ctx.stroke();
  plot.ctx.restore();
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}
