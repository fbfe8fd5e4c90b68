/** `npm run build`: the package as it is published, in dist/. JavaScript, because Node strips no types in node_modules. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleConsole } from '../src/bundle/index.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')],
  { stdio: 'inherit' },
);
for (const path of [
  'bin',
  'deploy',
  'docker-compose.sentience.yml',
  'models',
  'proto',
  'skills',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
]) {
  cpSync(join(root, path), join(dist, path), { recursive: true, filter: (source) => !source.endsWith('.test.ts') });
}
const {
  devDependencies: _,
  scripts: __,
  private: ___,
  ...published
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  [key: string]: unknown;
  exports: Record<string, string>;
};
const exports = Object.fromEntries(
  Object.entries(published.exports).map(([name, path]) => [name, path.replace(/\.ts$/, '.js')]),
);
const built = join(dist, 'console/built');
mkdirSync(built, { recursive: true });
for (const [name, content] of await bundleConsole()) writeFileSync(join(built, name), content);
writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ ...published, exports }, undefined, 2)}\n`);
process.stdout.write('built: dist\n');
