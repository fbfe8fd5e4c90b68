import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Manifest, readCatalog, readManifest } from './manifest.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'phoenix-manifest-'));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Writes a file below the test's folder. */
function write(path: string, text: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const minimal = (name: string) => `name: ${name}\nversion: 1.2.3\ndescription: says hello\n`;

/** Writes a skill and its handler; `more` stands at the end of its manifest, from line 4. */
function skill(name: string, more = '', folder = 'skills'): string {
  write(`${folder}/${name}/handler.ts`, 'export default () => {};');
  return write(`${folder}/${name}/skill.yaml`, minimal(name) + more);
}

describe('readManifest', () => {
  it('fills in what the manifest leaves out, in milliseconds and bytes', () => {
    const path = skill('greeter');
    const expected: Manifest = {
      name: 'greeter',
      version: '1.2.3',
      description: 'says hello',
      entry: 'handler.ts',
      isolation: { minimum: 'process' },
      network: 'none',
      resources: {
        memory: 268_435_456,
        reservation: 67_108_864,
        cpus: 1,
        priority: 'normal',
        pids: 64,
        tmp: 67_108_864,
      },
      timeouts: { start: 10_000, request: 10_000, drain: 5000, stream_idle: 60_000 },
      limits: { concurrency: 16, queue: 64, request_bytes: 4_194_304 },
      warm: 0,
      volumes: [],
      native: [],
      models: [],
      mounts: [],
      single_use: false,
      health: { interval: 15_000, timeout: 2000 },
      idempotent: false,
      config: {},
      examples: [],
      folder: dirname(path),
      entryPath: join(dirname(path), 'handler.ts'),
    };
    assert.deepEqual(readManifest(path), expected);
  });

  it('takes units, free configuration and examples', () => {
    const text = `
isolation: { minimum: container }
resources: { memory: 1GiB, cpus: 0.5 }
timeouts: { request: 2m }
limits: { queue: 0 }
volumes: [data]
config: { any: { thing: [1] } }
examples:
  - text: hola
    language: es
`;
    const manifest = readManifest(skill('greeter', text));
    assert.equal(manifest.isolation.minimum, 'container');
    assert.deepEqual([manifest.resources.memory, manifest.resources.cpus], [1024 ** 3, 0.5]);
    assert.deepEqual(manifest.timeouts, { start: 10_000, request: 120_000, drain: 5000, stream_idle: 60_000 });
    assert.equal(manifest.limits.queue, 0);
    assert.deepEqual(manifest.volumes, ['data']);
    assert.deepEqual(manifest.config, { any: { thing: [1] } });
    assert.deepEqual(manifest.examples, [{ text: 'hola', language: 'es' }]);
  });

  it('gives absolute paths for a relative one', () => {
    const path = skill('greeter');
    const manifest = readManifest(relative(process.cwd(), path));
    assert.deepEqual([manifest.folder, manifest.entryPath], [dirname(path), join(dirname(path), 'handler.ts')]);
  });

  const wrong: [what: string, more: string, expected: RegExp][] = [
    ['an unknown key', 'entri: x.ts', /:4: entri: unknown key; allowed here: .*\bentry\b/],
    [
      'an unknown limit',
      'limits:\n  parallel: 2',
      /:5: limits\.parallel: unknown key; allowed here: concurrency, queue, req/,
    ],
    [
      'an unknown isolation',
      'isolation:\n  minimum: vm',
      /:5: isolation\.minimum: .*"process"\|"sandbox"\|"container"/,
    ],
    ['a network that does not exist', 'network: host', /:4: network: .*"none"/],
    ['an unknown volume', 'volumes:\n  - data\n  - logs', /:6: volumes\.1: .*"data"/],
    [
      'a duration without a unit',
      'timeouts:\n  start: "10"',
      /:5: timeouts\.start: "10" is no duration; write for example/,
    ],
    [
      'a size that is none',
      'resources:\n  memory: lots',
      /:5: resources\.memory: "lots" is no size; write for example/,
    ],
    ['too few processes', 'resources:\n  pids: 1', /:5: resources\.pids: .*>=16/],
    ['no processor at all', 'resources:\n  cpus: 0', /:5: resources\.cpus: .*>0/],
    ['no concurrency', 'limits:\n  concurrency: 0', /:5: limits\.concurrency: .*>=1/],
    ['an unknown language', 'examples:\n  - { text: hi, language: de }', /:5: examples\.0\.language: .*"es"\|"en"/],
  ];
  for (const [what, more, expected] of wrong) {
    it(`names file and line of ${what}, and what is allowed`, () => {
      const path = skill('greeter', more);
      assert.throws(
        () => readManifest(path),
        (error: Error) => {
          assert.equal(error.name, 'YamlFileError');
          assert.ok(error.message.startsWith(`${path}:`), error.message);
          assert.match(error.message, expected);
          return true;
        },
      );
    });
  }

  for (const name of ['Greeter', '1st', 'a_b', 'ä', 'a'.repeat(33), '"a b"', '""', '"../x"']) {
    it(`refuses the name ${name}`, () => {
      const path = write('skills/x/skill.yaml', minimal(name));
      assert.throws(() => readManifest(path), /:1: name: a name is 1 to 32 lower-case letters, digits and hyphens/);
    });
  }

  it('takes versions with three numbers only', () => {
    const read = (version: string) =>
      readManifest(write('skills/x/skill.yaml', minimal('x').replace('1.2.3', version)));
    write('skills/x/handler.ts', '');
    assert.equal(read('1.2.3-rc.1').version, '1.2.3-rc.1');
    for (const version of ['v1.2.3', '"1.2"', '1.2.3.4', '1.2.x']) {
      assert.throws(() => read(version), /:2: version: a version is like 1\.2\.3/);
    }
  });

  it('refuses an entry that leaves the folder of the skill', () => {
    const outside = write('skills/greeter2/handler.ts', '');
    for (const entry of ['../handler.ts', '../greeter2/handler.ts', 'src/../../greeter2/handler.ts', outside, '..']) {
      const path = skill('greeter', `entry: ${entry}`);
      assert.throws(() => readManifest(path), {
        name: 'YamlFileError',
        message: /skill\.yaml.*: entry: ".*" leaves the folder of the skill/,
      });
    }
  });

  it('takes an entry in a folder below, also by a detour', () => {
    const inside = write('skills/greeter/src/main.ts', '');
    for (const entry of ['src/main.ts', './src/main.ts', '../greeter/src/main.ts']) {
      assert.equal(readManifest(skill('greeter', `entry: ${entry}`)).entryPath, inside);
    }
  });

  it('refuses a skill for one call that keeps data', () => {
    assert.throws(() => readManifest(skill('greeter', 'single_use: true\nvolumes: [data]\n')), {
      message: /skill\.yaml: single_use: an instance that is thrown away has no volumes/,
    });
  });

  it('refuses an entry that is not there', () => {
    const path = skill('greeter', 'entry: main.ts');
    const message = new RegExp(`: entry: there is no file ${join(dirname(path), 'main.ts')}`);
    assert.throws(() => readManifest(path), { name: 'YamlFileError', message });
  });
});

describe('readCatalog', () => {
  it('finds every skill of every folder and passes over everything else', () => {
    skill('one');
    skill('two');
    skill('three', '', 'more');
    write('skills/README.md', 'no skill');
    write('skills/empty/notes.txt', 'no skill');
    const { skills, broken } = readCatalog([join(root, 'skills'), join(root, 'none'), join(root, 'more')]);
    assert.deepEqual([...skills.keys()].sort(), ['one', 'three', 'two']);
    assert.equal(broken.size, 0);
  });

  it('keeps the other skills when a manifest is broken', () => {
    skill('good');
    const bad = skill('bad', 'volumes: [logs]');
    const worse = write('skills/worse/skill.yaml', 'name: [');
    const alias = write('skills/alias/skill.yaml', 'name: *nowhere');
    const { skills, broken } = readCatalog([join(root, 'skills')]);
    assert.deepEqual([...skills.keys()], ['good']);
    assert.deepEqual([...broken.keys()].sort(), ['alias', 'bad', 'worse']);
    for (const path of [bad, worse, alias]) {
      const name = path.split('/').at(-2) ?? '';
      const found = broken.get(name);
      assert.deepEqual([found?.name, found?.folder], [name, dirname(path)]);
      assert.ok(found?.error.message.startsWith(`${path}:`), found?.error.message);
    }
  });

  it('refuses a skill whose name is not that of its folder', () => {
    write('skills/folder/handler.ts', '');
    write('skills/folder/skill.yaml', minimal('other'));
    const { skills, broken } = readCatalog([join(root, 'skills')]);
    assert.equal(skills.size, 0);
    assert.match(broken.get('folder')?.error.message ?? '', /"other" is not the name of its folder, "folder"/);
  });

  it('takes the one in the earlier folder of two skills with one name, also when that one is broken', () => {
    const first = skill('twin', '', 'a');
    skill('twin', '', 'b');
    skill('sick', 'entry: none.ts', 'a');
    skill('sick', '', 'b');
    const { skills, broken } = readCatalog([join(root, 'a'), join(root, 'b')]);
    assert.equal(skills.get('twin')?.folder, dirname(first));
    assert.equal(skills.has('sick'), false);
    assert.equal(broken.get('sick')?.folder, join(root, 'a', 'sick'));
  });
});
