import { toMib } from '../table.ts';
import type { Overview, SkillOverview } from './overview.ts';

/** Colours of what is drawn; without colours, each gives the text back. */
export type Paint = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'green', text: string) => string;

export const NO_COLOURS: Paint = (_style, text) => text;

interface Column {
  heading: string;
  cell(skill: SkillOverview): string;
  /** Stands at the left of its column. */
  isText?: boolean;
  /** The highest is left out first where the terminal is too narrow. */
  dispensable: number;
}

const COLUMNS: readonly Column[] = [
  { heading: 'SKILL', cell: ({ name }) => name, isText: true, dispensable: 0 },
  { heading: 'STATE', cell: ({ state }) => state, isText: true, dispensable: 0 },
  { heading: 'ISOLATION', cell: ({ isolation }) => isolation ?? '-', isText: true, dispensable: 6 },
  { heading: 'MEMORY', cell: ({ memoryBytes }) => toMib(memoryBytes), dispensable: 3 },
  { heading: 'LIMIT', cell: ({ memoryLimitBytes }) => toMib(memoryLimitBytes), dispensable: 9 },
  { heading: 'CALLS/S', cell: ({ callsPerSecond }) => toRate(callsPerSecond), dispensable: 1 },
  { heading: 'P50', cell: ({ p50Seconds }) => toDuration(p50Seconds), dispensable: 4 },
  { heading: 'P99', cell: ({ p99Seconds }) => toDuration(p99Seconds), dispensable: 2 },
  { heading: 'WAITING', cell: ({ queued }) => String(queued), dispensable: 8 },
  { heading: 'ERRORS', cell: ({ errors }) => String(errors), dispensable: 7 },
  { heading: 'RESTARTS', cell: ({ restarts }) => String(restarts), dispensable: 5 },
];

const STATE_COLOURS: Record<string, 'green' | 'yellow' | 'red' | 'dim'> = {
  ready: 'green',
  starting: 'yellow',
  stopping: 'yellow',
  backing_off: 'red',
  failed: 'red',
  broken: 'red',
  stopped: 'dim',
  closed: 'dim',
};
const GAP = '  ';

/** The lines about the whole assistant, none longer than the width. */
export function headLines(overview: Overview, width: number): string[] {
  const { requests, requestsPerSecond, requestErrors, hitRate, acceptanceRate, speedup, journalDepth } = overview;
  const parts = [
    `Phoenix ${overview.version}`,
    `up ${toUptime(overview.uptimeSeconds)}`,
    `requests ${requests} (${toRate(requestsPerSecond)}/s)`,
    ...(requestErrors > 0 ? [`failed ${requestErrors}`] : []),
    `hit rate ${toPercent(hitRate)}`,
    `acceptance ${toPercent(acceptanceRate)}`,
    ...(speedup === undefined ? [] : [`speed-up ${speedup.toFixed(2)}x`]),
    ...(journalDepth > 0 ? [`journal ${journalDepth}`] : []),
  ];
  const lines: string[] = [];
  for (const part of parts) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + GAP.length + part.length <= width) {
      lines[lines.length - 1] = `${last}${GAP}${part}`;
    } else lines.push(cut(part, width));
  }
  return lines;
}

/** The skills under their headings, no line longer than the width: what is least needed is left out first. */
export function skillLines(skills: readonly SkillOverview[], width: number, paint: Paint = NO_COLOURS): string[] {
  const cellsOf = (column: Column) => skills.map((skill) => column.cell(skill));
  const widthOf = (column: Column) => Math.max(column.heading.length, ...cellsOf(column).map(({ length }) => length));
  const total = (columns: readonly Column[]) =>
    columns.reduce((sum, column) => sum + widthOf(column) + GAP.length, -GAP.length);
  let columns = [...COLUMNS];
  while (columns.length > 2 && total(columns) > width) {
    const most = Math.max(...columns.map(({ dispensable }) => dispensable));
    columns = columns.filter(({ dispensable }) => dispensable !== most);
  }
  const widths = columns.map(widthOf);
  const pad = (text: string, n: number) =>
    columns[n]?.isText ? text.padEnd(widths[n] ?? 0) : text.padStart(widths[n] ?? 0);
  const toLine = (texts: readonly string[]) => cut(texts.map(pad).join(GAP).trimEnd(), width);
  const rows = skills.map((skill) => {
    const line = toLine(columns.map((column) => column.cell(skill)));
    const colour = STATE_COLOURS[skill.state];
    // The state is the second column.
    const at = (widths[0] ?? 0) + GAP.length;
    const state = line.slice(at, at + skill.state.length);
    return colour ? line.slice(0, at) + paint(colour, state) + line.slice(at + skill.state.length) : line;
  });
  return [paint('bold', toLine(columns.map(({ heading }) => heading))), ...rows];
}

/** What the numbers are over, in one line. */
export function footLine({ lookBackSeconds }: Overview, intervalSeconds: number, width: number): string {
  const since = lookBackSeconds === undefined ? 'since the start' : `last ${Math.round(lookBackSeconds)} s`;
  return cut(`rates: last ${intervalSeconds} s; hit rate, p50, p99: ${since}`, width);
}

/** Text that is no longer than the width. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? '' : `${text.slice(0, width - 1)}~`;
}

/** Seconds, in three figures. */
function toDuration(seconds: number | undefined): string {
  if (seconds === undefined) return '-';
  if (seconds < 0.001) return `${toFigures(seconds * 1e6)} us`;
  return seconds < 1 ? `${toFigures(seconds * 1000)} ms` : `${toFigures(seconds)} s`;
}

function toRate(perSecond: number | undefined): string {
  return perSecond === undefined ? '-' : toFigures(perSecond);
}

function toFigures(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function toPercent(share: number | undefined): string {
  return share === undefined ? '-' : `${Math.round(share * 100)} %`;
}

function toUptime(seconds: number): string {
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}
