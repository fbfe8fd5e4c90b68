/** A series as it stands in an exposition. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

const LABEL = String.raw`[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"`;
const LABELS = new RegExp(LABEL, 'g');
/** Name, labels and value; a time and an exemplar may follow. */
const LINE = new RegExp(String.raw`^([a-zA-Z_:][\w:]*)(?:\{((?:${LABEL},?)*)\})? ([+-]?Inf|[+-]?\d[\d.e+-]*)`);
const ESCAPED: Record<string, string> = { '\\n': '\n', '\\"': '"', '\\\\': '\\' };

/**
 * The series of an exposition by the names of their metrics, as text or OpenMetrics:
 * https://prometheus.io/docs/instrumenting/exposition_formats/. What is no series is passed over.
 */
export function parseExposition(text: string): Map<string, Sample[]> {
  const series = new Map<string, Sample[]>();
  for (const line of text.split('\n')) {
    const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
    if (name === undefined) continue;
    const sample = { labels: parseLabels(labels), value: toNumber(value) };
    const known = series.get(name);
    if (known) known.push(sample);
    else series.set(name, [sample]);
  }
  return series;
}

function parseLabels(text: string): Record<string, string> {
  const pairs = (text.match(LABELS) ?? []).map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    const value = pair.slice(equals + 2, -1).replace(/\\[n"\\]/g, (escaped) => ESCAPED[escaped] ?? escaped);
    return [pair.slice(0, equals), value];
  });
  return Object.fromEntries(pairs);
}

/** A value, or the bound of a bucket. */
export function toNumber(text: string): number {
  return text === '+Inf' ? Number.POSITIVE_INFINITY : text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
