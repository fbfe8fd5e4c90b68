/** Runs every test beside the sources and in test/, or the named files: `npm test [-- FILE ...]`. */
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Longest time for one file, in milliseconds. */
const TIMEOUT_MS = 300_000;

const named = process.argv.slice(2);
const files =
  named.length > 0 ? named : globSync(['src/**/*.test.ts', 'skills/**/*.test.ts', 'test/**/*.test.ts']).sort();
const leftOut: string[] = [];
let failures = 0;

const tests = run({
  files: files.map((file) => join(process.cwd(), file)),
  concurrency: availableParallelism(),
  // One that hangs is an error with a name.
  timeout: TIMEOUT_MS,
});
tests.on('test:pass', ({ name, skip }) => {
  if (skip) leftOut.push(`${name}: ${skip}`);
});
tests.on('test:fail', () => {
  failures++;
});
tests.compose(spec).pipe(process.stdout);
tests.on('end', () => {
  process.exitCode = failures > 0 ? 1 : 0;
  if (leftOut.length === 0) return;
  process.stderr.write(`\nLEFT OUT ${leftOut.length}, because this machine lacks what they need:\n`);
  for (const line of leftOut) process.stderr.write(`  ${line}\n`);
});
