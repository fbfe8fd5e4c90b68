import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import {
  footLine,
  headLines,
  type Overview,
  type Reading,
  showLive,
  skillLines,
  toOverview,
  toReading,
} from '../top/index.ts';
import { configOf, connectToRunning } from '../with-operations.ts';

const DEFAULT_INTERVAL_SECONDS = 2;
const MIN_INTERVAL_SECONDS = 0.1;
const MAX_INTERVAL_SECONDS = 3600;

interface Flags {
  interval: number;
  once?: boolean;
  json?: boolean;
}

/** `phoenix top` */
export function topCommand(): Command {
  return new Command('top')
    .description('Watch the running assistant and its skills. In a pipe it prints one table.')
    .option('-i, --interval <seconds>', 'time between two looks', parseInterval, DEFAULT_INTERVAL_SECONDS)
    .option('--once', 'look twice, print one table and end')
    .option('--json', 'the same, as JSON')
    .addHelpText(
      'after',
      `
Rates are of the time between two looks; hit rate and percentiles of the last minute, and with --once or --json of the
time since the assistant started. Keys: q and Ctrl-C quit, s changes the order, up and down (or k and j) scroll.`,
    )
    .action(top);
}

async function top({ interval, once, json }: Flags, command: Command): Promise<void> {
  const config = configOf(command);
  let assistant = await connectToRunning(config);
  const read = async (signal?: AbortSignal): Promise<Reading> => {
    try {
      return toReading(await assistant.metrics(signal), performance.now() / 1000);
    } catch (error) {
      // One that was started again may listen elsewhere.
      assistant = await connectToRunning(config).catch(() => assistant);
      throw error;
    }
  };
  if (json || once || !process.stdout.isTTY || process.env.TERM === 'dumb') {
    const before = await read();
    await sleep(interval * 1000);
    const last = await read();
    const overview = toOverview(
      last,
      before.startedAt === last.startedAt ? before : undefined,
      undefined,
      Date.now() / 1000,
    );
    process.stdout.write(json ? `${JSON.stringify(overview, undefined, 2)}\n` : toText(overview, interval));
    return;
  }
  const input = process.stdin.isTTY ? process.stdin : undefined;
  process.exitCode = await showLive({ read, intervalMs: interval * 1000, output: process.stdout, input });
}

function toText(overview: Overview, interval: number): string {
  const width = process.stdout.columns || Number.POSITIVE_INFINITY;
  const lines = [...headLines(overview, width), '', ...skillLines(overview.skills, width)];
  return `${[...lines, '', footLine(overview, interval, width)].join('\n')}\n`;
}

function parseInterval(text: string): number {
  const seconds = Number(text);
  if (!(seconds >= MIN_INTERVAL_SECONDS && seconds <= MAX_INTERVAL_SECONDS)) {
    throw new InvalidArgumentError(`it must be from ${MIN_INTERVAL_SECONDS} to ${MAX_INTERVAL_SECONDS} seconds.`);
  }
  return seconds;
}
