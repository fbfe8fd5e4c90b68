import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readManifest } from '../../../src/manifest/index.ts';
import type { TargetDefinition } from '../target.ts';
import { readYaml, YAML_WORDS } from './yaml.ts';

const KEYS = [
  ...[
    'name: ',
    'version: ',
    'description: ',
    'entry: ',
    'isolation: ',
    'minimum: ',
    'network: ',
    'resources: ',
    'memory: ',
  ],
  ...[
    'timeouts: ',
    'limits: ',
    'request_bytes: ',
    'warm: ',
    'volumes: ',
    'native: ',
    'models: ',
    'health: ',
    'mounts: ',
  ],
  ...[
    'single_use: ',
    'idempotent: ',
    'config: ',
    'examples: ',
    'sandbox',
    'none',
    '256MiB',
    '10s',
    '1.2.3',
    'handler.ts',
  ],
];

export const manifest: TargetDefinition = {
  name: 'manifest',
  about: 'skill.yaml of a skill',
  dictionary: [...YAML_WORDS, ...KEYS],
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-manifest-'));
    const path = join(folder, 'skill.yaml');
    writeFileSync(join(folder, 'handler.ts'), '');
    return {
      run: (input) => {
        writeFileSync(path, input);
        return readYaml(() => {
          const { name, version, entryPath, resources, timeouts, limits, health } = readManifest(path);
          assert.match(name, /^[a-z][a-z0-9-]{0,31}$/);
          assert.match(version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/);
          assert.ok(entryPath.startsWith(`${folder}/`), entryPath);
          const { priority, ...amounts } = resources;
          assert.match(priority, /^(normal|batch)$/);
          const numbers = Object.entries({ ...amounts, ...timeouts, ...limits, ...health });
          for (const [key, value] of numbers) assert.ok(Number.isFinite(value) && value >= 0, `${key}: ${value}`);
        }, path);
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};
