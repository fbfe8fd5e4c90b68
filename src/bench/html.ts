/** The report as one HTML file without anything from elsewhere: charts are SVG. */
import { compareReports } from './compare.ts';
import type { BenchReport } from './report.ts';

const WIDTH = 900;
const HEIGHT = 220;
const MARGIN = { left: 64, right: 12, top: 12, bottom: 28 };
const COLORS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2', '#be185d', '#4d7c0f'];

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; color: #1f2937; max-width: 960px; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid #e5e7eb; } th:first-child, td:first-child { text-align: left; }
  .ok { color: #047857; } .bad { color: #b91c1c; font-weight: 600; }
  svg { width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: #6b7280; }
  .legend span { display: inline-block; margin-right: 1rem; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; }
  @media (prefers-color-scheme: dark) { body { background: #111827; color: #e5e7eb; } th, td { border-color: #374151; } }`;

interface Line {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

/** @param old a report to compare with */
export function toHtml(report: BenchReport, old?: BenchReport): string {
  const { scenario, machine, memory, series, operations } = report;
  const gb = (bytes: number) => (bytes / 1e9).toFixed(3);
  const title = `Phoenix ${report.phoenix}: ${scenario}, ${report.seconds} s`;
  const facts = [
    `${report.startedAt}, ${machine.cpu}, ${machine.cores} processors, ${gb(machine.memoryBytes)} GB, Node ${machine.node}, skills in ${machine.runtime}`,
    `seed ${report.seed}, load × ${report.load}, hit rate ${percent(report.hitRate)}, acceptance ${percent(report.acceptance)}, errors ${report.errors.count} (${percent(report.errors.share)})`,
  ];
  const memoryLines: Line[] = [
    { name: 'all', points: series.memory.map(({ at, total }) => [at, total / 1e9]) },
    { name: 'assistant', points: series.memory.map(({ at, assistant }) => [at, assistant / 1e9]) },
  ];
  const latencyLines = Object.entries(series.latency).map(([name, points]): Line => ({ name, points }));
  const sections = [
    ['Limits', table(['limit', 'at most', 'measured', ''], limitRows(report))],
    [
      'Latency, milliseconds from the planned moment to the answer',
      table(OPERATION_HEADINGS, operationRows(operations)),
    ],
    ['Slowest answer of each second, milliseconds (logarithmic)', chart(latencyLines, { logarithmic: true })],
    ['RAM of the whole system, GB', table(['', 'P50', 'P95', 'P99', 'max'], memoryRows(memory))],
    ['RAM over time, GB', chart(memoryLines, { logarithmic: false })],
    ...(old
      ? [
          [
            `Compared with ${old.startedAt} (Phoenix ${old.phoenix})`,
            table(['', 'before', 'now', 'change'], compareRows(report, old)),
          ],
        ]
      : []),
  ];
  const body = sections.map(([heading = '', content = '']) => `<h2>${escapeHtml(heading)}</h2>\n${content}`).join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><h1>${escapeHtml(title)}</h1>\n${facts.map((fact) => `<p>${escapeHtml(fact)}</p>`).join('\n')}\n${body}\n</body></html>\n`;
}

const OPERATION_HEADINGS = ['operation', 'rate/s', 'count', 'errors', 'P50', 'P90', 'P95', 'P99', 'max'];

function operationRows(operations: BenchReport['operations']): string[][] {
  return Object.entries(operations).map(([name, { rate, count, errors, latency }]) => [
    escapeHtml(name),
    String(rate),
    String(count),
    String(Object.values(errors).reduce((a, b) => a + b, 0)),
    ...(latency
      ? [latency.p50, latency.p90, latency.p95, latency.p99, latency.max].map((ms) => ms.toFixed(1))
      : Array(5).fill('-')),
  ]);
}

function memoryRows({ total, assistant, skills }: BenchReport['memory']): string[][] {
  return Object.entries({ all: total, assistant, ...skills }).map(([name, { p50, p95, p99, max }]) => [
    escapeHtml(name),
    ...[p50, p95, p99, max].map((bytes) => (bytes / 1e9).toFixed(3)),
  ]);
}

function limitRows({ limits }: BenchReport): string[][] {
  return limits.map(({ name, limit, value, ok }) => [
    escapeHtml(name),
    String(limit),
    value === null ? 'not measured' : String(Number(value.toPrecision(4))),
    ok ? '<span class="ok">within</span>' : '<span class="bad">exceeded</span>',
  ]);
}

function compareRows(report: BenchReport, old: BenchReport): string[][] {
  return compareReports(old, report).map(({ name, before, now, change, worse }) => [
    escapeHtml(name),
    before,
    now,
    `<span class="${worse ? 'bad' : ''}">${escapeHtml(change)}</span>`,
  ]);
}

function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, row: readonly string[]) =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  return `<table>${cells('th', headings)}${rows.map((row) => cells('td', row)).join('\n')}</table>`;
}

/** Lines over seconds, with axes and a legend. */
function chart(lines: readonly Line[], { logarithmic }: { logarithmic: boolean }): string {
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return '<p>nothing was measured</p>';
  const scale = (value: number) => (logarithmic ? Math.log10(Math.max(value, 0.1)) : value);
  const ys = all.map(([, y]) => scale(y));
  const lastX = Math.max(1, ...all.map(([x]) => x));
  const [low, high] = [
    logarithmic ? Math.floor(Math.min(...ys)) : 0,
    logarithmic ? Math.ceil(Math.max(...ys)) : Math.max(...ys) * 1.1 || 1,
  ];
  const x = (value: number) => MARGIN.left + (value / lastX) * (WIDTH - MARGIN.left - MARGIN.right);
  const y = (value: number) =>
    HEIGHT - MARGIN.bottom - ((value - low) / (high - low || 1)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const steps = logarithmic
    ? Array.from({ length: high - low + 1 }, (_, n) => low + n)
    : [0, 0.25, 0.5, 0.75, 1].map((n) => n * high);
  const grid = steps.map((step) => {
    const label = logarithmic ? String(10 ** step) : step.toPrecision(3);
    return `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y(step)}" y2="${y(step)}" stroke="#9ca3af" stroke-opacity=".3"/><text x="${MARGIN.left - 6}" y="${y(step) + 4}" text-anchor="end">${label}</text>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (n) => `<text x="${x(n * lastX)}" y="${HEIGHT - 8}" text-anchor="middle">${Math.round(n * lastX)} s</text>`,
  );
  const color = (n: number) => COLORS[n % COLORS.length] ?? '';
  const paths = lines.map(
    ({ points }, n) =>
      `<polyline fill="none" stroke="${color(n)}" stroke-width="1.5" points="${points.map(([a, b]) => `${x(a).toFixed(1)},${y(scale(b)).toFixed(1)}`).join(' ')}"/>`,
  );
  const legend = lines.map(({ name }, n) => `<span><i style="background:${color(n)}"></i>${escapeHtml(name)}</span>`);
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${[...grid, ...ticks, ...paths].join('\n')}</svg>\n<p class="legend">${legend.join('')}</p>`;
}

function percent(value: number | null): string {
  return value === null ? 'not measured' : `${(value * 100).toFixed(1)}%`;
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
