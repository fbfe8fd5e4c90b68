/** Curves, for a terminal and as a picture. */

export interface Curve {
  name: string;
  points: readonly (readonly [x: number, y: number])[];
}

export interface PlotOptions {
  title: string;
  x: string;
  y: string;
  /** Equal distances are equal ratios. */
  logX?: boolean;
  curves: readonly Curve[];
}

const MARKS = ['*', 'o', '+', 'x', '#'];
const COLORS = ['#1b6ca8', '#d1495b', '#2e8b57', '#8a5a9e', '#c77f1a'];

/** One character for each point, `width` by `height` of them, between axes. */
export function terminalPlot({ title, x, y, logX = false, curves }: PlotOptions, width = 64, height = 14): string {
  const { toX, toY, lowX, highX, highY } = scales(curves, logX);
  const cells = Array.from({ length: height }, () => Array.from({ length: width }, () => ' '));
  for (const [n, { points }] of curves.entries()) {
    for (let column = 0; column < width; column++) {
      const value = interpolated(points, toX, column / (width - 1));
      const row = value === undefined ? undefined : cells[height - 1 - Math.round(toY(value) * (height - 1))];
      if (row) row[column] = MARKS[n % MARKS.length] ?? '*';
    }
  }
  const label = short(highY);
  const lines = cells.map((row, n) => {
    const mark = n === 0 ? label : n === height - 1 ? '0' : '';
    return `${mark.padStart(label.length)} |${row.join('').trimEnd()}`;
  });
  const [left, right] = [short(lowX), short(highX)];
  const legend = curves.map(({ name }, n) => `${MARKS[n % MARKS.length]} ${name}`).join('   ');
  const indent = ' '.repeat(label.length + 1);
  return [
    `${title}`,
    `${y}   ${legend}`,
    ...lines,
    `${indent}+${'-'.repeat(width)}`,
    `${indent} ${left}${x.padStart((width - left.length - right.length + x.length) / 2).padEnd(width - left.length - right.length)}${right}`,
    '',
  ].join('\n');
}

/** The same as a picture (SVG) that needs nothing else. */
export function svgPlot({ title, x, y, logX = false, curves }: PlotOptions): string {
  const [width, height, margin] = [720, 440, { left: 64, right: 24, top: 56, bottom: 52 }];
  const { toX, toY, fromX, highY } = scales(curves, logX);
  const [w, h] = [width - margin.left - margin.right, height - margin.top - margin.bottom];
  const atX = (share: number) => (margin.left + share * w).toFixed(1);
  const atY = (share: number) => (margin.top + (1 - share) * h).toFixed(1);
  const ticks = [0, 0.25, 0.5, 0.75, 1];
  const escaped = (content: string) => content.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const text = (left: string | number, top: string | number, content: string, more = '') =>
    `<text x="${left}" y="${top}" ${more}>${escaped(content)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(margin.left, 20, title, 'font-size="15"'),
    ...ticks.flatMap((share) => [
      `<line x1="${margin.left}" x2="${margin.left + w}" y1="${atY(share)}" y2="${atY(share)}" stroke="#ddd"/>`,
      text(margin.left - 8, Number(atY(share)) + 4, short(highY * share), 'text-anchor="end"'),
      text(atX(share), margin.top + h + 18, short(fromX(share)), 'text-anchor="middle"'),
    ]),
    text(margin.left + w / 2, height - 12, x, 'text-anchor="middle"'),
    text(0, 0, y, `text-anchor="middle" transform="translate(16 ${margin.top + h / 2}) rotate(-90)"`),
    ...curves.flatMap(({ name, points }, n) => {
      const color = COLORS[n % COLORS.length];
      const path = points.filter(([, value]) => Number.isFinite(value));
      return [
        `<polyline fill="none" stroke="${color}" stroke-width="2" points="${path.map(([a, b]) => `${atX(toX(a))},${atY(toY(b))}`).join(' ')}"/>`,
        ...path.map(([a, b]) => `<circle cx="${atX(toX(a))}" cy="${atY(toY(b))}" r="3" fill="${color}"/>`),
        text(margin.left + Math.floor(w / curves.length) * n, 42, `\u25cf ${name}`, `fill="${color}"`),
      ];
    }),
    '</svg>',
    '',
  ].join('\n');
}

function scales(curves: readonly Curve[], logX: boolean) {
  const points = curves.flatMap((curve) => curve.points).filter(([, value]) => Number.isFinite(value));
  const xs = points.map(([value]) => value);
  const [lowX, highX] = xs.length === 0 ? [0, 1] : [Math.min(...xs), Math.max(...xs)];
  const highY = Math.max(...points.map(([, value]) => value), 0) || 1;
  const on = (value: number) => (logX ? Math.log(value) : value);
  const width = on(highX) - on(lowX) || 1;
  return {
    ...{ lowX, highX, highY },
    toX: (value: number) => (on(value) - on(lowX)) / width,
    fromX: (share: number) => (logX ? Math.exp(on(lowX) + share * width) : lowX + share * width),
    toY: (value: number) => value / highY,
  };
}

/** The value of a curve between its points; undefined beside it. */
function interpolated(points: Curve['points'], toX: (x: number) => number, share: number): number | undefined {
  for (let n = 1; n < points.length; n++) {
    const [a, b] = [points[n - 1], points[n]];
    if (!a || !b) continue;
    const [left, right] = [toX(a[0]), toX(b[0])];
    if (share < left - 1e-9 || share > right + 1e-9) continue;
    const value = a[1] + ((share - left) / (right - left || 1)) * (b[1] - a[1]);
    return Number.isFinite(value) ? value : undefined;
  }
  return points.length === 1 && share === 0 ? points[0]?.[1] : undefined;
}

function short(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3) return value.toExponential(1);
  return String(Number(value.toPrecision(3)));
}
