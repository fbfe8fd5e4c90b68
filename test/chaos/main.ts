/** `npm run test:chaos -- --help` */
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { createRuntimes, localPaths, type RuntimeName } from '../../src/runtimes/index.ts';
import { FAULTS } from './faults/index.ts';
import { type ChaosReport, toText } from './report.ts';
import { runChaos } from './run.ts';
import { INVARIANTS } from './violation.ts';

interface Options {
  seed: number;
  faults: number;
  from: number;
  runtime: RuntimeName;
  kinds?: string[];
  json?: string;
}

const DETAILS = `
Faults:
${FAULTS.map(({ kind, what }) => `  ${kind.padEnd(18)}${what}`).join('\n')}

What must hold:
${Object.values(INVARIANTS)
  .map((what) => `  ${what}`)
  .join('\n')}

The same seed, kinds and runtime give the same faults in the same order; the moments at which they hit depend on the machine.
"restart-engine" and "stop-engine" need --runtime docker, "full-disk" the right to mount a tmpfs.`;

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('A whole number is needed.');
  return number;
}

function kindsOf(text: string): string[] {
  const kinds = text.split(',').map((kind) => kind.trim());
  const unknown = kinds.find((kind) => !FAULTS.some((fault) => fault.kind === kind));
  if (unknown === undefined) return kinds;
  throw new InvalidArgumentError(`There is no "${unknown}"; there are: ${FAULTS.map(({ kind }) => kind).join(', ')}.`);
}

const program = new Command('test:chaos')
  .description('Breaks an assistant of its own at random while it is used, and checks what must hold.')
  .option('--seed <n>', 'what is random follows from it', wholeNumber, Math.floor(Math.random() * 1e6))
  .option('--faults <n>', 'how many', wholeNumber, 100)
  .option('--from <n>', 'leave out the first so many faults of the plan', wholeNumber, 0)
  .addOption(
    new Option('--runtime <name>', 'where skills run').choices(['sandbox', 'process', 'docker']).default('sandbox'),
  )
  .option('--kinds <list>', 'only these, separated by commas', kindsOf)
  .option('--json <file>', 'write the report there')
  .addHelpText('after', DETAILS);
program.parse();
const options = program.opts<Options>();

const runtime = createRuntimes(localPaths('/nonexistent')).find(({ name }) => name === options.runtime);
if (runtime && runtime.name !== 'docker') {
  const { available, detail, hint } = await runtime.probe();
  if (!available) program.error(`${options.runtime}: ${detail}${hint ? `; ${hint}` : ''}`);
}

const say = (text: string) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
const stop = new AbortController();
// A second one ends at once.
process.once('SIGINT', () => stop.abort());

const { seed, faults, from, kinds } = options;
say(`seed ${seed}: ${faults} faults`);
const report = await runChaos({
  ...options,
  signal: stop.signal,
  onProgress: (text) => say(`seed ${seed}: ${text}`),
  onViolation: ({ invariant, detail }) => say(`${invariant}: ${detail}\n`),
});
say('');
process.stdout.write(toText(report));
if (options.json) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
if (report.violations.length > 0) {
  process.exitCode = 1;
  process.stdout.write(replay(report));
}

function replay({ violations }: ChaosReport): string {
  const [first] = violations;
  const more = kinds ? ` --kinds ${kinds.join(',')}` : '';
  const base = `npm run test:chaos -- --seed ${seed} --runtime ${options.runtime}${more}`;
  return `Again:          ${base} --from ${from} --faults ${faults}\nThe first only: ${base} --from ${first?.from} --faults ${Math.max(1, first?.faults.length ?? 1)}\n`;
}
