/** Runs every test beside the sources and in test/: `npm test [-- FILE ...]`. */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const files =
  named.length > 0 ? named : globSync(['src/**/*.test.ts', 'skills/**/*.test.ts', 'test/**/*.test.ts']).sort();
const run = spawnSync(process.execPath, ['--test', ...flags, ...files], { stdio: 'inherit' });
process.exit(run.status ?? 1);
