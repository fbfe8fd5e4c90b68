/** A large store builds its indexes by temporary files, and without them where there is no room for any. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { availableRuntimes } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const ROOT = join(import.meta.dirname, '..');
const FACTS = 120_000;
const STORE = `
  const { EntityMemory } = await import(${JSON.stringify(join(import.meta.dirname, '../src/memory/index.ts'))});
  const memory = new EntityMemory({ path: process.argv[1] });
  await memory.storeMany(Array.from({ length: ${FACTS} }, (_, n) => ({ subject: 's' + n, verb: 'v', object: 'o' + n * 7919 % 1000 })));
  const { triples } = await memory.recall({ object: 'o7' });
  process.stdout.write(JSON.stringify({ facts: memory.stats().facts, found: triples.length }));
  await memory.close();
`;

it('stores many facts where temporary files have no room', {
  skip: isMissing('bubblewrap', (await availableRuntimes()).includes('sandbox')),
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-no-room-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const tiny = ['/tmp', '/var/tmp'].flatMap((path) => ['--size', '65536', '--tmpfs', path]);
  // What runs may itself lie in one of the two.
  const own = ['--bind', folder, folder, '--ro-bind', ROOT, ROOT];
  const mounts = ['--ro-bind', '/', '/', '--dev', '/dev', ...tiny, ...own, '--chdir', '/'];
  const node = [process.execPath, '--input-type=module', '--eval', STORE, '--', join(folder, 'memory.db')];
  const { status, stdout, stderr } = spawnSync('bwrap', [...mounts, ...node], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { facts: FACTS, found: 100 });
});
