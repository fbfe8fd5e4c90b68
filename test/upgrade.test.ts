/** State that another version wrote: what this one wrote is read, what is older is brought up to date, what is newer is refused. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { STATE_FORMATS } from '../src/assistant/state-formats.ts';
import { Coordinator } from '../src/federated/coordinator.ts';
import { COORDINATOR_FORMATS, Membership } from '../src/federated/index.ts';
import { EntityMemory, SkillSql } from '../src/memory/index.ts';
import { StateVersionError, sqliteFormat, upgradeState } from '../src/state-format/index.ts';
import { phoenix, startAssistant, temporaryFolder } from './support/assistant.ts';
import { LATER, MEMORY_VERSION } from './support/later-formats.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const ROOT = join(import.meta.dirname, '..');
const FIXTURE = join(import.meta.dirname, 'fixtures/state');
const [runtime = 'process'] = await availableRuntimes();

let state: string;
beforeEach(() => {
  state = temporaryFolder();
  cpSync(FIXTURE, state, { recursive: true });
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

/** Every file with its hash; the lock is no state. */
function contents(folder: string): string {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/lock\.db|\/backups\//.test(path))
    .map((path) => `${relative(folder, path)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`)
    .sort()
    .join('\n');
}

/** Makes a file say that it has this version. */
function sayVersion(path: string, version: number): void {
  if (path.endsWith('.bin')) {
    const bytes = readFileSync(path);
    bytes.writeUInt32LE(version, 8);
    writeFileSync(path, bytes);
  } else if (path.endsWith('.db')) {
    using database = new DatabaseSync(path);
    const isMemory = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'memory_replica'").get();
    database.exec(
      isMemory ? `UPDATE memory_replica SET schema_version = ${version}` : `PRAGMA user_version = ${version}`,
    );
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } else writeFileSync(path, readFileSync(path, 'utf8').replace(/"format": ?1/, `"format":${version}`));
}

describe('state as this version writes it', () => {
  it('opens with everything in it', async () => {
    await using assistant = await startAssistant({ PHOENIX_STATE_DIR: state });
    const get = async (path: string) => await (await fetch(new URL(path, assistant.url))).json();
    const { triples } = (await get('/api/memory/history?limit=10')) as { triples: { object: string }[] };
    assert.deepEqual(triples.map(({ object }) => object).sort(), ['Lugo', "O'Neil 👩‍👩‍👧", 'Roma']);
    const { feedback } = (await get('/api/feedback')) as { feedback: { text: string }[] };
    assert.deepEqual(
      feedback.map(({ text }) => text),
      ['how many sales were there?'],
    );
    const { stdout } = phoenix(['skill', 'call', 'sql', 'SELECT sum(amount) AS total FROM sales'], {
      PHOENIX_STATE_DIR: state,
    });
    assert.match(stdout, /\{"total":4\.0\}/);
    assert.equal(existsSync(join(state, 'backups')), false);
  });

  it('of a federation opens, too', () => {
    const folder = join(state, 'federated/coordinator');
    const publicKey = readFileSync(join(folder, 'public-key.pem'), 'utf8');
    const coordinator = new Coordinator({
      folder,
      spec: { id: 'fixture', dimension: 3 },
      settings: { mode: 'full', rate: 1, noise: 1, clip: 1, population: 1, roundMs: 1000, pauseMs: 1000 },
      policy: { epsilon: 100, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
      members: new Membership(folder),
      keys: { privateKey: '', publicKey },
    });
    assert.equal(coordinator.version, 1);
    assert.equal(coordinator.status().spending.rounds, 1);
    assert.equal(coordinator.status().clients, 1);
  });
});

describe('state that is newer', () => {
  for (const { file, version } of STATE_FORMATS) {
    it(`is refused in one line, and not changed: ${file}`, () => {
      sayVersion(join(state, file), version + 1);
      const before = contents(state);
      const { code, stdout, stderr } = phoenix(['start'], { PHOENIX_STATE_DIR: state, PHOENIX_LOG_LEVEL: 'silent' });
      assert.equal(code, 1);
      assert.equal(stdout, '');
      const line = `^phoenix: a newer Phoenix than this one \\(.*\\) wrote here: ${join(state, file)} has format ${version + 1} \\(this one knows ${version}\\)\\. .*nothing was changed\\n$`;
      assert.match(stderr, new RegExp(line));
      assert.equal(contents(state), before);
    });
  }

  for (const { file, version } of COORDINATOR_FORMATS) {
    it(`is refused by a coordinator: ${file}`, () => {
      const folder = join(state, 'federated/coordinator');
      sayVersion(join(folder, file), version + 1);
      const before = contents(state);
      const options = ['--mode', 'full', '--noise', '1', '--clip', '1', '--population', '1', '--epsilon', '100'];
      const { code, stderr } = phoenix(['federate', 'serve', ...options], { PHOENIX_STATE_DIR: state });
      assert.equal(code, 1);
      assert.match(stderr, /^phoenix: a newer Phoenix than this one .*\n$/);
      assert.equal(contents(state), before);
    });
  }

  it('in the sql skill gets nothing written to it, and the memory says why', async () => {
    const { pool, paths, stateDir, cleanUp } = createTestPool(runtime);
    const path = join(paths.data('sql'), 'main.db');
    mkdirSync(dirname(path), { recursive: true });
    cpSync(join(FIXTURE, 'skills/sql/data/main.db'), path);
    sayVersion(path, 2);
    const memory = new EntityMemory({ path: join(stateDir, 'memory.db'), remote: new SkillSql(pool) });
    try {
      await memory.storeSvo('Ana', 'vive_en', 'Vigo');
      for (let n = 0; n < 200 && !memory.stats().error; n++) await sleep(50);
      assert.match(memory.stats().error ?? '', /copy in the sql skill has format 2, this Phoenix knows 1/);
      assert.equal((await memory.recall({ subject: 'Ana' })).triples[0]?.object, 'Vigo');
    } finally {
      await memory.close();
      await pool.close();
    }
    using database = new DatabaseSync(path, { readOnly: true });
    assert.equal(database.prepare('SELECT count(*) AS n FROM memory_fact').get()?.n, 3);
    await cleanUp();
  });
});

/** What there is of the memory: its version, its facts, and whether the new column is there. */
function memoryOf(path: string) {
  using database = new DatabaseSync(path);
  assert.deepEqual({ ...database.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' });
  const rows = database.prepare('SELECT * FROM memory_fact').all();
  const version = database.prepare(MEMORY_VERSION.read).get()?.schema_version;
  return { version, facts: rows.length, notes: rows.filter(({ note }) => note === 'of version 3').length };
}

function pageOf(path: string, index: string): number {
  using database = new DatabaseSync(path);
  return Number(database.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(index)?.rootpage);
}

describe('state that is older', () => {
  it('is brought up to date, after a backup', () => {
    const before = contents(state);
    const notes: string[] = [];
    upgradeState(state, LATER, (line) => notes.push(line));
    assert.match(notes.join('\n'), /^.* a backup is in .*\n.*memory\.db: format 1 becomes 3\n.*format 1 becomes 2\n/);
    assert.deepEqual(memoryOf(join(state, 'memory.db')), { version: 3, facts: 3, notes: 3 });
    const members = JSON.parse(readFileSync(join(state, 'federated/coordinator/members.json'), 'utf8'));
    assert.deepEqual([members.format, members.groups, members.clients.length], [2, [], 1]);
    const [backup = '', ...others] = readdirSync(join(state, 'backups'));
    assert.deepEqual(others, []);
    assert.deepEqual(memoryOf(join(state, 'backups', backup, 'memory.db')), { version: 1, facts: 3, notes: 0 });
    // Put back, it is what it was, and nothing is done twice.
    upgradeState(state, LATER, () => assert.fail('there is nothing to do'));
    cpSync(join(state, 'backups', backup), state, { recursive: true });
    const restored = contents(state).split('\n');
    assert.equal(restored.length, before.split('\n').length);
    assert.ok(before.includes(restored.find((line) => line.includes('members.json')) ?? 'none'));
    assert.deepEqual(memoryOf(join(state, 'memory.db')), { version: 1, facts: 3, notes: 0 });
  });

  it('killed in the middle is as it was or as it will be, and goes on the next time', async () => {
    const seen = new Set<unknown>();
    for (let kill = 0; kill < 12; kill++) {
      const folder = temporaryFolder();
      cpSync(FIXTURE, folder, { recursive: true });
      const child = spawn(process.execPath, [join(import.meta.dirname, 'support/upgrading.ts'), folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exited = once(child, 'exit');
      await once(child.stdout, 'data');
      await sleep(kill * 20);
      child.kill('SIGKILL');
      await exited;
      const { version, facts, notes } = memoryOf(join(folder, 'memory.db'));
      seen.add(version);
      assert.equal(facts, 3);
      assert.equal(notes, version === 3 ? 3 : 0, `version ${version}`);
      assert.ok(version === 1 || version === 3);
      upgradeState(folder, LATER, () => undefined);
      assert.deepEqual(memoryOf(join(folder, 'memory.db')), { version: 3, facts: 3, notes: 3 });
      assert.deepEqual(
        readdirSync(join(folder, 'backups')).filter((name) => name.endsWith('.partial')),
        [],
      );
      rmSync(folder, { recursive: true });
    }
    assert.ok(seen.has(1), 'none was killed before its end');
  });

  it('of which no sound backup can be made is refused, and not changed', () => {
    const path = join(state, 'memory.db');
    const page = pageOf(path, 'memory_live_s');
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.fill(0xa5, 4096 * (page - 1), 4096 * page));
    const before = contents(state);
    assert.throws(
      () => upgradeState(state, LATER, () => assert.fail('nothing is done')),
      (error) =>
        error instanceof StateVersionError &&
        /memory\.db.*no backup could be made: .*(malformed|damaged).*Nothing was changed$/.test(error.message),
    );
    assert.equal(contents(state), before);
    assert.deepEqual(readdirSync(join(state, 'backups')), []);
  });

  it('whose migration fails is as it was, and says where the backup is', () => {
    const failing = [sqliteFormat('memory.db', [['UPDATE memory_fact SET object = NULL', 'nonsense']], MEMORY_VERSION)];
    assert.throws(() => upgradeState(state, failing, () => undefined), {
      name: 'StateVersionError',
      message: /could not be brought from format 1 to 2, and is as it was: .* A backup is in .*backups/,
    });
    assert.deepEqual(memoryOf(join(state, 'memory.db')), { version: 1, facts: 3, notes: 0 });
  });

  it('is refused where a backup has no room, and not changed', {
    skip: isMissing('bubblewrap', runtime === 'sandbox'),
  }, () => {
    const script = `
      const { cpSync, readFileSync } = await import('node:fs');
      const { sqliteFormat, upgradeState } = await import(${JSON.stringify(join(ROOT, 'src/state-format/index.ts'))});
      cpSync(${JSON.stringify(join(FIXTURE, 'memory.db'))}, '/mnt/memory.db');
      const version = { read: ${JSON.stringify(MEMORY_VERSION.read)}, write: (n) => 'UPDATE memory_replica SET schema_version = ' + n };
      try {
        upgradeState('/mnt', [sqliteFormat('memory.db', [['ALTER TABLE memory_fact ADD COLUMN note']], version)], () => {});
      } catch (error) {
        const isSame = readFileSync('/mnt/memory.db').equals(readFileSync(${JSON.stringify(join(FIXTURE, 'memory.db'))}));
        process.stdout.write(error.name + ' ' + isSame + ' ' + error.message);
      }`;
    const mounts = ['--ro-bind', '/', '/', '--dev', '/dev', '--size', '131072', '--tmpfs', '/mnt', '--chdir', '/'];
    const node = [process.execPath, '--input-type=module', '--eval', script];
    const { stdout, stderr } = spawnSync('bwrap', [...mounts, ...node], { encoding: 'utf8' });
    assert.match(stdout, /^StateVersionError true .*no backup could be made: it needs 1 MB, and 0 MB are free/, stderr);
  });
});
