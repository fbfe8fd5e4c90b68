import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { parse } from 'yaml';
import { isLoopback, type LoadedConfig, loadConfig } from './load.ts';

const TOKEN = 'a-token-of-enough-characters';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-config-'));
  file = join(folder, 'phoenix.yaml');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Loads a configuration file with this text. */
function load(text: string, environment: NodeJS.ProcessEnv = {}): LoadedConfig {
  writeFileSync(file, text);
  return loadConfig(file, environment);
}

/** What is wrong with a configuration. */
function problems(text: string, environment: NodeJS.ProcessEnv = {}): string {
  try {
    load(text, environment);
  } catch (error) {
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'YamlFileError', error.message);
    return error.message;
  }
  throw new assert.AssertionError({ message: 'nothing is wrong with it' });
}

const MODEL_DEFAULTS = { gpu: 'off', context_size: 4096, parallel: 2, speculation: 'exact' };

describe('loadConfig', () => {
  it('has a default for everything', () => {
    const { source: _, ...settings } = load('');
    assert.deepEqual(settings, {
      state_dir: join(folder, 'state'),
      skill_dirs: [],
      skill_runtime: 'auto',
      docker: { build: 'auto', transport: 'auto' },
      server: { host: '127.0.0.1', port: 8080, body_limit: 1_048_576 },
      pool: { idle_ttl: 300_000, memory_budget: 0, max_loaded: 0, lease: 60_000 },
      memory: { backend: 'skill', timeout: 5000, single_valued: [] },
      models: { target: 'nano', draft: 'nano', ...MODEL_DEFAULTS },
      language: { understanding: 'auto', answering: 'rules' },
      router: {
        ...{ threshold: 0.3, top_k: 3, deadline: 30_000, embeddings: 'off' },
        ...{ feedback: 'all', feedback_limit: 5000 },
      },
      skills: {},
      telemetry: { otlp: {} },
      log_level: 'info',
      file,
    });
  });

  it('reads values with their units and resolves paths from the folder of the file', () => {
    const config = load(`
state_dir: ../elsewhere
skill_dirs: [mine, /opt/skills]
pool: { idle_ttl: 1m, memory_budget: 2GiB }
models: { target: big.gguf, draft: 'hf:owner/repo:Q8_0' }
skills:
  weather: { pinned: true, idle_ttl: 0, config: { city: Bilbao } }
`);
    assert.equal(config.state_dir, join(folder, '..', 'elsewhere'));
    assert.deepEqual(config.skill_dirs, [join(folder, 'mine'), '/opt/skills']);
    assert.deepEqual([config.pool.idle_ttl, config.pool.memory_budget], [60_000, 2 * 1024 ** 3]);
    assert.deepEqual(config.models, {
      target: join(folder, 'big.gguf'),
      draft: 'hf:owner/repo:Q8_0',
      ...MODEL_DEFAULTS,
    });
    assert.deepEqual(config.skills.weather, { pinned: true, idle_ttl: 0, config: { city: 'Bilbao' } });
  });

  it('resolves the folders that it shows to skills from its own', () => {
    const { skills } = load('skills: { patch-sandbox: { mounts: { tree: ../project }, toolchain: true } }');
    assert.deepEqual(skills, { 'patch-sandbox': { mounts: { tree: join(folder, '../project') }, toolchain: true } });
  });

  it('shows no skill the sockets and tokens in the state folder', () => {
    for (const tree of ['.', '..', '/', 'state'])
      assert.match(
        problems(`skills: { patch-sandbox: { mounts: { tree: ${tree} } } }`),
        /skills\.patch-sandbox\.mounts\.tree: .* holds state_dir/,
      );
    assert.ok(load('skills: { patch-sandbox: { mounts: { tree: state-of-the-art } } }'));
  });

  it('gives the settings on as YAML, with the variables that override them', () => {
    const { source } = load('log_level: warn\nserver: { port: 1234 }\n', { PHOENIX_SERVER_PORT: '4321' });
    assert.deepEqual(parse(source), { log_level: 'warn', server: { port: 4321 } });
    assert.equal(load('skill_record: skills.json').skill_record, join(folder, 'skills.json'));
  });

  it('takes the file of PHOENIX_CONFIG, but rather the one that is named', () => {
    writeFileSync(file, 'log_level: warn');
    const other = join(folder, 'other.yaml');
    writeFileSync(other, 'log_level: debug');
    assert.equal(loadConfig(undefined, { PHOENIX_CONFIG: file }).log_level, 'warn');
    const named = loadConfig(other, { PHOENIX_CONFIG: file });
    assert.deepEqual([named.log_level, named.file], ['debug', other]);
  });

  it('refuses a file that is named and cannot be read', () => {
    const none = join(folder, 'none.yaml');
    const expected = { name: 'YamlFileError', message: `${none}: there is no such file` };
    assert.throws(() => loadConfig(none, {}), expected);
    assert.throws(() => loadConfig(undefined, { PHOENIX_CONFIG: none }), expected);
    assert.throws(() => loadConfig(folder, {}), { name: 'YamlFileError', message: new RegExp(`^${folder}: `) });
  });

  const wrong: [what: string, text: string, expected: RegExp][] = [
    [
      'an unknown key',
      'log_level: info\nlog_levle: info',
      /:2: log_levle: unknown key; allowed here: docker, language, log_level, memory,/,
    ],
    [
      'an unknown key of a section',
      'server:\n  prot: 1',
      /:2: server\.prot: unknown key; allowed here: body_limit, host, port, token$/,
    ],
    [
      'an unknown key of a skill',
      'skills:\n  a:\n    pined: true',
      /:3: skills\.a\.pined: unknown key; allowed here: config, idle_ttl, mounts, pinned, toolchain, warm$/,
    ],
    [
      'a value that is none of the allowed ones',
      '\nskill_runtime: vm',
      /:2: skill_runtime: .*"auto"\|"docker"\|"sandbox"\|"process"/,
    ],
    ['a port that is none', 'server:\n  port: 65536', /:2: server\.port: .*<=65535/],
    [
      'a model that is none',
      'models:\n  target: nanoo',
      /:2: models\.target: "nanoo" is no model: name a model by the path/,
    ],
    ['a short token', 'server:\n  token: short', /:2: server\.token: a token has at least 16 characters/],
    ['a duration without a unit', 'pool:\n  idle_ttl: 300', /:2: pool\.idle_ttl: .*250ms, 10s, 5m or 1h/],
    ['a file that is not YAML', 'server: {', /:1: /],
    [
      'an endpoint that is none',
      'telemetry:\n  otlp:\n    endpoint: collector:4318',
      /:3: telemetry\.otlp\.endpoint: an endpoint is a URL like/,
    ],
    ['an empty section', 'log_level: info\nserver:\n', /:2: server: .*expected object, received null/],
  ];
  for (const [what, text, expected] of wrong) {
    it(`names file and line of ${what}, and what is allowed`, () => {
      const found = problems(text);
      assert.ok(found.startsWith(`${file}:`), found);
      assert.match(found, expected);
    });
  }
});

describe('PHOENIX_ variables', () => {
  it('override the file, and mean what they would mean in it', () => {
    const config = load('log_level: warn\nserver:\n  port: 1000 # mine\n  host: localhost\n', {
      PHOENIX_LOG_LEVEL: 'debug',
      PHOENIX_SERVER_PORT: '2000',
      PHOENIX_SERVER_BODY_LIMIT: '2MiB',
      PHOENIX_POOL_IDLE_TTL: '0',
      PHOENIX_POOL_MAX_LOADED: '3',
      PHOENIX_MEMORY_SINGLE_VALUED: '[drives, wears]',
      PHOENIX_SKILL_DIRS: '[extra]',
      PHOENIX_STATE_DIR: '/var/lib/phoenix',
      PHOENIX_MODELS_DRAFT: 'none',
      PHOENIX_LANGUAGE_UNDERSTANDING: 'rules',
      PHOENIX_TELEMETRY_OTLP_ENDPOINT: 'http://collector:4318',
    });
    assert.equal(config.log_level, 'debug');
    assert.deepEqual(config.server, { port: 2000, host: 'localhost', body_limit: 2 * 1024 ** 2 });
    assert.deepEqual([config.pool.idle_ttl, config.pool.max_loaded], [0, 3]);
    assert.deepEqual(config.memory.single_valued, ['drives', 'wears']);
    assert.deepEqual(config.skill_dirs, [join(folder, 'extra')]);
    assert.deepEqual(config.models, { target: 'nano', draft: 'none', ...MODEL_DEFAULTS });
    assert.equal(config.language.understanding, 'rules');
    assert.equal(config.state_dir, '/var/lib/phoenix');
    assert.equal(config.telemetry.otlp.endpoint, 'http://collector:4318');
  });

  it('leave alone what they do not name', () => {
    const config = load('pool: { idle_ttl: 1m, lease: 2m }', { PHOENIX_POOL_LEASE: '3m', HOME: '/root', PHOENIX: 'x' });
    assert.deepEqual([config.pool.idle_ttl, config.pool.lease], [60_000, 180_000]);
  });

  it('that are no settings are passed over', () => {
    assert.equal(load('', { PHOENIX_CONFIG: '/nowhere', PHOENIX_TEST_REQUIRE: 'docker' }).log_level, 'info');
  });

  const wrong: [name: string, value: string, expected: RegExp][] = [
    ['PHOENIX_LOG_LEVEL', 'loud', /^PHOENIX_LOG_LEVEL: log_level: .*"debug"\|"info"/],
    ['PHOENIX_SERVER_PORT', 'http', /^PHOENIX_SERVER_PORT: server\.port: .*expected number, received string/],
    ['PHOENIX_SERVER_PORT', '', /^PHOENIX_SERVER_PORT: server\.port: .*received null/],
    [
      'PHOENIX_SERVER_PROT',
      '1',
      /^PHOENIX_SERVER_PROT: server\.prot: unknown key; allowed here: body_limit, host, port/,
    ],
    [
      'PHOENIX_LOGLEVEL',
      'info',
      /^PHOENIX_LOGLEVEL: loglevel: unknown key; allowed here: docker, language, log_level, memory/,
    ],
    [
      'PHOENIX_POOL_LEASE',
      '1 minute',
      /^PHOENIX_POOL_LEASE: pool\.lease: "1 minute" is no duration; write for example/,
    ],
    ['PHOENIX_SKILL_DIRS', '[a, b', /^PHOENIX_SKILL_DIRS: /],
    ['PHOENIX_LOG_LEVEL', '*info', /^PHOENIX_LOG_LEVEL: /],
  ];
  for (const [name, value, expected] of wrong) {
    it(`are named when they are wrong: ${name}=${value}`, () => {
      const found = problems('log_level: warn\n', { [name]: value });
      assert.match(found, expected);
      assert.doesNotMatch(found, /:\d+:/);
    });
  }

  it('do not hide what is wrong in the file', () => {
    assert.match(problems('log_level: loud', { PHOENIX_LOG_LEVEL: 'info' }), /phoenix\.yaml:1: log_level: /);
  });
});

describe('a server that other machines can reach', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'example.org', '127.0.0.1.example.org', '128.0.0.1']) {
    it(`needs a token: ${host}`, () => {
      assert.equal(isLoopback(host), false);
      const text = `server:\n  host: "${host}"\n`;
      assert.match(problems(text), /server\.host: .* server\.token \(or PHOENIX_SERVER_TOKEN\) is required/);
      assert.match(problems('', { PHOENIX_SERVER_HOST: `"${host}"` }), /PHOENIX_SERVER_TOKEN\) is required/);
      assert.equal(load(`${text}  token: ${TOKEN}\n`).server.token, TOKEN);
      assert.equal(load(text, { PHOENIX_SERVER_TOKEN: TOKEN }).server.host, host);
    });
  }

  for (const host of ['localhost', '127.0.0.1', '127.8.9.10', '::1']) {
    it(`is not one that listens at ${host}`, () => {
      assert.equal(isLoopback(host), true);
      assert.equal(load(`server: { host: "${host}" }`).server.token, undefined);
    });
  }
});
