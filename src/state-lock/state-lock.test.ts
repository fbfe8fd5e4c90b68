import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { lockStateDir, StateDirError } from './state-lock.ts';

let folder: string;
let children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-lock-'));
});

afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children = [];
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that claims the folder, says what came of it, and stays. */
async function claimElsewhere(stateDir: string): Promise<{ child: ChildProcess; said: string }> {
  const module = new URL('./state-lock.ts', import.meta.url).href;
  const script = `
    import { lockStateDir } from ${JSON.stringify(module)};
    globalThis.claim = await lockStateDir(${JSON.stringify(stateDir)}, 0);
    process.stdout.write(globalThis.claim ? 'held' : 'refused');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said) };
}

describe('lockStateDir', () => {
  it('makes the folder, for this user alone', async () => {
    const stateDir = join(folder, 'deep', 'state');
    using lock = await lockStateDir(stateDir, 0);
    assert.ok(lock);
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);
  });

  it('gives the folder to one at a time', async () => {
    const first = await lockStateDir(folder, 0);
    assert.ok(first);
    assert.equal(await lockStateDir(folder, 0), undefined);
    assert.equal(await lockStateDir(folder, 0), undefined, 'the refused claim let go of the lock');
    first[Symbol.dispose]();
    using next = await lockStateDir(folder, 0);
    assert.ok(next);
  });

  it('gives different folders to different owners', async () => {
    using one = await lockStateDir(join(folder, 'one'), 0);
    using two = await lockStateDir(join(folder, 'two'), 0);
    assert.ok(one && two);
  });

  it('gives it to the one who waits when the holder lets go', async () => {
    const first = await lockStateDir(folder, 0);
    const waiting = lockStateDir(folder, 60_000);
    first?.[Symbol.dispose]();
    using second = await waiting;
    assert.ok(second);
  });

  it('holds against other processes, in both directions', async () => {
    const other = await claimElsewhere(folder);
    assert.equal(other.said, 'held');
    assert.equal(await lockStateDir(folder, 0), undefined);
    using own = await lockStateDir(join(folder, 'own'), 0);
    assert.ok(own);
    assert.equal((await claimElsewhere(join(folder, 'own'))).said, 'refused');
  });

  it('is let go of when the process that holds it is killed', async () => {
    const { child, said } = await claimElsewhere(folder);
    assert.equal(said, 'held');
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    assert.deepEqual(await exited, [null, 'SIGKILL']);
    using lock = await lockStateDir(folder, 0);
    assert.ok(lock);
  });

  it('says what to do when the folder cannot be made', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const stateDir = join(file, 'state');
    await assert.rejects(lockStateDir(stateDir, 0), (error) => {
      assert.ok(error instanceof StateDirError);
      assert.ok(error.message.startsWith(`${stateDir}: the state folder cannot be used: `));
      assert.match(error.message, /Set state_dir to a folder that can be written/);
      return true;
    });
  });

  it('refuses a folder in which something else has the place of the lock', async () => {
    mkdirSync(join(folder, 'a', 'lock.db'), { recursive: true });
    await assert.rejects(lockStateDir(join(folder, 'a'), 0), StateDirError);
    mkdirSync(join(folder, 'b'));
    writeFileSync(
      join(folder, 'b', 'lock.db'),
      'this is no database, and long enough to be noticed as none. '.repeat(10),
    );
    await assert.rejects(lockStateDir(join(folder, 'b'), 0), StateDirError);
  });
});
