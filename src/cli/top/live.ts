import { setTimeout as sleep } from 'node:timers/promises';
import type { ReadStream, WriteStream } from 'node:tty';
import { styleText } from 'node:util';
import { History } from './history.ts';
import { type Overview, type SkillOverview, toOverview } from './overview.ts';
import type { Reading } from './reading.ts';
import { cut, footLine, headLines, NO_COLOURS, type Paint, skillLines } from './render.ts';
import { Screen } from './screen.ts';

/** Orders of the skills, from one to the next by a key. */
const ORDERS: Record<string, (one: SkillOverview, other: SkillOverview) => number> = {
  name: (one, other) => one.name.localeCompare(other.name),
  calls: (one, other) => (other.callsPerSecond ?? 0) - (one.callsPerSecond ?? 0),
  memory: (one, other) => (other.memoryBytes ?? 0) - (one.memoryBytes ?? 0),
  p99: (one, other) => (other.p99Seconds ?? 0) - (one.p99Seconds ?? 0),
};
const ORDER_NAMES = Object.keys(ORDERS);
/** Rows of a terminal that has room for nothing but the skills. */
const LOW_HEIGHT = 10;
const KEYS = 'q quit  s order  up/down scroll';

export interface LiveOptions {
  /** @throws Error when the assistant does not answer */
  read(signal: AbortSignal): Promise<Reading>;
  intervalMs: number;
  output: WriteStream;
  /** Where keys come from; undefined when that is no terminal. */
  input: ReadStream | undefined;
}

/**
 * Shows an assistant until somebody ends it. One that ceases to answer is waited for.
 *
 * @returns the exit code
 * @throws Error when the assistant does not answer at first
 */
export async function showLive({ read, intervalMs, output, input }: LiveOptions): Promise<number> {
  const stop = new AbortController();
  const history = new History();
  history.add(await read(stop.signal));
  const view = new LiveView(history, intervalMs / 1000, output.hasColors());
  let exitCode = 0;
  const draw = () => screen.draw(view.lines(screen.columns, screen.rows));
  using screen: Screen = new Screen(output, input, {
    key: (key) => {
      if (key === 'q') stop.abort();
      else if (view.press(key)) draw();
    },
    redraw: () => draw(),
    end: (code) => {
      exitCode = code;
      stop.abort();
    },
  });
  while (!stop.signal.aborted) {
    draw();
    await sleep(intervalMs, undefined, { signal: stop.signal }).catch(() => undefined);
    try {
      if (!stop.signal.aborted) history.add(await read(stop.signal));
      view.trouble = undefined;
    } catch (error) {
      view.trouble = (error as Error).message;
    }
  }
  return exitCode;
}

/** What is on the screen. */
class LiveView {
  /** Why what is shown is not what is now. */
  trouble: string | undefined;
  readonly #history: History;
  readonly #intervalSeconds: number;
  readonly #paint: Paint;
  #order = 0;
  #scrolled = 0;
  #furthest = 0;

  constructor(history: History, intervalSeconds: number, hasColours: boolean) {
    this.#history = history;
    this.#intervalSeconds = intervalSeconds;
    this.#paint = hasColours ? (style, text) => styleText(style, text, { validateStream: false }) : NO_COLOURS;
  }

  /** @returns whether the key means anything */
  press(key: string): boolean {
    if (key === 's') this.#order = (this.#order + 1) % ORDER_NAMES.length;
    else if (key === 'j' || key === '\x1b[B' || key === '\x1bOB') this.#scrolled++;
    else if (key === 'k' || key === '\x1b[A' || key === '\x1bOA') this.#scrolled--;
    else return false;
    return true;
  }

  lines(width: number, height: number): string[] {
    const { last, before, base } = this.#history;
    if (!last) return [];
    const overview: Overview = toOverview(last, before, base, Date.now() / 1000);
    const order = ORDER_NAMES[this.#order] ?? '';
    const isLow = height < LOW_HEIGHT;
    const head = isLow ? headLines(overview, width) : [...headLines(overview, width), ''];
    const notes = [footLine(overview, this.#intervalSeconds, width), cut(`${KEYS}  (by ${order})`, width)];
    const foot = [
      ...(this.trouble === undefined ? [] : [this.#paint('red', cut(this.trouble, width))]),
      ...(isLow ? [] : notes.map((note) => this.#paint('dim', note))),
    ];
    const [heading = '', ...rows] = skillLines([...overview.skills].sort(ORDERS[order]), width, this.#paint);
    const room = Math.max(1, height - head.length - foot.length - 1);
    this.#furthest = Math.max(0, rows.length - room);
    this.#scrolled = Math.min(Math.max(0, this.#scrolled), this.#furthest);
    const shown = rows.slice(this.#scrolled, this.#scrolled + room);
    return [...head, heading, ...shown, ...foot];
  }
}
