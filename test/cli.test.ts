/** The command line without a running assistant: what it does, and how it refuses. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { phoenix, temporaryFolder } from './support/assistant.ts';

const folder = temporaryFolder();
const environment = { PHOENIX_STATE_DIR: join(folder, 'state') };
after(() => rmSync(folder, { recursive: true, force: true }));
const run = (...args: string[]) => phoenix(args, environment);

describe('phoenix', () => {
  it('remembers and answers', () => {
    assert.match(run('chat', 'Mi hermana vive en Madrid').stdout, /\(hermana, vive_en, Madrid\)/);
    assert.equal(run('chat', '¿Dónde vive mi hermana?').stdout, 'Tu hermana vive en Madrid.\n');
    const { triples } = JSON.parse(run('memory', 'recall', '--subject', 'hermana', '--json').stdout) as {
      triples: { object: string }[];
    };
    assert.deepEqual(
      triples.map(({ object }) => object),
      ['Madrid'],
    );
  });

  it('calls, starts and stops skills', () => {
    assert.equal(run('skill', 'call', 'sql', 'SELECT ? AS one', '--parameter', '1').stdout, '[{"one":1}]\n');
    assert.match(run('skill', 'start', 'sql').stdout, /^sql: ready \((container|sandbox|process)\)/);
    assert.match(run('skill', 'status', 'sql').stdout, /"state": "ready"/);
    assert.match(run('skill', 'logs', 'sql').stdout, /"msg":"serving"/);
    assert.equal(run('skill', 'stop', 'sql').stdout, 'sql: stopped\n');
    assert.equal(run('skill', 'stop', 'sql').stdout, 'sql: was not running\n');
  });

  it('lets the draft skill write, as much as it is asked for', () => {
    const write = (...more: string[]) => run('skill', 'call', 'draft', 'Mi hermana vive', '--json', ...more);
    const written = (...more: string[]) => (JSON.parse(write(...more).stdout) as { text: string }).text;
    assert.equal(written(), '');
    const short = written('--max-tokens', '3');
    assert.ok(short.length > 0);
    const long = written('--max-tokens', '12');
    assert.ok(long.startsWith(short) && long.length > short.length, JSON.stringify([short, long]));
    assert.match(write('--max-tokens', '0').stderr, /no whole number above 0/);
  });

  it('exports, forgets and imports', () => {
    const file = join(folder, 'export.jsonl');
    assert.equal(run('memory', 'export', file).code, 0);
    assert.equal(run('memory', 'forget', '--everything').stdout, 'forgotten: 1\n');
    assert.equal(run('memory', 'recall').stdout, 'nothing is known about that\n');
    assert.equal(run('memory', 'import', file).stdout, 'imported: 1\n');
    assert.match(run('memory', 'history').stdout, /hermana +vive_en +Madrid/);
  });

  it('shows the models and what they need', () => {
    const rows = JSON.parse(run('models', 'list', '--json').stdout) as { role: string; model: string; path: string }[];
    assert.deepEqual(
      rows.map(({ role, model }) => [role, model]),
      [
        ['target', 'nano'],
        ['draft', 'nano'],
      ],
    );
    assert.match(run('models', 'inspect').stdout, /architecture +llama.*memory +\d+ MiB.*the same vocabulary/s);
    assert.match(run('models', 'list').stdout, /^ROLE +MODEL +SIZE +TYPE +FILE\ntarget +nano/);
    const file = rows[1]?.path ?? '';
    const { models } = JSON.parse(run('models', 'inspect', file, '--context', '256', '--json').stdout) as {
      models: { memory: { contextSize: number; total: number } }[];
    };
    assert.equal(models[0]?.memory.contextSize, 256);
    assert.ok((models[0]?.memory.total ?? 0) > 200_000);
  });

  it('says what is wrong with a model', () => {
    for (const [args, expected] of [
      [['rm', 'hf:owner/repo:Q8_0'], /was not pulled/],
      [['inspect', 'nanoo'], /"nanoo" is no model: name a model by/],
      [['inspect', join(folder, 'none.gguf')], /there is no model file/],
      [['pull', 'nano'], /is here already/],
    ] as const) {
      const { stderr, code } = run('models', ...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n +at /);
    }
  });

  it('examines the machine', () => {
    const { stdout, code } = run('doctor');
    assert.equal(code, 0, stdout);
    for (const what of [
      'node',
      'state folder',
      'runtime docker',
      'runtime sandbox',
      'runtime process',
      'skills: draft, patch-sandbox, sql',
      'model target: phoenix-nano-target',
      'model draft: phoenix-nano-draft',
    ]) {
      assert.ok(stdout.includes(what), what);
    }
    const without = phoenix(['doctor'], {
      ...environment,
      PHOENIX_MODELS_TARGET: 'hf:owner/repo:Q8_0',
      PHOENIX_MODELS_DRAFT: 'none',
    });
    assert.equal(without.code, 1);
    assert.match(without.stdout, /PROBLEM {2}model target: .*run "phoenix models pull hf:owner\/repo:Q8_0"/);
    assert.match(without.stdout, /model draft: none: switched off/);
  });

  it('makes a skill that passes its own test and is called by its name', () => {
    // Inside the package, where "phoenix/testing" is found.
    const skills = mkdtempSync(join(import.meta.dirname, 'scaffold-'));
    try {
      const configFile = join(folder, 'phoenix.yaml');
      writeFileSync(configFile, `skill_dirs: [${skills}]\n`);
      const make = () => phoenix(['-c', configFile, 'skill', 'new', 'shout', '--dir', skills], environment);
      assert.match(make().stdout, /next:\n {2}node --test .*shout\/handler\.test\.ts/);
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const test = spawnSync(process.execPath, ['--test', join(skills, 'shout', 'handler.test.ts')], {
        encoding: 'utf8',
        env,
      });
      assert.equal(test.status, 0, test.stdout);
      assert.match(test.stdout, /pass 2/);
      assert.equal(phoenix(['-c', configFile, 'skill', 'call', 'shout', 'hello'], environment).stdout, 'HELLO\n');
      assert.match(make().stderr, /is there already/);
    } finally {
      rmSync(skills, { recursive: true });
    }
  });

  it('refuses with one clear line, the right exit code, and changes nothing', async () => {
    const config = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return ['-c', join(folder, name)];
    };
    mkdirSync(join(folder, 'broken', 'bad'), { recursive: true });
    writeFileSync(join(folder, 'broken', 'bad', 'skill.yaml'), 'name: bad\nversion: one\ndescription: x\n');
    writeFileSync(join(folder, 'file'), 'a file');
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    const bad: [string, string[], RegExp, Record<string, string>?][] = [
      [
        'unknown skill',
        ['skill', 'call', 'nothing', 'x'],
        /skill nothing: there is none of this name; there are: .*sql/,
      ],
      [
        'broken manifest',
        [...config('a.yaml', 'skill_dirs: [broken]'), 'skill', 'call', 'bad', 'x'],
        /bad\/skill\.yaml:2: version: .*1\.2\.3/,
      ],
      ['wrong key', [...config('b.yaml', 'state_dir: x\nsevrer: {}\n'), 'skill', 'list'], /b\.yaml:2: sevrer/],
      [
        'wrong value',
        [...config('c.yaml', 'skill_runtime: jail\n'), 'skill', 'list'],
        /c\.yaml:1: skill_runtime: .*sandbox/,
      ],
      ['no YAML', [...config('d.yaml', 'a: [1\n'), 'skill', 'list'], /d\.yaml:/],
      ['no such file', ['-c', join(folder, 'none.yaml'), 'skill', 'list'], /none\.yaml: there is no such file/],
      ['wrong variable', ['skill', 'list'], /PHOENIX_SERVER_PORT: server\.port/, { PHOENIX_SERVER_PORT: 'http' }],
      ['unknown variable', ['skill', 'list'], /PHOENIX_SEVRER/, { PHOENIX_SEVRER: '1' }],
      ['beyond loopback', ['start'], /server\.token/, { PHOENIX_SERVER_HOST: '0.0.0.0' }],
      [
        'occupied port',
        ['start'],
        new RegExp(`127\\.0\\.0\\.1:${port} is in use`),
        { PHOENIX_SERVER_PORT: String(port) },
      ],
      [
        'unusable state folder',
        ['chat', 'hola'],
        /the state folder cannot be used.*state_dir/,
        { PHOENIX_STATE_DIR: join(folder, 'file', 'x') },
      ],
      ['runtime', ['skill', 'list'], /skill_runtime/, { PHOENIX_SKILL_RUNTIME: 'docker' }],
      ['name of a skill', ['skill', 'new', 'No Name'], /is no name for a skill/],
      ['SQL', ['skill', 'call', 'sql', 'SELEC 1'], /near "SELEC": syntax error/],
      ['no number', ['memory', 'recall', '--limit', 'x'], /is no number/],
      ['limit', ['memory', 'recall', '--limit', '0'], /limit: must be a whole number/],
      ['no date', ['memory', 'recall', '--as-of', 'soon'], /is no date/],
      ['forget nothing', ['memory', 'forget'], /names nothing/],
      ['import', ['memory', 'import', join(folder, 'file')], /line 1/],
      ['import of nothing', ['memory', 'import', join(folder, 'none.jsonl')], /none\.jsonl/],
      ['command', ['fly'], /unknown command 'fly'/],
    ];
    const before = run('memory', 'stats').stdout;
    for (const [what, args, message, more = {}] of bad) {
      const { code, stderr, stdout } = phoenix(args, { ...environment, ...more });
      assert.equal(code, 1, `${what}: ${stdout}${stderr}`);
      assert.match(stderr, message, what);
      assert.doesNotMatch(stderr, /^ {4}at /m, `${what} shows a stack`);
    }
    taken.close();
    assert.equal(run('memory', 'stats').stdout, before);
  });

  it('lets two commands at once wait for each other', async () => {
    const main = join(import.meta.dirname, '../src/cli/main.ts');
    const codes = await Promise.all(
      ['Ana', 'Luis', 'Eva'].map(
        (name) =>
          new Promise((resolve) => {
            spawn(process.execPath, [main, 'chat', `${name} vive en Roma`], {
              env: { ...process.env, ...environment },
            }).on('exit', resolve);
          }),
      ),
    );
    assert.deepEqual(codes, [0, 0, 0]);
    assert.match(run('chat', '¿Quién vive en Roma?').stdout, /Ana/);
    const { triples } = JSON.parse(run('memory', 'recall', '--object', 'roma', '--json').stdout) as {
      triples: unknown[];
    };
    assert.equal(triples.length, 3);
  });
});
