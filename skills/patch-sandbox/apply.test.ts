/** Reading diffs and applying them to a copy: everything but the command. */
import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createTwoFilesPatch } from 'diff';
import fc from 'fast-check';
import { applyChanges } from './apply.ts';
import { DiffError, readDiff } from './diff.ts';
import { Workspace } from './workspace.ts';

let folder: string;
let workspace: Workspace;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-apply-'));
  workspace = new Workspace(join(folder, 'work'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (path: string) => join(workspace.root, path);
const put = (path: string, text: string | Buffer) => {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
const read = (path: string) => readFileSync(at(path), 'utf8');
const apply = (diff: string, { fuzz = 2, strip }: { fuzz?: number; strip?: number } = {}) =>
  applyChanges(workspace, readDiff(diff, strip), fuzz);
/** The reasons why a diff is not applied; the copy stays as it was. */
const refuses = (diff: string, options = {}) => {
  const before = readdirSync(workspace.root, { recursive: true }).sort();
  const { files, problems } = apply(diff, options);
  assert.deepEqual(files, []);
  assert.deepEqual(readdirSync(workspace.root, { recursive: true }).sort(), before);
  return problems.map(({ path, hunk, reason }) => [path, hunk, reason].filter(Boolean).join(' | ')).join('\n');
};
const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n + 1}\n`).join('');
const change = (path: string, from: string, to: string) =>
  `--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-${from}\n+${to}\n`;

describe('a diff', () => {
  it('changes, adds, deletes, renames and copies files, and sets modes', () => {
    for (const name of ['change', 'old', 'gone', 'original']) put(`src/${name}.txt`, 'one\ntwo\n');
    const { files, problems } = apply(`diff --git a/src/change.txt b/src/change.txt
old mode 100644
new mode 100755
--- a/src/change.txt
+++ b/src/change.txt
@@ -1,2 +1,2 @@
 one
-two
+2
diff --git a/src/new.txt b/src/new.txt
new file mode 100644
--- /dev/null
+++ b/src/new.txt
@@ -0,0 +1 @@
+new
\\ No newline at end of file
diff --git a/src/empty b/src/empty
new file mode 100755
diff --git a/src/gone.txt b/src/gone.txt
deleted file mode 100644
--- a/src/gone.txt
+++ /dev/null
@@ -1,2 +0,0 @@
-one
-two
diff --git a/src/old.txt b/moved/to.txt
similarity index 50%
rename from src/old.txt
rename to moved/to.txt
--- a/src/old.txt
+++ b/moved/to.txt
@@ -1,2 +1,2 @@
-one
+1
 two
diff --git a/src/original.txt b/src/copy.txt
similarity index 100%
copy from src/original.txt
copy to src/copy.txt
`);
    assert.deepEqual(problems, []);
    assert.deepEqual(
      files.map(({ path, change, from, added, removed }) => [path, change, from, added, removed]),
      [
        ['src/change.txt', 'modified', undefined, 1, 1],
        ['src/new.txt', 'added', undefined, 1, 0],
        ['src/empty', 'added', undefined, 0, 0],
        ['src/gone.txt', 'deleted', undefined, 0, 2],
        ['moved/to.txt', 'renamed', 'src/old.txt', 1, 1],
        ['src/copy.txt', 'copied', 'src/original.txt', 0, 0],
      ],
    );
    assert.deepEqual(
      [read('src/change.txt'), read('src/new.txt'), read('src/empty'), read('moved/to.txt'), read('src/copy.txt')],
      ['one\n2\n', 'new', '', '1\ntwo\n', 'one\ntwo\n'],
    );
    for (const path of ['src/change.txt', 'src/empty']) assert.equal(lstatSync(at(path)).mode & 0o111, 0o111, path);
    for (const path of ['src/gone.txt', 'src/old.txt']) assert.equal(existsSync(at(path)), false, path);
  });

  it('finds its place when the file has moved on, and says how much of the context it overlooked', () => {
    const before = lines(20);
    const diff = createTwoFilesPatch('a/f', 'b/f', before, before.replace('line 10\n', 'changed\n'));
    put('f', `${'more\n'.repeat(5)}${before}`);
    assert.equal(apply(diff).files[0]?.fuzz, 0);
    assert.ok(read('f').includes('line 9\nchanged\nline 11\n'));
    put('f', before.replace('line 7\n', 'other\n'));
    assert.match(
      refuses(diff, { fuzz: 0 }),
      /^f \| 1 \| it does not apply anywhere: line 7 should be "line 7", and there is "other"$/,
    );
    assert.equal(apply(diff).files[0]?.fuzz, 1);
    assert.ok(read('f').includes('other\nline 8\nline 9\nchanged\n'));
  });

  it('does not look for a hunk beyond the end of the file, however far away it says that it is', () => {
    put('f', 'one\ntwo\n');
    const far = '--- a/f\n+++ b/f\n@@ -999999999999 +1 @@\n-two\n+2\n';
    assert.deepEqual(apply(far).problems, []);
    assert.equal(read('f'), 'one\n2\n');
    assert.match(refuses(far), /line 999999999999 should be "two", and the file ends before it/);
  });

  it('refuses names that no file system takes', () => {
    assert.match(refuses(change('x'.repeat(256), 'a', 'b')), /the path is too long/);
    assert.match(refuses(change('x/'.repeat(2000), 'a', 'b')), /no path of a file|the path is too long/);
  });

  it('says which hunk fails and why, and changes nothing then, in no file', () => {
    put('good', 'a\n');
    put('bad', lines(60));
    const two = lines(60).replace('line 5\n', 'five\n').replace('line 50\n', 'fifty\n');
    const diff = change('good', 'a', 'b') + createTwoFilesPatch('a/bad', 'b/bad', lines(60), two);
    put('bad', lines(60).replaceAll(/line (4\d|5\d)\n/g, 'else\n'));
    assert.match(
      refuses(diff),
      /^bad \| 2 \| it does not apply anywhere.*: line 46 should be "line 46", and there is "else"$/,
    );
    assert.equal(read('good'), 'a\n');
    put('bad', lines(1).trim());
    assert.match(refuses(diff), /^bad \| 1 \| .*: line 2 should be "line 2", and the file ends before it$/);
  });

  it('is taken from git, from diff, with and without prefixes, with Windows line ends', () => {
    put('x/f', 'a\n');
    assert.equal(apply(change('x/f', 'a', 'b')).problems.length, 0);
    assert.equal(apply('--- x/f\t2020-01-01\n+++ x/f\t2020-01-02\n@@ -1 +1 @@\n-b\n+c\n').problems.length, 0);
    assert.equal(apply('--- p/q/x/f\n+++ p/q/x/f\n@@ -1 +1 @@\n-c\n+d\n', { strip: 2 }).problems.length, 0);
    put('x/f', 'd\r\n');
    assert.equal(apply(change('x/f', 'd', 'e').replaceAll('\n', '\r\n')).problems.length, 0);
    assert.equal(read('x/f'), 'e\r\n');
    assert.equal(apply('--- a/x/f\n+++ b/x/f\n@@ -1 +1 @@\n-e\n+f\n').problems.length, 0);
    assert.equal(read('x/f'), 'f\r\n');
    put('tab\tand "quotes"', 'a\n');
    assert.equal(
      apply('--- "a/tab\\tand \\"quotes\\""\n+++ "b/tab\\tand \\"quotes\\""\n@@ -1 +1 @@\n-a\n+b\n').problems.length,
      0,
    );
    assert.equal(read('tab\tand "quotes"'), 'b\n');
  });

  it('is taken from mails, also several in one file', () => {
    put('f', 'a\n-- \n');
    const mail = (from: string, to: string, removed = '') =>
      `From 1234 Mon Sep 17 00:00:00 2001\nSubject: [PATCH] change\n\n- a point\n+ another\n---\n f | 2 +-\n\ndiff --git a/f b/f\nindex 1..2 100644\n--- a/f\n+++ b/f\n@@ -1${removed && ',2'} +1 @@\n-${from}\n${removed}+${to}\n-- \n2.39.5\n\n`;
    assert.deepEqual(apply(mail('a', 'b', '--- \n') + mail('b', 'c')).problems, []);
    assert.equal(read('f'), 'c\n');
  });

  it('that is malformed, binary or a submodule is refused, with the reason', () => {
    const cases: [string, RegExp][] = [
      ['hello\nworld\n', /no file is changed/],
      ['@@ -1 +1 @@\n-a\n+b\n', /does not say which file/],
      ['--- a/f\n@@ -1 +1 @@\n-a\n+b\n', /malformed: Missing "\+\+\+/],
      ['--- a/f\n+++ b/f\n@@ -1,5 +1 @@\n-a\n+b\n', /malformed: Hunk at line 3/],
      ['--- a/f\n+++ b/f\n@@ what @@\n-a\n+b\n', /line 3 is no header of a hunk/],
      ['--- a/f\n+++ b/f\n@ -1 +1 @@\n-a\n+b\n', /line 3 is no header of a hunk/],
      ['--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n+c\n', /more lines than expected/],
      ['--- a/f\n+++ b/f\n', /nothing is changed/],
      ['diff --git a/f b/f\nnew file mode 100999\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n', /no file mode 100999/],
      ['diff --git a/i.png b/i.png\nindex 1..2 100644\nBinary files a/i.png and b/i.png differ\n', /binary file/],
      ['diff --git a/i.png b/i.png\nindex 1..2 100644\nGIT binary patch\nliteral 3\nKcmZQzU|?Vd\n\n', /binary file/],
      [
        'diff --git a/m b/m\nnew file mode 160000\n--- /dev/null\n+++ b/m\n@@ -0,0 +1 @@\n+Subproject commit 1\n',
        /submodule/,
      ],
      ['--- /dev/null\n+++ /dev/null\n@@ -0,0 +1 @@\n+x\n', /adds and deletes/],
    ];
    for (const [diff, expected] of cases) {
      assert.throws(
        () => readDiff(diff, undefined),
        (error) => {
          assert.ok(error instanceof DiffError, String(error));
          assert.match(error.message, expected);
          return true;
        },
      );
    }
    assert.throws(() => readDiff(change('f', 'a', 'b'), 3), /has not the 3 folders/);
  });

  it('does not fit files that are not there, are there already, or are no text', () => {
    put('there', 'a\n');
    put('image', Buffer.from([0xff, 0xfe, 0, 1]));
    assert.match(refuses(change('gone', 'a', 'b')), /^gone \| there is no file gone$/);
    assert.match(refuses('--- /dev/null\n+++ b/there\n@@ -0,0 +1 @@\n+x\n'), /adds this file, and it is there already/);
    assert.match(refuses('--- a/there\n+++ /dev/null\n@@ -1 +0,0 @@\n-b\n'), /^there \| 1 \| /);
    assert.match(refuses(change('image', 'a', 'b')), /no UTF-8 text/);
    assert.match(refuses(change('there/below', 'a', 'b')), /there is no folder/);
    mkdirSync(at('folder'));
    assert.match(refuses(change('folder', 'a', 'b')), /it is no file/);
    assert.match(
      refuses('diff --git a/there b/image\nsimilarity index 100%\nrename from there\nrename to image\n'),
      /makes this file from there, and it is there already/,
    );
  });
});

describe('a path of a diff', () => {
  const escapes = ['../evil', 'x/../../evil', '/etc/evil', './evil', 'x//evil', '..', 'x/./y'];
  for (const path of escapes) {
    it(`does not leave the copy: ${path}`, () => {
      const add = `--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+evil\n`;
      assert.match(refuses(add), /leaves the tree|is absolute|is no path/);
      put('f', 'a\n');
      const move = `diff --git a/f b/${path}\nsimilarity index 100%\nrename from f\nrename to ${path}\n`;
      assert.match(refuses(move), /leaves the tree|is absolute|is no path/);
      assert.deepEqual(readdirSync(folder), ['work']);
    });
  }

  it('does not lead through a symbolic link, not one that the diff makes itself', () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'f'), 'a\n');
    symlinkSync(outside, at('link'));
    assert.match(refuses(change('link/f', 'a', 'b')), /through the symbolic link link/);
    assert.match(refuses('--- /dev/null\n+++ b/link/new\n@@ -0,0 +1 @@\n+x\n'), /through the symbolic link link/);
    mkdirSync(at('inner'));
    const link =
      'diff --git a/made b/made\nnew file mode 120000\n--- /dev/null\n+++ b/made\n@@ -0,0 +1 @@\n+inner\n\\ No newline at end of file\n';
    assert.match(
      refuses(`${link}--- /dev/null\n+++ b/made/new\n@@ -0,0 +1 @@\n+x\n`),
      /through the symbolic link made/,
    );
    assert.deepEqual(apply(link).problems, []);
    assert.equal(readlinkSync(at('made')), 'inner');
    assert.equal(readFileSync(join(outside, 'f'), 'utf8'), 'a\n');
  });

  it('makes no symbolic link that leads out', () => {
    for (const target of ['/etc/passwd', '../outside', '..', 'x/../../y']) {
      const diff = `diff --git a/d/made b/d/made\nnew file mode 120000\n--- /dev/null\n+++ b/d/made\n@@ -0,0 +1 @@\n+../${target}\n\\ No newline at end of file\n`;
      const absolute = diff.replace(`+../${target}`, `+${target}`);
      assert.match(refuses(target.startsWith('/') ? absolute : diff), /leads out of the tree/, target);
    }
  });

  it('that is a symbolic link is replaced, and what it leads to stays', () => {
    writeFileSync(join(folder, 'outside'), 'secret\n');
    symlinkSync('../outside', at('link'));
    assert.match(refuses(change('link', 'secret', 'x')), /does not apply/);
    const gone =
      'diff --git a/link b/link\ndeleted file mode 120000\n--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-../outside\n\\ No newline at end of file\n';
    assert.deepEqual(apply(gone).problems, []);
    assert.equal(readFileSync(join(folder, 'outside'), 'utf8'), 'secret\n');
  });
});

describe('any text', () => {
  const text = fc
    .array(
      fc.oneof(
        fc.constantFrom('a', 'b', '', '+', '-', ' ', '@@ -1 +1 @@', '--- a/x', '\\'),
        fc.string({ unit: 'grapheme' }).map((s) => s.replaceAll(/[\r\n\0\u2028\u2029]/g, '')),
      ),
      { maxLength: 30 },
    )
    .map((parts) => parts.join('\n'));

  it('becomes any other by the diff between both', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        put('f', before);
        const diff = createTwoFilesPatch('a/f', 'b/f', before, after);
        if (before === after) return;
        assert.deepEqual(apply(diff, { fuzz: 0 }).problems, []);
        assert.equal(read('f'), after);
      }),
      { numRuns: 300 },
    );
  });

  it('taken for a diff, also a damaged real one, changes nothing outside the copy and fails in a known way', () => {
    const real = `${change('../x', 'a', 'b')}diff --git a/f b/../g\nrename from f\nrename to ../g\n${change('f', 'a', 'b')}`;
    const damaged = fc
      .array(
        fc.tuple(fc.nat(real.length), fc.nat(3), fc.constantFrom('', '../', '/', '\n', '-', '+', '@@ ', '\0', '9')),
      )
      .map((edits) =>
        edits.reduce((diff, [place, length, piece]) => diff.slice(0, place) + piece + diff.slice(place + length), real),
      );
    fc.assert(
      fc.property(fc.oneof(text, damaged), (diff) => {
        put('f', 'a\n');
        try {
          apply(diff);
        } catch (error) {
          assert.ok(error instanceof DiffError, String(error));
        }
        assert.deepEqual(readdirSync(folder), ['work']);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a tree', () => {
  const copy = (options = {}) =>
    workspace.copy(join(folder, 'tree'), {
      link: ['node_modules'],
      exclude: ['.git'],
      signal: new AbortController().signal,
      ...options,
    });
  const plant = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(folder, 'tree', path)), { recursive: true });
    writeFileSync(join(folder, 'tree', path), text, { mode });
  };

  it('is copied without what is excluded; packages are linked, so that those in the tree are the copy', async () => {
    plant('src/a', 'a', 0o444);
    plant('run', '#!', 0o755);
    plant('.git/config', 'secret');
    plant('packages/own/index.js', 'own');
    plant('node_modules/other/index.js', 'other');
    plant('node_modules/@scope/one/index.js', 'one');
    mkdirSync(join(folder, 'tree/node_modules/.bin'));
    symlinkSync('../other/index.js', join(folder, 'tree/node_modules/.bin/other'));
    symlinkSync('../packages/own', join(folder, 'tree/node_modules/own'));
    await copy();
    assert.deepEqual(workspace.notes, []);
    assert.equal(existsSync(at('.git')), false);
    writeFileSync(at('src/a'), 'can be written');
    assert.equal(lstatSync(at('run')).mode & 0o111, 0o111);
    assert.equal(read('node_modules/.bin/other'), 'other');
    assert.equal(read('node_modules/@scope/one/index.js'), 'one');
    writeFileSync(at('packages/own/index.js'), 'patched');
    assert.equal(read('node_modules/own/index.js'), 'patched');
    assert.match(refuses(change('node_modules/other/index.js', 'other', 'x')), /through the symbolic link/);
    assert.equal(readFileSync(join(folder, 'tree/src/a'), 'utf8'), 'a');
  });
});
