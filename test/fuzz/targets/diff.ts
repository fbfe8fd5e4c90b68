import assert from 'node:assert/strict';
import {
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
import { dirname, join, relative, resolve } from 'node:path';
import { applyChanges } from '../../../skills/patch-sandbox/apply.ts';
import { DiffError, readDiff } from '../../../skills/patch-sandbox/diff.ts';
import { Workspace } from '../../../skills/patch-sandbox/workspace.ts';
import { kindOf, type TargetDefinition } from '../target.ts';

const WORDS = [
  ...[
    '--- ',
    '+++ ',
    '@@ -1,2 +1,2 @@\n',
    '@@ -0,0 +1 @@\n',
    '@@ -1 +0,0 @@\n',
    'a/',
    'b/',
    '/dev/null',
    '../',
    '\n',
    '\r\n',
  ],
  ...[
    'diff --git a/f b/f\n',
    'index 1..2 100644\n',
    'new file mode 100644\n',
    'new file mode 120000\n',
    'new mode 100755\n',
  ],
  ...['deleted file mode 100644\n', 'rename from ', 'rename to ', 'copy from ', 'copy to ', 'similarity index 100%\n'],
  ...[
    'GIT binary patch\n',
    'Binary files a/f and b/f differ\n',
    '\\ No newline at end of file\n',
    '+',
    '-',
    ' ',
    '-- \n',
    'f',
    'dir/g',
  ],
  ...[
    'link',
    'link/x',
    'outside',
    '"a/\\303\\266"',
    '/etc/passwd',
    '160000',
    'dir/up',
    '@@ -1,99999999 +1 @@\n',
    '@@ -99999999 +1 @@\n',
  ],
];

/** Every file, folder and link below a folder, with what is in it. */
function snapshot(folder: string): string {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (entry.isSymbolicLink()) return `${path} -> ${JSON.stringify(readlinkSync(path))}`;
      return entry.isFile() ? `${path} ${lstatSync(path).mode} ${readFileSync(path, 'base64')}` : path;
    })
    .sort()
    .join('\n');
}

export const diff: TargetDefinition = {
  name: 'diff',
  about: 'a diff that the patch-sandbox applies',
  dictionary: WORDS,
  open: () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-diff-'));
    const outside = join(folder, 'outside');
    const root = join(folder, 'copy', 'work');
    const fill = () => {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(outside, { recursive: true });
      writeFileSync(join(outside, 'secret'), 'secret\n');
      mkdirSync(join(root, 'dir'), { recursive: true });
      writeFileSync(join(root, 'f'), 'one\ntwo\nthree\n');
      writeFileSync(join(root, 'dir', 'g'), 'no newline');
      symlinkSync('../../outside', join(root, 'link'));
      symlinkSync('f', join(root, 'dir', 'up'));
    };
    fill();
    const all = snapshot(folder);
    return {
      run: (input) => {
        let outcome: string;
        let isApplied = false;
        try {
          const changes = readDiff(input.toString(), undefined);
          const { files, problems } = applyChanges(new Workspace(root), changes, 2);
          isApplied = problems.length === 0;
          outcome = isApplied
            ? `applied: ${files.map(({ change }) => change).join(' ')}`.slice(0, 60)
            : kindOf(problems[0]?.reason ?? '');
        } catch (error) {
          if (!(error instanceof DiffError)) throw error;
          outcome = kindOf(error.message);
        }
        const now = snapshot(folder);
        if (now === all) return outcome;
        fill();
        assert.ok(isApplied, `files changed, but: ${outcome}`);
        const outsideLines = (text: string) => text.split('\n').filter((line) => !line.startsWith(`${root}/`));
        assert.deepEqual(outsideLines(now), outsideLines(all), 'something outside the copy was changed');
        for (const line of now.split('\n').filter((each) => !all.includes(each))) {
          const [, link, target] = /^(.*) -> (.*)$/.exec(line) ?? [];
          if (link === undefined || target === undefined) continue;
          assert.doesNotMatch(
            relative(root, resolve(dirname(link), JSON.parse(target) as string)),
            /^\.\./,
            `a link leads out: ${line}`,
          );
        }
        return outcome;
      },
      close: () => rmSync(folder, { recursive: true }),
    };
  },
};
