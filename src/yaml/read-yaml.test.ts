import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { parseYaml, readYamlFile, YamlFileError } from './read-yaml.ts';

const schema = z.strictObject({
  name: z.string(),
  level: z.enum(['low', 'high']).default('low'),
  nested: z.strictObject({ b: z.int().optional(), a: z.string().optional() }).prefault({}),
  list: z.array(z.strictObject({ text: z.string() })).default([]),
  table: z.record(z.string(), z.strictObject({ pinned: z.boolean().optional() })).default({}),
  deep: z.strictObject({ inner: z.strictObject({ port: z.int() }).optional() }).optional(),
});

/** What is wrong with a text, line by line. */
function problems(source: string): readonly string[] {
  try {
    parseYaml(source, 'a.yaml', schema);
  } catch (error) {
    assert.ok(error instanceof YamlFileError, `${error}`);
    assert.equal(error.message, error.problems.join('\n'));
    return error.problems;
  }
  return [];
}

describe('parseYaml', () => {
  it('gives the values and the defaults', () => {
    assert.deepEqual(parseYaml('# a comment\nname: x\nnested:\n  b: 2\n', 'a.yaml', schema), {
      name: 'x',
      level: 'low',
      nested: { b: 2 },
      list: [],
      table: {},
    });
  });

  const wrong: { what: string; source: string; expected: (string | RegExp)[] }[] = [
    {
      what: 'an unknown key, with the keys that are allowed',
      source: 'name: x\n\nnam: y',
      expected: ['a.yaml:3: nam: unknown key; allowed here: deep, level, list, name, nested, table'],
    },
    {
      what: 'an unknown key of a section',
      source: 'name: x\nnested:\n  a: y\n  c: 1',
      expected: ['a.yaml:4: nested.c: unknown key; allowed here: a, b'],
    },
    {
      what: 'an unknown key of an optional section in a section',
      source: 'name: x\ndeep:\n  inner:\n    port: 1\n    prot: 2',
      expected: ['a.yaml:5: deep.inner.prot: unknown key; allowed here: port'],
    },
    {
      what: 'an unknown key below a name that is free',
      source: 'name: x\ntable:\n  weather:\n    pined: true',
      expected: ['a.yaml:4: table.weather.pined: unknown key; allowed here: pinned'],
    },
    {
      what: 'an unknown key in a list',
      source: 'name: x\nlist:\n  - text: a\n  - text: b\n    txt: c',
      expected: ['a.yaml:5: list.1.txt: unknown key; allowed here: text'],
    },
    {
      what: 'each of several unknown keys at its own line',
      source: 'one: 1\nname: x\ntwo: 2',
      expected: [/^a\.yaml:1: one: unknown key/, /^a\.yaml:3: two: unknown key/],
    },
    {
      what: 'a word that is none of the allowed ones',
      source: 'name: x\nlevel: medium',
      expected: [/^a\.yaml:2: level: .*"low"\|"high"/],
    },
    {
      what: 'a value of the wrong type in a list',
      source: 'name: x\nlist:\n  - text: a\n  - text: 7',
      expected: [/^a\.yaml:4: list\.1\.text: .*expected string, received number/],
    },
    {
      what: 'a missing value of a section at the section',
      source: 'name: x\ndeep:\n  inner: {}',
      expected: [/^a\.yaml:3: deep\.inner\.port: .*received undefined/],
    },
    {
      what: 'a missing value of the file at its beginning',
      source: '',
      expected: [/^a\.yaml:1: name: .*received undefined/],
    },
    { what: 'a file that is a list', source: '- name: x', expected: [/^a\.yaml:1: .*expected object, received array/] },
    { what: 'a file that is not YAML', source: 'name: x\nlist: [', expected: [/^a\.yaml:2: Flow sequence/] },
    {
      what: 'a key that is there twice',
      source: 'name: x\nname: y',
      expected: [/^a\.yaml:2: Map keys must be unique/],
    },
    {
      what: 'two documents in one file',
      source: 'name: x\n---\nname: y',
      expected: [/^a\.yaml:\d+: .*multiple documents/],
    },
    { what: 'an alias without an anchor', source: 'name: x\nlevel: *nowhere', expected: [/^a\.yaml:2: .*nowhere/] },
  ];
  for (const { what, source, expected } of wrong) {
    it(`names file and line of ${what}`, () => {
      const found = problems(source);
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [index, each] of expected.entries()) {
        if (typeof each === 'string') assert.equal(found[index], each);
        else assert.match(found[index] ?? '', each);
      }
    });
  }

  const bomb = Array.from({ length: 9 }, (_, n) => `k${n}: &k${n} [${`*k${n - 1},`.repeat(9)}]`).slice(1);
  const costly: [what: string, source: string, expected: RegExp][] = [
    ['copies of copies', `k0: &k0 [x]\n${bomb.join('\n')}`, /repeats too much/],
    ['many aliases', `a: &a [1]\nb: [${'*a, '.repeat(100_000)}]`, /^a\.yaml:2: more than 100 aliases are not read/],
    ['an alias of what it is part of', 'name: x\na: &a [*a]', /^a\.yaml:2: \*a is part of what it names/],
    ['what is nested without end', `a: ${'['.repeat(100_000)}`, /^a\.yaml:?1?: /],
    ['blocks that are nested without end', '- '.repeat(20_000), /^a\.yaml:?1?: /],
    ['many equal keys', 'a: 1\n'.repeat(20_000), /^a\.yaml:2: Map keys must be unique: "a"/],
    ['what is too long', `# ${'x'.repeat(1024 ** 2)}`, /^a\.yaml: it has 1048578 characters/],
  ];
  for (const [what, source, expected] of costly) {
    it(`refuses ${what}`, () => assert.match(problems(source)[0] ?? '', expected));
  }

  it('tells no more than 20 problems', () => {
    assert.match(problems('a: 1\n'.repeat(100)).join('\n'), /(.*\n){20}and 79 more problems$/);
  });

  it('shows what would break a line, or turn its direction, as its number', () => {
    const [problem = ''] = problems('name: x\n"a\\n\\u202eb": 1');
    assert.match(problem, /^a\.yaml:2: a\\u000a\\u202eb: unknown key/);
  });

  it('reports everything that is wrong at once', () => {
    const found = problems('level: no\nnested:\n  b: x\nfoo: 1');
    assert.deepEqual(found.map((each) => each.split(': ').slice(0, 2).join(': ')).sort(), [
      'a.yaml:1: level',
      'a.yaml:1: name',
      'a.yaml:3: nested.b',
      'a.yaml:4: foo',
    ]);
  });
});

describe('readYamlFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-yaml-'));
  after(() => rmSync(folder, { recursive: true }));

  it('reads a file', () => {
    const path = join(folder, 'good.yaml');
    writeFileSync(path, 'name: x\nlevel: high\n');
    assert.equal(readYamlFile(path, schema).level, 'high');
  });

  it('names the file in what is wrong with it', () => {
    const path = join(folder, 'bad.yaml');
    writeFileSync(path, 'name: x\nlevel: highest\n');
    assert.throws(() => readYamlFile(path, schema), {
      name: 'YamlFileError',
      message: new RegExp(`^${path}:2: level: `),
    });
  });

  it('says so when there is no such file, and when it cannot be read', () => {
    const path = join(folder, 'none.yaml');
    assert.throws(() => readYamlFile(path, schema), {
      name: 'YamlFileError',
      message: `${path}: there is no such file`,
    });
    assert.throws(() => readYamlFile(folder, schema), { name: 'YamlFileError', message: /: EISDIR/ });
  });
});
