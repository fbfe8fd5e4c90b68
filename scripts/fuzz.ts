/** `npm run fuzz -- --target NAME --seconds N --seed S`: looks for inputs that are handled wrongly, and keeps them in the corpus. */
import { Command, InvalidArgumentError } from 'commander';
import { addToCorpus } from '../test/fuzz/corpus.ts';
import { fuzz } from '../test/fuzz/supervise.ts';
import { targets } from '../test/fuzz/targets/index.ts';

const names = targets.map(({ name }) => name);
const PROGRESS_MS = process.stderr.isTTY ? 500 : 10_000;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

function targetName(text: string): string {
  if (!names.includes(text)) throw new InvalidArgumentError(`There are: ${names.join(', ')}.`);
  return text;
}

const options = new Command('fuzz')
  .description(
    'Feeds what takes bytes from outside with changed inputs; what is handled wrongly is kept in test/fuzz/corpus.',
  )
  .option('--target <name>', `what is fuzzed: ${names.join(', ')} (default: each in turn)`, targetName)
  .option('--seconds <n>', 'how long, for each target', wholeNumber, 60)
  .option('--seed <n>', 'the same seed makes the same inputs', wholeNumber, Math.floor(Math.random() * 2 ** 31))
  .parse()
  .opts<{ target?: string; seconds: number; seed: number }>();

let findings = 0;
for (const definition of targets) {
  if (options.target !== undefined && definition.name !== options.target) continue;
  const { seconds, seed } = options;
  console.error(`${definition.name}: ${definition.about}, for ${seconds} s, seed ${seed}`);
  const started = performance.now();
  let shown = started;
  const show = (runs: number, outcomes: number) => {
    const past = (performance.now() - started) / 1000;
    const line = `  ${past.toFixed(0)} s  ${runs} inputs  ${(runs / past).toFixed(0)}/s  ${outcomes} different outcomes`;
    process.stderr.write(process.stderr.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
  };
  const result = await fuzz(definition, {
    ...{ seconds, seed },
    onProgress: (runs, outcomes) => {
      if (performance.now() - shown < PROGRESS_MS) return;
      shown = performance.now();
      show(runs, outcomes);
    },
    onFinding: ({ input, what }) => {
      findings++;
      console.error(
        `\n  FOUND ${addToCorpus(definition.name, input)}\n    ${what.split('\n').slice(0, 8).join('\n    ')}`,
      );
    },
  });
  show(result.runs, result.outcomes);
  if (process.stderr.isTTY) process.stderr.write('\n');
}
console.error(findings === 0 ? 'nothing was found' : `${findings} findings are in test/fuzz/corpus`);
process.exitCode = findings > 0 ? 1 : 0;
