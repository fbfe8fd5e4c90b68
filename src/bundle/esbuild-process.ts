/** One build of esbuild, in a process of its own: it is told what to build as its argument and writes what it made. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { build } from 'esbuild';
import type { BuildRequest, Built } from './esbuild.ts';

/** The same bundle wherever it is built; files are named relative to it. */
const ROOT = '/';
const { options, replacement }: BuildRequest = JSON.parse(process.argv[2] ?? '');
let isReplaced = false;
const result = await build({
  ...options,
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  logLevel: 'silent',
  plugins: replacement && [
    {
      name: 'replacement',
      setup: ({ onLoad }) => {
        onLoad({ filter: new RegExp(replacement.filter) }, () => {
          isReplaced = true;
          return { contents: replacement.contents };
        });
      },
    },
  ],
}).catch((error: Error) => error.message);
const built: Built | string =
  typeof result === 'string'
    ? result
    : {
        files: result.outputFiles.map(({ path, contents }) => ({ path, contents })),
        sources: Object.keys(result.metafile.inputs).map((input) => join(ROOT, input)),
        isReplaced,
      };
writeFileSync(process.stdout.fd, serialize(built));
process.exit();
