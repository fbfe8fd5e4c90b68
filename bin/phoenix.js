#!/usr/bin/env node
// Runs the CLI on the Node that Phoenix comes with, whatever Node started this.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// JavaScript in the published package, TypeScript in the repository.
const [built, source] = ['js', 'ts'].map((extension) =>
  fileURLToPath(new URL(`../src/cli/main.${extension}`, import.meta.url)),
);
const main = existsSync(built) ? built : source;
if (Number(process.versions.node.split('.')[0]) >= 24) {
  process.argv[1] = main;
  await import(main);
} else {
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
