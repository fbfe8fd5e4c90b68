/**
 * Generates docker-compose.sentience.yml from the manifests of the skills: `npm run generate`, or with `--check` only compares and
 * fails when it is stale.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { composeFile } from '../src/deploy/index.ts';
import { readCatalog } from '../src/manifest/index.ts';
import { VERSION } from '../src/version.ts';

const root = join(import.meta.dirname, '..');
const path = join(root, 'docker-compose.sentience.yml');
const { skills, broken } = readCatalog([join(root, 'skills')]);
for (const { error } of broken.values()) throw error;
const text = composeFile(VERSION, [...skills.values()]);

if (!process.argv.includes('--check')) writeFileSync(path, text);
else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
  console.error('docker-compose.sentience.yml is not what the manifests of the skills say. Run: npm run generate');
  process.exit(1);
}
