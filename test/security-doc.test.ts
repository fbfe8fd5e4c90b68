/** docs/security.md names the tests that prove each measure: they exist, and no attempt is missing there. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

const FOLDER = import.meta.dirname;
const DOCUMENT = readFileSync(join(FOLDER, '../docs/security.md'), 'utf8').replaceAll(/\s+/g, ' ');
/** `file, file`: "test", "test" */
const PROOF = /`([a-z-]+(?:, [a-z-]+)*)`: ((?:"[^"]+"(?:, )?)+)/g;

interface Proof {
  file: string;
  test: string;
}
const proofs = [...DOCUMENT.matchAll(PROOF)].flatMap(([, files = '', names = '']): Proof[] =>
  files
    .split(', ')
    .flatMap((file) => [...names.matchAll(/"([^"]+)"/g)].map(([, test = '']) => ({ file: `${file}.test.ts`, test }))),
);

/** What a test file says, with the files of test/support that it is made of. */
function sourceOf(path: string, seen = new Set<string>()): string {
  if (seen.has(path)) return '';
  seen.add(path);
  const source = readFileSync(path, 'utf8');
  const parts = [...source.matchAll(/from '(\.\/[\w./-]+)'/g)].map(([, part = '']) => join(path, '..', part));
  return [source, ...parts.map((part) => sourceOf(part, seen))].join('\n');
}

/** What tests are called; what is put into a name when it runs stands for anything. */
function namesIn(source: string): RegExp[] {
  const names = [...source.matchAll(/\bit\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"|`([^`]*)`)/g)];
  return names.map(([, single, double, template = '']) => {
    const name = single?.replaceAll("\\'", "'") ?? double ?? template;
    const fixed = name.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${fixed.join('.+')}$`);
  });
}

describe('the table of measures', () => {
  it('names tests that exist', () => {
    assert.ok(proofs.length > 60, `${proofs.length} proofs found`);
    const missing = proofs.filter(
      ({ file, test }) => !namesIn(sourceOf(join(FOLDER, file))).some((name) => name.test(test)),
    );
    assert.deepEqual(missing, []);
  });

  it('misses no attempt to escape or to exceed a limit', () => {
    const support = readdirSync(join(FOLDER, 'support')).filter((name) => /^(escapes|limits)/.test(name));
    assert.ok(support.length > 4);
    const sources = [...support.map((name) => join(FOLDER, 'support', name)), join(FOLDER, 'process-escape.test.ts')];
    const tests = sources.flatMap((path) => namesIn(readFileSync(path, 'utf8')));
    assert.ok(tests.length > 30, `${tests.length} tests found`);
    assert.deepEqual(
      tests.filter((name) => !proofs.some(({ test }) => name.test(test))),
      [],
    );
  });

  it('has a proof in every row, and every item of the benchmark once', () => {
    const document = readFileSync(join(FOLDER, '../docs/security.md'), 'utf8');
    const rows = (after: string) => (document.split(after)[1] ?? '').split('\n## ')[0]?.split('\n') ?? [];
    const measures = rows('## Each measure').filter((line) => line.startsWith('| ') && !line.startsWith('| measure'));
    assert.ok(measures.length > 20);
    for (const row of measures) assert.match(row, /`[a-z-, ]+`: "[^"]+".* \|$/);
    const items = [...document.matchAll(/^\| ((?:[45]\.\d+(?:, )?)+) /gm)].flatMap(([, numbers = '']) =>
      numbers.split(', '),
    );
    const all = (section: number, last: number) => Array.from({ length: last }, (_, n) => `${section}.${n + 1}`);
    const inOrder = (list: string[]) => list.sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    assert.deepEqual(inOrder(items), [...all(4, 12), ...all(5, 32)]);
  });
});
