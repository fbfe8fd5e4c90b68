/** `phoenix patch`: without an assistant, on a tree that it does not change. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TriedPatch } from '../src/patch/index.ts';
import { phoenix, temporaryFolder } from './support/assistant.ts';
import { availableRuntimes } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const MAIN = join(import.meta.dirname, '../src/cli/main.ts');
const DIFF = '--- a/f.txt\n+++ b/f.txt\n@@ -1 +1 @@\n-old\n+new\n';
const noSandbox = isMissing('bubblewrap', (await availableRuntimes()).includes('sandbox'));

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
const tree = join(folder, 'tree');
mkdirSync(tree);
writeFileSync(join(tree, 'f.txt'), 'old\n');
writeFileSync(
  join(tree, 'package.json'),
  JSON.stringify({ name: 'x', version: '1.0.0', scripts: { test: 'cat f.txt' } }),
);
const diff = join(folder, 'fix.diff');
writeFileSync(diff, DIFF);
const environment = { PHOENIX_STATE_DIR: join(folder, 'state'), XDG_CACHE_HOME: join(folder, 'cache') };
const run = (...args: string[]) => phoenix(['patch', ...args], environment);
const attempt = (...args: string[]) => {
  const { code, stdout, stderr } = run('try', diff, '--tree', tree, '--json', ...args);
  return { code, stderr, result: JSON.parse(stdout || '{}') as Partial<TriedPatch> };
};

describe('phoenix patch try', { skip: noSandbox }, () => {
  it('applies and runs, says how it went in words and by its exit code, and changes nothing', () => {
    const words = run('try', diff, '--tree', tree, '--run', 'cat f.txt; echo said >&2');
    assert.equal(words.code, 0, words.stderr);
    assert.match(
      words.stdout,
      /^modified {2}f\.txt {2}\+1 -1\n--- output\nnew\n--- errors\nsaid\n---\napplied to 1 file; the command succeeded .*\[sandbox, /,
    );
    const failed = attempt('--run', 'exit 7');
    assert.deepEqual([failed.code, failed.result.verdict, failed.result.command?.exitCode], [1, 'failed', 7]);
    assert.equal(attempt().result.verdict, 'applied');
    assert.equal(readFileSync(join(tree, 'f.txt'), 'utf8'), 'old\n');
    assert.deepEqual(readdirSync(tree).sort(), ['f.txt', 'package.json']);
    assert.equal(existsSync(environment.PHOENIX_STATE_DIR), false);
  });

  it('shows the command nothing of the tree but the copy: no socket in it, nothing that is left out', async () => {
    const project = join(folder, 'project');
    mkdirSync(join(project, '.git'), { recursive: true });
    mkdirSync(join(project, 'node_modules/dep'), { recursive: true });
    writeFileSync(join(project, '.git/config'), 'token');
    writeFileSync(join(project, 'secret.env'), 'token');
    writeFileSync(join(project, 'node_modules/dep/index.js'), 'module.exports = 42');
    writeFileSync(join(project, 'f.txt'), 'old\n');
    const server = createServer((socket) => socket.end('reached')).listen(join(project, 'db.sock'));
    await once(server, 'listening');
    const code = "console.log(require('dep'), require('fs').readFileSync('f.txt', 'utf8').trim())";
    const look = `node -e ${JSON.stringify(code)}; find / -name db.sock -o -name secret.env -o -name .git 2> /dev/null`;
    const child = spawn(
      process.execPath,
      [MAIN, 'patch', 'try', diff, '--tree', project, '--exclude', 'secret.env', '--json', '--run', look],
      { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const { command, notes } = (await new Response(
      Readable.toWeb(child.stdout) as ReadableStream,
    ).json()) as TriedPatch;
    server.close();
    assert.deepEqual([command?.stdout, notes], ['42 new\n', []]);
  });

  it('says which hunk does not apply, with exit code 2', () => {
    const { code, stdout } = phoenix(
      ['patch', 'try', '-', '--tree', tree],
      environment,
      DIFF.replace('-old', '-other'),
    );
    assert.equal(code, 2);
    assert.match(
      stdout,
      /^problem {3}f\.txt, hunk 1: .*line 1 should be "other", and there is "old"\nnot applied {2}\[/,
    );
  });

  it('ends a command at its time limit', () => {
    const { code, result } = attempt('--run', 'sleep 60', '--timeout', '1s');
    assert.deepEqual([code, result.command?.ended], [1, 'timeout']);
  });

  it('is interrupted: nothing goes on, nothing is left', async () => {
    const child = spawn(process.execPath, [MAIN, 'patch', 'try', diff, '--tree', tree, '--run', 'sleep 4242'], {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    while (!isRunning('sleep 4242')) await sleep(50);
    child.kill('SIGINT');
    assert.deepEqual((await once(child, 'exit'))[0], 1);
    assert.equal(isRunning('sleep 4242'), false);
  });

  it('refuses what it cannot try, and says why', () => {
    const cases: [string[], RegExp][] = [
      [['try', join(folder, 'none.diff')], /none\.diff cannot be read/],
      [['try', diff, '--tree', join(folder, 'none')], /--tree: .* is no folder/],
      [['try', diff, '--tree', tree, '--memory', 'much'], /"much" is no size/],
      [
        ['try', diff, '--tree', tree, '--runtime', 'process', '--run', 'true'],
        /no command is run where only the process isolates/,
      ],
      [['try', diff, '--tree', tree, '--no-toolchain', '--run', 'npm test'], /no program "npm" here/],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = run(...args);
      assert.equal(code, 1, stderr);
      assert.match(stderr, expected);
    }
    writeFileSync(join(folder, 'binary.diff'), Buffer.from([0xff, 0xfe]));
    assert.match(run('try', join(folder, 'binary.diff'), '--tree', tree).stderr, /is no UTF-8 text/);
  });
});

describe('phoenix patch sign', { skip: noSandbox }, () => {
  it('makes signatures that verify checks and that try demands', () => {
    const key = join(folder, 'key');
    const made = run('keygen', key);
    assert.equal(statSync(key).mode & 0o777, 0o600);
    const config = join(folder, 'phoenix.yaml');
    writeFileSync(config, made.stdout.slice(made.stdout.indexOf('skills:')).trim());
    const signedTry = () => phoenix(['-c', config, 'patch', 'try', diff, '--tree', tree], environment);
    assert.match(signedTry().stderr, /must be signed.*phoenix patch sign/);
    assert.equal(run('sign', diff, '--key', key).stdout, `signed: ${diff}.sig\n`);
    assert.equal(signedTry().code, 0);
    assert.match(run('verify', diff, '--key', `${key}.pub`).stdout, /the signature is good/);
    assert.equal(phoenix(['-c', config, 'patch', 'verify', diff], environment).code, 0);
    writeFileSync(diff, `${DIFF}\n`);
    assert.match(run('verify', diff, '--key', `${key}.pub`).stderr, /not one of this file/);
    assert.match(signedTry().stderr, /not one of this diff by a trusted key/);
    writeFileSync(diff, DIFF);
    assert.match(run('verify', diff).stderr, /no key to check with/);
    assert.match(run('keygen', key).stderr, /is there already/);
    assert.match(run('sign', diff, '--key', `${key}.pub`).stderr, /no private key/);
  });
});

/** Whether a process of this machine runs such a command. */
function isRunning(command: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() === command;
    } catch {
      return false;
    }
  });
}
