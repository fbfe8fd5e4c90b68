/** `npm run bench [-- SCENARIO ...] [--quick] [--awake] [--json FILE]`: measures, and compares with something else in the same run. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { keepAwake } from './awake.ts';
import { benchCalls } from './calls.ts';
import { benchConsole } from './console.ts';
import { benchDraft } from './draft.ts';
import { benchFederated } from './federated.ts';
import { benchLanguage } from './language.ts';
import { benchLaunch } from './launch.ts';
import { benchMemory } from './memory.ts';
import { benchRouter } from './router.ts';
import { benchSpeculative } from './speculative.ts';
import { benchTelemetry } from './telemetry.ts';

const SCENARIOS = {
  calls: benchCalls,
  console: benchConsole,
  draft: benchDraft,
  federated: benchFederated,
  language: benchLanguage,
  launch: benchLaunch,
  memory: benchMemory,
  router: benchRouter,
  speculative: benchSpeculative,
  telemetry: benchTelemetry,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    awake: { type: 'boolean', default: false },
    json: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    help: { type: 'boolean', default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(SCENARIOS);
const unknown = names.find((name) => !Object.hasOwn(SCENARIOS, name));
if (values.help || unknown !== undefined) {
  if (unknown !== undefined) process.stderr.write(`there is no scenario "${unknown}"\n`);
  process.stdout.write(
    `npm run bench -- [${Object.keys(SCENARIOS).join('|')} ...] [--quick] [--awake] [--json FILE]\n` +
      `speculative: [--only 'twin Q8_0'] [--only 'draft in sandbox'] ... chooses models and ways to generate\n`,
  );
  process.exit(unknown === undefined ? 0 : 1);
}

using _awake = values.awake ? keepAwake() : undefined;
const machine = { awake: values.awake, node: process.version, cpu: cpus()[0]?.model, cores: cpus().length };
process.stdout.write(
  `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}${values.awake ? ', processors kept awake' : ''}\n\n`,
);
const results: Record<string, unknown> = {};
for (const name of names) results[name] = (await SCENARIOS[name as keyof typeof SCENARIOS](values)).all();
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ machine, results }, undefined, 2)}\n`);
