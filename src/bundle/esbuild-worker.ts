/** One build of esbuild, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { build, stop } from 'esbuild';
import type { BuildRequest, Built } from './esbuild.ts';

const { options, replacement } = workerData as BuildRequest;
let isReplaced = false;
const result = await build({
  ...options,
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  logLevel: 'silent',
  plugins: replacement && [
    {
      name: 'replacement',
      setup: ({ onLoad }) => {
        onLoad({ filter: replacement.filter }, () => {
          isReplaced = true;
          return { contents: replacement.contents };
        });
      },
    },
  ],
});
// Its process ends: it would stay, with 90 MB, as long as ours.
await stop();
const built: Built = {
  files: result.outputFiles.map(({ path, contents }) => ({ path, contents })),
  sources: Object.keys(result.metafile.inputs),
  isReplaced,
};
parentPort?.postMessage(built);
