import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

/** Builds while no file can be opened, and then with one free descriptor after the other. */
const BUILDS = `
  const { build } = await import(${JSON.stringify(join(import.meta.dirname, 'esbuild.ts'))});
  const { closeSync, openSync } = await import('node:fs');
  const taken = [];
  try {
    while (true) taken.push(openSync('/dev/null'));
  } catch {}
  const outcomes = [];
  for (let free = 0; free <= 24; free++) {
    const outcome = build('it', { options: { entryPoints: [${JSON.stringify(join(import.meta.dirname, 'error.ts'))}] } });
    outcomes.push(await outcome.then(({ files }) => files.length, ({ name, message }) => name + ': ' + message));
    closeSync(taken.pop());
  }
  process.stdout.write(JSON.stringify(outcomes));
`;

it('says so when its program cannot be started, and nothing else ends', () => {
  const node = `ulimit -n 128; exec "$0" --input-type=module --eval "$1"`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', node, process.execPath, BUILDS], { encoding: 'utf8' });
  const outcomes: unknown[] = JSON.parse(stdout || '[]');
  assert.equal(outcomes.at(-1), 1, stderr);
  const failed = outcomes.filter((outcome) => outcome !== 1);
  assert.ok(failed.length > 0);
  for (const failure of failed) assert.match(String(failure), /^BundleError: it does not build: .*EMFILE/);
});
