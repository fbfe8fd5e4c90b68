import { writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import {
  ADJACENCIES,
  type Adjacency,
  type Cost,
  epsilonOf,
  MODES,
  type Mode,
  noiseFor,
  type Release,
  roundsFor,
} from '../../federated/index.ts';
import { CliError } from '../errors.ts';
import { number } from '../options.ts';
import { type PlotOptions, svgPlot, terminalPlot } from '../plot.ts';
import { toTable } from '../table.ts';

interface Options {
  noise?: number;
  rate?: number;
  rounds?: number;
  delta: number;
  epsilon?: number;
  mode?: Mode;
  participations?: number;
  adjacency: Adjacency;
  orders?: number[];
  svg?: string;
  json?: boolean;
}

/** Points of the curve; on a coarser grid than the answer itself. */
const CURVE_POINTS = 10;
const CURVE_STEP = 2e-3;

/** `phoenix privacy` */
export function privacyCommand(): Command {
  return new Command('privacy')
    .description('What rounds of federated learning would cost in privacy, or how much noise a budget needs.')
    .option('--noise <sigma>', 'standard deviation of the noise on the sum, in clipping norms', number)
    .option('--rate <q>', 'probability with which a client takes part in a round (poisson)', number)
    .option('--rounds <n>', 'how many rounds', number)
    .option('--delta <d>', 'probability with which the bound may fail; at most 1 / (10 clients)', number, 1e-5)
    .option('--epsilon <e>', 'a budget: says the noise for --rounds, or the rounds for --noise', number)
    .addOption(
      new Option(
        '--mode <mode>',
        'who takes part: poisson, drawn in secret | full, everybody always | tree, shared noise (DP-FTRL); default: poisson with --rate, else full',
      ).choices(MODES),
    )
    .option('--participations <k>', 'rounds in which one client takes part at most (tree)', number)
    .addOption(
      new Option('--adjacency <what>', 'what nobody can tell: that a client is there, or which')
        .choices(ADJACENCIES)
        .default('add_remove'),
    )
    .option('--orders <list>', 'orders of the Renyi divergence, separated by commas', numbers)
    .option('--svg <file>', 'write the curve as a picture')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
  phoenix privacy --noise 1.1 --rate 0.01 --rounds 1000 --delta 1e-5     what would this cost?
  phoenix privacy --epsilon 2 --rate 0.1 --rounds 100                    how much noise does it need?
  phoenix privacy --epsilon 2 --noise 4 --rate 0.1                       how many rounds does it allow?`,
    )
    .action(answer);
}

function answer(options: Options): void {
  const { adjacency, delta, orders, epsilon: budget } = options;
  const accountant = { adjacency, ...(orders && { orders }) };
  const release = complete(options, accountant);
  const cost = epsilonOf([release], delta, accountant);
  const json = { ...release, adjacency, delta, ...(budget !== undefined && { budget }), ...cost };
  if (options.json) process.stdout.write(`${JSON.stringify(json, infinityAsText, 2)}\n`);
  else process.stdout.write(described(release, cost, options));
  if (options.json && options.svg === undefined) return;
  const plot = curve(release, delta, accountant);
  if (plot && !options.json) process.stdout.write(`\n${terminalPlot(plot)}`);
  if (plot && options.svg !== undefined) writeFileSync(options.svg, svgPlot(plot));
}

/** What was not said, from the budget. */
function complete(options: Options, accountant: { adjacency: Adjacency }): Release {
  const { noise, rate, rounds, delta, epsilon, participations } = options;
  const mode = options.mode ?? (rate === undefined ? 'full' : 'poisson');
  const base = { mode, ...(rate !== undefined && { rate }), ...(participations !== undefined && { participations }) };
  if (noise !== undefined && rounds !== undefined) return { ...base, noise, rounds };
  if (epsilon === undefined) throw new CliError('say --noise and --rounds, or one of them and --epsilon; see --help');
  if (rounds !== undefined)
    return { ...base, rounds, noise: noiseFor({ epsilon, delta }, { ...base, rounds }, accountant) };
  if (noise === undefined) throw new CliError('with --epsilon, say --rounds or --noise, too; see --help');
  const allowed = roundsFor({ epsilon, delta }, { ...base, noise }, [], accountant);
  if (!Number.isFinite(allowed)) throw new CliError('that costs nothing, however many rounds there are');
  return { ...base, noise, rounds: allowed };
}

function described(
  release: Release,
  { epsilon, pld, rdp, order }: Cost,
  { adjacency, delta, epsilon: budget }: Options,
): string {
  const { mode, noise, rate, rounds } = release;
  const what = {
    add_remove: 'whether one client took part at all',
    replace_one: 'which of two clients took part',
  }[adjacency];
  const who = {
    poisson: `each client with probability ${rate}`,
    full: 'every client in every round',
    tree: `each client in at most ${release.participations ?? 1} of the rounds`,
  }[mode];
  const shown = (value: number | undefined) =>
    value === undefined ? '-' : value === Number.POSITIVE_INFINITY ? 'infinite' : value.toPrecision(7);
  const rows = [
    ['epsilon', shown(epsilon), `at delta ${inShort(delta)}: ${what}, to somebody who sees every model`],
    ['', shown(pld), mode === 'poisson' ? 'by composing losses (PLD)' : 'in closed form'],
    [
      '',
      shown(rdp),
      rdp === undefined ? 'by Renyi divergences: not for this' : `by Renyi divergences (RDP), order ${order}`,
    ],
    ['noise', shown(noise), 'clipping norms'],
    ['rounds', String(rounds), `${mode}: ${who}`],
  ];
  if (budget !== undefined) rows.push(['budget', shown(budget), epsilon <= budget ? 'kept' : 'exceeded']);
  return toTable(['', 'VALUE', 'MEANING'], rows);
}

/** Epsilon by rounds, up to those that were asked for. */
function curve(release: Release, delta: number, accountant: { adjacency: Adjacency }): PlotOptions | undefined {
  if (release.rounds < 2) return undefined;
  const ratio = release.rounds ** (1 / (CURVE_POINTS - 1));
  const counts = [...new Set(Array.from({ length: CURVE_POINTS }, (_, n) => Math.round(ratio ** n)))];
  const costs = counts.map((rounds) => ({
    rounds,
    ...epsilonOf([{ ...release, rounds }], delta, { ...accountant, step: CURVE_STEP }),
  }));
  const by = (value: (cost: Cost) => number | undefined) =>
    costs.flatMap((cost) => {
      const y = value(cost);
      return y === undefined || !Number.isFinite(y) ? [] : [[cost.rounds, y] as const];
    });
  const curves = [
    { name: 'RDP', points: by(({ rdp }) => rdp) },
    { name: 'what holds', points: by(({ epsilon }) => epsilon) },
  ].filter(({ points }) => points.length > 1);
  if (curves.length === 0) return undefined;
  return {
    title: `epsilon at delta ${inShort(delta)}, noise ${Number(release.noise.toPrecision(4))}`,
    x: 'rounds',
    y: 'epsilon',
    logX: true,
    curves,
  };
}

function inShort(value: number): string {
  return value !== 0 && value < 1e-3 ? value.toExponential() : String(value);
}

/** JSON has no infinity. */
function infinityAsText(_key: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY ? 'Infinity' : value;
}

function numbers(text: string): number[] {
  return text.split(',').map(number);
}
