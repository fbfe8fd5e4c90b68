// Runs after every install: removes what is never used, more than 180 MB of it.
import { globSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const UNUSED = [
  // What debuggers show instead of the code that runs: 3,500 files.
  '**/*.map',
  // Node's C++ headers: nothing here is compiled against them.
  'node/{.,node_modules/*}/include',
  // The source of llama.cpp: its prebuilt library is used ...
  'node-llama-cpp/llama/gitRelease.bundle',
  // ... for this machine, not for others.
  `@node-llama-cpp/!(${process.platform}-${process.arch}*)`,
  // The formatter of the generated contract, for other machines.
  `dprint-node/!(*.${process.platform}-${process.arch}*).node`,
  // Panels and data sources that the dashboard does not have.
  '@grafana/grafana-foundation-sdk/dist/!(cog|common|dashboard|dashboardv2|dashboardv2beta1|gauge|prometheus|resource|stat|table|timeseries)',
  // The trace viewer of playwright-core, and what axe-core has beside the one file that pages are checked with.
  'playwright-core/lib/vite',
  'axe-core/{axe.js,locales,sri-history.json}',
];

const root = fileURLToPath(new URL('../node_modules/', import.meta.url));
// Forced: a file may lie in a folder that is gone by then.
for (const path of globSync(UNUSED, { cwd: root })) rmSync(root + path, { recursive: true, force: true });
