/** What holds for every YAML file that is read. */
import assert from 'node:assert/strict';
import { YamlFileError } from '../../../src/yaml/read-yaml.ts';
import { kindOf } from '../target.ts';

/** Words of YAML; what a file may say comes beside them. */
export const YAML_WORDS = [
  ...[
    ': ',
    '\n',
    '\n  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a ',
    '*a',
    '<<: *a',
    '? ',
    '| ',
    '>\n',
    '!!binary ',
    '!!set ',
    '!!js/function ',
  ],
  ...[
    '---\n',
    '...\n',
    '%YAML 1.1\n',
    '# ',
    '~',
    'null',
    'true',
    '.nan',
    '.inf',
    '0x10',
    '0o7',
    '1e400',
    "''",
    '""',
    '"\\x00"',
  ],
  ...[
    '&a [*a]',
    '[&a x, *a]',
    '&a [1, 1, 1, 1, 1, 1, 1, 1]',
    '[*a, *a, *a, *a, *a, *a, *a, *a]',
    'constructor: ',
    '__proto__: ',
  ],
];

/** Reads; says what became of it. @throws when something else than a YamlFileError comes, or that is no list of single lines */
export function readYaml(read: () => void, path: string): string {
  const before = Object.keys(Object.prototype).length;
  const started = performance.now();
  try {
    read();
    return 'read';
  } catch (error) {
    if (!(error instanceof YamlFileError)) throw error;
    for (const problem of error.problems) assert.doesNotMatch(problem, /[\n\r]/, 'a problem has one line');
    return kindOf((error.problems[0] ?? '').replaceAll(path, 'FILE'));
  } finally {
    assert.equal(Object.keys(Object.prototype).length, before, 'Object.prototype was changed');
    const took = performance.now() - started;
    assert.ok(took < 5000, `reading took ${Math.round(took)} ms`);
  }
}
