import { Command } from 'commander';
import { type CheckResult, type Result, verify } from '../../verify/index.ts';
import { CliError } from '../errors.ts';
import { durationValue } from '../option-values.ts';
import { Progress } from '../progress.ts';
import { configOf } from '../with-operations.ts';

const MARKS: Record<Result, string> = { pass: '[x]', fail: '[ ]', impossible: '[-]' };
const WORDS: Record<Result, string> = { pass: 'pass', fail: 'FAIL', impossible: 'not possible here' };

interface Flags {
  json?: boolean;
  deploy?: boolean;
  strict?: boolean;
  bench?: string;
  benchDuration: number;
}

/** `phoenix verify` */
export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Run the validation checklist, line by line, on skills and state of its own; the assistant is left alone.',
    )
    .argument('[checks...]', 'only these, by the beginning of their ids; --json shows the ids')
    .option('--deploy', 'deploy for the line about containers when nothing is deployed, and take it down again')
    .option('--bench <report>', 'judge this report of "phoenix bench --json" instead of measuring now')
    .option('--bench-duration <duration>', 'how long to measure', durationValue, 30_000)
    .option('--strict', 'what is not possible here counts as failed')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExit code: 1 when a line fails, or with --strict when one is not possible here.')
    .action(run);
}

async function run(only: string[], flags: Flags, command: Command): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new CliError('interrupted')));
  using progress = new Progress();
  const results: CheckResult[] = [];
  const options = {
    config: configOf(command),
    only,
    deploy: flags.deploy === true,
    benchReport: flags.bench,
    benchSeconds: flags.benchDuration / 1000,
    signal: interrupted.signal,
    onStep: (step: string) => progress.step(step),
  };
  for await (const result of verify(options)) {
    progress.clear();
    if (!flags.json) process.stdout.write(toText(result, results.at(-1)?.section !== result.section));
    results.push(result);
  }
  progress.end();
  const count = (result: Result) => results.filter((each) => each.result === result).length;
  const summary = { passed: count('pass'), failed: count('fail'), impossible: count('impossible') };
  if (flags.json) process.stdout.write(`${JSON.stringify({ format: 1, ...summary, checks: results }, undefined, 2)}\n`);
  else
    process.stdout.write(
      `\n${summary.passed} passed, ${summary.failed} failed, ${summary.impossible} not possible here\n`,
    );
  if (results.length === 0) throw new CliError(`there is no check ${only.join(', ')}: --json shows their ids`);
  if (summary.failed > 0 || (flags.strict && summary.impossible > 0)) process.exitCode = 1;
}

function toText({ section, line, result, detail }: CheckResult, isFirst: boolean): string {
  return `${isFirst ? `\n${section}\n` : ''}${MARKS[result]} ${line}\n      ${WORDS[result]}: ${detail.split('\n').join('\n      ')}\n`;
}
