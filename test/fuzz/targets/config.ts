import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { isLoopback, loadConfig } from '../../../src/config/index.ts';
import type { TargetDefinition } from '../target.ts';
import { readYaml, YAML_WORDS } from './yaml.ts';

const KEYS = [
  ...[
    'state_dir: ',
    'skill_dirs: ',
    'skill_runtime: ',
    'docker: ',
    'server: ',
    'host: ',
    'port: ',
    'token: ',
    'pool: ',
    'lease: ',
  ],
  ...[
    'memory: ',
    'single_valued: ',
    'models: ',
    'target: ',
    'draft: ',
    'language: ',
    'router: ',
    'skills: ',
    'mounts: ',
    'telemetry: ',
  ],
  ...[
    'otlp: ',
    'endpoint: ',
    'log_level: ',
    '0.0.0.0',
    '127.0.0.1',
    '::1',
    'hf:a/b',
    'http://x',
    '/tmp',
    '300s',
    '1MiB',
    '%ENV%\n',
  ],
  ...[
    'PHOENIX_LOG_LEVEL=',
    'PHOENIX_SERVER_PORT=',
    'PHOENIX_SERVER_HOST=',
    'PHOENIX_SKILLS=',
    'PHOENIX_TELEMETRY_OTLP_ENDPOINT=',
  ],
];

/** What follows are variables, a line for each; before it is the file. */
const ENVIRONMENT = '%ENV%\n';

export const config: TargetDefinition = {
  name: 'config',
  about: 'phoenix.yaml, and PHOENIX_* variables after a line %ENV%',
  dictionary: [...YAML_WORDS, ...KEYS],
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-config-'));
    const path = join(folder, 'phoenix.yaml');
    return {
      run: (input) => {
        const at = input.indexOf(ENVIRONMENT);
        writeFileSync(path, at < 0 ? input : input.subarray(0, at));
        const lines =
          at < 0
            ? []
            : input
                .subarray(at + ENVIRONMENT.length)
                .toString()
                .split('\n');
        const environment = Object.fromEntries(
          lines.flatMap((line) => {
            const [, name, value] = /^(PHOENIX_\w+)=([^\0]*)$/.exec(line) ?? [];
            return name === undefined || name === 'PHOENIX_CONFIG' ? [] : [[name, value]];
          }),
        );
        return readYaml(() => {
          const { server, state_dir, skill_dirs, skills, pool, memory } = loadConfig(path, environment);
          assert.ok(isLoopback(server.host) || server.token !== undefined, `${server.host} without a token`);
          for (const each of [state_dir, ...skill_dirs]) assert.ok(isAbsolute(each), each);
          for (const mount of Object.values(skills).flatMap(({ mounts = {} }) => Object.values(mounts))) {
            assert.ok(isAbsolute(mount) && !`${state_dir}/`.startsWith(mount === '/' ? '/' : `${mount}/`), mount);
          }
          for (const value of [pool.idle_ttl, pool.memory_budget, pool.lease, memory.timeout, server.body_limit])
            assert.ok(Number.isFinite(value) && value >= 0, `${value}`);
        }, path);
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};
