/** The patch-sandbox skill as it is called: what it answers, what it refuses, and what a hostile command cannot do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { readCatalog } from '../src/manifest/index.ts';
import { generateKeys, type PatchRequest, type PatchResult, signDiff } from '../src/patch/index.ts';
import type { ModelPool, SkillSettings } from '../src/pool/index.ts';
import type { RuntimeName } from '../src/runtimes/index.ts';
import { canStartEngine, TestEngine } from './support/engine.ts';
import { availableRuntimes, createTestPool, SKILLS } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const DIFF = '--- a/f.js\n+++ b/f.js\n@@ -1,2 +1,2 @@\n-console.log("old");\n+console.log("new");\n // end\n';
const FILES = { 'f.js': 'console.log("old");\n// end\n' };
const MIB = 1024 ** 2;

function patches(runtime: RuntimeName) {
  let test: ReturnType<typeof createTestPool>;
  /** With less memory and fewer processes than the manifest allows, so that exceeding them takes less of this machine. */
  const open = (settings: SkillSettings = {}) => {
    const catalog = readCatalog([SKILLS]);
    const manifest = catalog.skills.get('patch-sandbox');
    assert.ok(manifest);
    const resources = { ...manifest.resources, memory: 256 * MIB, tmp: 64 * MIB, pids: 64 };
    catalog.skills.set('patch-sandbox', { ...manifest, resources });
    test = createTestPool(runtime, { catalog, skills: { 'patch-sandbox': settings } });
    return test.pool;
  };
  afterEach(() => test.cleanUp());
  const attempt = async (pool: ModelPool, request: PatchRequest): Promise<PatchResult> => {
    const { text } = await pool
      .client('patch-sandbox')
      .infer({ prompt: JSON.stringify(request) }, { timeoutMs: 60_000 });
    return JSON.parse(text) as PatchResult;
  };

  it('are applied to the files of the request, and every patch finds a place of its own', async () => {
    const pool = open();
    for (let n = 0; n < 2; n++) {
      const { verdict, summary, files, problems, command } = await attempt(pool, { diff: DIFF, files: FILES });
      assert.deepEqual([verdict, summary, problems, command], ['applied', 'applied to 1 file', [], undefined]);
      assert.deepEqual(files, [{ path: 'f.js', change: 'modified', added: 1, removed: 1, fuzz: 0 }]);
    }
    const other = await attempt(pool, { diff: DIFF });
    assert.equal(other.verdict, 'not_applied');
    assert.deepEqual(other.problems, [{ path: 'f.js', reason: 'there is no file f.js' }]);
  });

  it('that do not apply say which hunk of which file, and nothing is run', async (t) => {
    const request: PatchRequest = { diff: DIFF, files: { 'f.js': 'console.log("other");\n' } };
    const { verdict, problems, command, summary } = await attempt(open(), request);
    assert.equal(verdict, 'not_applied');
    assert.equal(command, undefined);
    assert.equal(problems[0]?.hunk, 1);
    assert.match(summary, /^not applied: f\.js, hunk 1: .*should be "console.log\(\\"old\\"\);", and there is/);
    t.diagnostic(summary);
  });

  it('are applied to a tree that is only read', async () => {
    const tree = mkdtempSync(join(tmpdir(), 'phoenix-tree-'));
    try {
      chmodSync(tree, 0o755);
      writeFileSync(join(tree, 'f.js'), FILES['f.js']);
      mkdirSync(join(tree, '.git'));
      const server = createServer().listen(join(tree, 'socket'));
      await once(server, 'listening');
      server.unref();
      const { verdict, notes } = await attempt(open({ mounts: { tree } }), { diff: DIFF });
      assert.deepEqual([verdict, notes], ['applied', []]);
      assert.equal(readFileSync(join(tree, 'f.js'), 'utf8'), FILES['f.js']);
      assert.deepEqual(readdirSync(tree).sort(), ['.git', 'f.js', 'socket']);
      server.close();
    } finally {
      rmSync(tree, { recursive: true });
    }
  });

  it('with a request that is none are refused, and the next one is served', async () => {
    const pool = open();
    const cases: [string, RegExp][] = [
      ['hello', /must be JSON/],
      ['{}', /diff: /],
      ['{"diff":""}', /diff: the diff is empty/],
      ['{"diff":"x","comand":"y"}', /"comand"/],
      ['{"diff":"x","files":{"../x":"y"}}', /files: "\.\.\/x": the path leaves the tree/],
      ['{"diff":"x","files":{"/x":"y"}}', /files: "\/x": the path is absolute/],
      ['{"diff":"x","files":{"x":{"base64":"?"}}}', /files\.x/],
    ];
    for (const [prompt, message] of cases)
      await assert.rejects(pool.client('patch-sandbox').infer({ prompt }), { code: 'INVALID_ARGUMENT', message });
    assert.equal((await attempt(pool, { diff: DIFF, files: FILES })).verdict, 'applied');
  });

  it('need a signature by a trusted key where that is demanded', async () => {
    const [trusted, other] = [generateKeys(), generateKeys()];
    const pool = open({ config: { trusted_keys: [trusted.publicKey] } });
    const signed = (diff: string, key: string): PatchRequest => ({
      diff,
      files: FILES,
      signature: signDiff(Buffer.from(diff), key),
    });
    await assert.rejects(attempt(pool, { diff: DIFF, files: FILES }), {
      code: 'PERMISSION_DENIED',
      message: /must be signed/,
    });
    await assert.rejects(attempt(pool, signed(DIFF, other.privateKey)), {
      code: 'PERMISSION_DENIED',
      message: /not one of this diff/,
    });
    const changed = { ...signed(DIFF, trusted.privateKey), diff: DIFF.replace('new', 'own') };
    await assert.rejects(attempt(pool, changed), { code: 'PERMISSION_DENIED' });
    assert.equal((await attempt(pool, signed(DIFF, trusted.privateKey))).verdict, 'applied');
  });

  it('are not served with keys that are none', async () => {
    await assert.rejects(attempt(open({ config: { trusted_keys: ['x'] } }), { diff: DIFF }), /no public key in PEM/);
  });

  if (runtime === 'process') {
    it('run no command where nothing would keep it from this machine', async () => {
      const request: PatchRequest = { diff: DIFF, files: FILES, command: ['node', 'f.js'] };
      await assert.rejects(attempt(open(), request), {
        code: 'FAILED_PRECONDITION',
        message: /no command is run where only the process isolates.*bubblewrap or a container engine/,
      });
    });
    return;
  }

  /** Runs a program of Node's beside the patch. */
  const run = (pool: ModelPool, code: string, more: Partial<PatchRequest> = {}) =>
    attempt(pool, { diff: DIFF, files: { ...FILES, 'run.cjs': code }, command: ['node', 'run.cjs'], ...more });

  it('are judged by their command: what it says, how it ends', async () => {
    const pool = open();
    const passed = await attempt(pool, { diff: DIFF, files: FILES, command: 'node f.js' });
    assert.deepEqual([passed.verdict, passed.command?.stdout, passed.command?.exitCode], ['passed', 'new\n', 0]);
    const failed = await run(pool, 'console.error("no"); process.exitCode = 3');
    assert.deepEqual([failed.verdict, failed.command?.stderr, failed.command?.exitCode], ['failed', 'no\n', 3]);
    assert.match(failed.summary, /the command failed in .* \(exit code 3\)/);
    const died = await run(pool, 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)');
    assert.deepEqual([died.verdict, died.command?.signal], ['failed', 'SIGTERM']);
  });

  it('say what is missing where there is only Node', async () => {
    const pool = open();
    const cases: [PatchRequest['command'], RegExp][] = [
      ['npm test', /no program "npm" here.*Only Node is in the image or sandbox.*toolchain: true/],
      ['node f.js && true', /no shell here to run.*toolchain: true/],
      [['/bin/sh', '-c', 'true'], /could not be started/],
    ];
    for (const [command, message] of cases)
      await assert.rejects(attempt(pool, { diff: DIFF, files: FILES, command }), {
        code: 'FAILED_PRECONDITION',
        message,
      });
  });

  it('see the programs of this machine where they are shown, and nothing else of it', async () => {
    const tree = mkdtempSync(join(tmpdir(), 'phoenix-tree-'));
    try {
      chmodSync(tree, 0o755);
      writeFileSync(join(tree, 'f.js'), FILES['f.js']);
      const pool = open({ toolchain: true, mounts: { tree } });
      const command = [
        'sh -c "echo from sh" && node f.js',
        'for path in /root /home /etc/shadow /etc/ssh /var /run/docker.sock; do test -e $path && echo "sees $path"; done',
        'for path in /usr/x /etc/x /mnt/tree/x; do (: > $path) 2> /dev/null && echo "writes $path"; done',
        'exit 0',
      ].join('\n');
      const { verdict, command: result } = await attempt(pool, { diff: DIFF, command });
      assert.deepEqual([verdict, result?.stdout], ['passed', 'from sh\nnew\n']);
    } finally {
      rmSync(tree, { recursive: true });
    }
  });

  it('end a command that takes too long, with all that it started', async () => {
    const pool = open();
    const code = `console.log('begins');
    const { spawn } = require('child_process');
    process.on('SIGTERM', () => {});
    for (const detached of [true, false]) spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached, stdio: 'inherit' });
    setInterval(() => {}, 1000);`;
    const { verdict, command, summary } = await run(pool, code, { timeout_ms: 1500 });
    assert.deepEqual([verdict, command?.ended, command?.stdout], ['failed', 'timeout', 'begins\n']);
    assert.match(summary, /took longer than/);
    assert.ok((command?.durationMs ?? 0) < 10_000);
  });

  it('keep the beginning and the end of what is said, and end what says too much', async () => {
    const pool = open({ config: { kept_output_bytes: 2000, max_output_bytes: 1_000_000 } });
    const much = await run(pool, 'console.log("first"); console.log("x".repeat(100_000)); console.log("last")');
    assert.equal(much.verdict, 'passed');
    assert.ok(much.command && much.command.stdout.length < 2100);
    assert.match(much.command.stdout, /^first\nx+\n\[\.\.\. \d+ bytes left out \.\.\.\]\nx+\nlast\n$/);
    const endless = await run(
      pool,
      'const line = "y".repeat(60_000); const say = () => { while (process.stdout.write(line)); process.stdout.once("drain", say) }; say()',
    );
    assert.deepEqual([endless.verdict, endless.command?.ended], ['failed', 'output']);
    assert.ok(endless.command && endless.command.stdout.length < 2100);
  });

  it('reach no network', async () => {
    const code = `const socket = require('net').connect(53, '192.0.2.1');
    socket.on('error', ({ code }) => console.log(code)).on('connect', () => console.log('connected'));`;
    assert.match(
      (await run(open(), code, { timeout_ms: 5000 })).command?.stdout ?? '',
      /^(ENETUNREACH|EHOSTUNREACH)\n$/,
    );
  });

  it('cannot fork without end', async (t) => {
    const pool = open();
    const code = `const { spawn } = require('child_process');
    const more = () => { for (let n = 0; n < 4; n++) spawn(process.execPath, [__filename], { stdio: 'ignore', detached: true }).on('error', () => {}) };
    more();
    setInterval(more, 50);`;
    // Refused processes, a killed command or a killed skill: whatever the kernel takes first, it ends, and the next one is served.
    const outcome = await run(pool, code, { timeout_ms: 2000 }).then(
      ({ verdict }) => verdict,
      ({ code }: { code: string }) => code,
    );
    t.diagnostic(outcome);
    assert.match(outcome, /^(failed|UNAVAILABLE|RESOURCE_EXHAUSTED)$/);
    assert.equal((await attempt(pool, { diff: DIFF, files: FILES, command: 'node f.js' })).verdict, 'passed');
  });

  it('cannot take more memory than they may, in processes or in files', async (t) => {
    const pool = open();
    const hungry = 'const all = []; while (true) all.push(Buffer.alloc(8 << 20, 1))';
    const outcome = await run(pool, hungry).then(
      ({ verdict, command }) => `${verdict} ${command?.ended ?? command?.exitCode ?? command?.signal}`,
      ({ code }: { code: string }) => code,
    );
    t.diagnostic(outcome);
    assert.match(outcome, /^(failed (killed|\d+|SIG\w+)|UNAVAILABLE)$/);
    const full = `try { const fs = require('fs'); while (true) fs.appendFileSync('big', Buffer.alloc(1 << 20)) } catch ({ code }) { console.log(code) }`;
    assert.equal((await run(pool, full)).command?.stdout, 'ENOSPC\n');
    const files = { ...FILES, big: { base64: Buffer.alloc(10 * MIB).toString('base64') } };
    assert.equal((await attempt(pool, { diff: DIFF, files })).verdict, 'applied');
  });

  it('leave nothing for the next one', async () => {
    const pool = open();
    const code = `for (const path of ['/tmp/left', 'left']) require('fs').writeFileSync(path, 'x'); globalThis.left = 1`;
    assert.equal((await run(pool, code)).verdict, 'passed');
    const look = `console.log(require('fs').readdirSync('/tmp').sort().join(), require('fs').readdirSync('.').sort().join())`;
    assert.equal((await run(pool, look)).command?.stdout, 'home,work f.js,run.cjs\n');
  });

  it('do not fit: that is said', async () => {
    const tree = mkdtempSync(join(tmpdir(), 'phoenix-tree-'));
    try {
      chmodSync(tree, 0o755);
      writeFileSync(join(tree, 'big'), Buffer.alloc(80 * MIB));
      symlinkSync('/etc/passwd', join(tree, 'link'));
      await assert.rejects(attempt(open({ mounts: { tree } }), { diff: DIFF }), {
        code: 'RESOURCE_EXHAUSTED',
        message: /do not fit into the temporary folder.*config\.exclude/,
      });
    } finally {
      rmSync(tree, { recursive: true });
    }
  });
}

for (const runtime of await availableRuntimes()) describe(`patches with ${runtime}`, () => patches(runtime));

const noEngine = isMissing('a Docker engine (dockerd, as root)', canStartEngine());
describe('patches with docker', { skip: noEngine }, () => {
  const engine = new TestEngine();
  before(() => engine.start());
  after(() => engine.remove());
  patches('docker');
});
