/** Where disks are full: for temporary files, for the facts themselves, for logs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
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

/** Fills a disk with facts, and looks at what is known then. */
const FILL = `
  const { EntityMemory } = await import(${JSON.stringify(join(import.meta.dirname, '../src/memory/index.ts'))});
  const memory = new EntityMemory({ path: '/var/tmp/memory.db' });
  let stored = 0;
  let problem;
  while (!problem) {
    const fact = { subject: 'Ana', verb: 'dice', object: stored + 'x'.repeat(20_000) };
    await memory.storeMany([fact]).then(() => { stored++; }, (error) => { problem = error; });
  }
  const { triples } = await memory.recall({ limit: 10000 });
  const { name, message, isFull } = problem;
  await memory.close();
  process.stdout.write(JSON.stringify({ name, message, isFull, lost: stored - triples.length }));
`;

/** Runs a module in a view of this machine with some small file systems. */
function runWith(mounts: string[], module: string, folder: string) {
  // What runs may itself lie in one of the small ones.
  const own = ['--bind', folder, folder, '--ro-bind', ROOT, ROOT];
  const all = ['--ro-bind', '/', '/', '--dev', '/dev', ...mounts, ...own, '--chdir', '/'];
  const node = [process.execPath, '--input-type=module', '--eval', module, '--', join(folder, 'memory.db')];
  return spawnSync('bwrap', [...all, ...node], { encoding: 'utf8' });
}

describe('the memory', { skip: isMissing('bubblewrap', (await availableRuntimes()).includes('sandbox')) }, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-no-room-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('stores many facts where temporary files have no room', () => {
    const tiny = ['/tmp', '/var/tmp'].flatMap((path) => ['--size', '65536', '--tmpfs', path]);
    const { status, stdout, stderr } = runWith(tiny, STORE, folder);
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { facts: FACTS, found: 100 });
  });

  it('says that the disk is full, and knows what it said it had stored', () => {
    const { status, stdout, stderr } = runWith(['--size', '4194304', '--tmpfs', '/var/tmp'], FILL, folder);
    assert.equal(status, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      name: 'MemoryWriteError',
      message: 'nothing was stored: the disk with /var/tmp/memory.db is full; free some space there',
      isFull: true,
      lost: 0,
    });
  });
});

/** What is written to it meets a full disk, null(4). */
const FULL_DEVICE = '/dev/full';

describe('a log that cannot be written', { skip: isMissing(FULL_DEVICE, existsSync(FULL_DEVICE)) }, () => {
  const logs = {
    'of the assistant': `
      const { createLogger } = await import(${JSON.stringify(join(ROOT, 'src/telemetry/index.ts'))});
      const log = createLogger('info');
      for (let n = 0; n < 3; n++) log.info('a line');`,
    'of a skill': `
      const { createLog } = await import(${JSON.stringify(join(ROOT, 'src/skill/log.ts'))});
      const log = createLog({});
      for (let n = 0; n < 3; n++) log('info', 'a line');
      await new Promise((resolve) => setTimeout(resolve, 50));`,
  };
  for (const [whose, module] of Object.entries(logs)) {
    it(`${whose} ends nothing`, () => {
      const full = openSync(FULL_DEVICE, 'w');
      const { status, stdout } = spawnSync(
        process.execPath,
        ['--input-type=module', '--eval', `${module}; process.stdout.write('goes on')`],
        { stdio: ['ignore', 'pipe', full], encoding: 'utf8' },
      );
      closeSync(full);
      assert.deepEqual([status, stdout], [0, 'goes on']);
    });
  }
});
