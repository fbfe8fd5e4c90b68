/** The process that a target runs in: `node worker.ts TARGET SECONDS SEED FILE`. The last input is in FILE, whatever becomes of it. */
import { openSync, writeSync } from 'node:fs';
import { fuzzLoop } from './loop.ts';
import type { WorkerMessage } from './supervise.ts';
import { targets } from './targets/index.ts';

const PROGRESS_MS = 200;

const [name = '', seconds, seed, file = ''] = process.argv.slice(2);
const definition = targets.find((target) => target.name === name);
if (!definition) throw new Error(`there is no target ${name}`);

const send = (message: WorkerMessage) => process.send?.(message);
const handle = openSync(file, 'w');
let last: Buffer = Buffer.alloc(0);
let told = 0;
const counts = { runs: 0, outcomes: 0 };
const found = (input: Buffer, error: Error) =>
  send({ type: 'found', input: input.toString('base64'), error: error.stack ?? error.message });

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error) => found(last, new Error(`${event}: ${error}`, { cause: error })));
}
// Who started it is gone.
process.on('disconnect', () => process.exit(1));

const target = await definition.open();
await fuzzLoop(
  definition,
  target,
  { seconds: Number(seconds), seed: Number(seed) },
  {
    before: (input) => {
      last = input;
      const head = Buffer.alloc(4);
      head.writeUInt32LE(input.length);
      writeSync(handle, Buffer.concat([head, input]), 0, input.length + 4, 0);
    },
    progress: (runs, outcomes) => {
      Object.assign(counts, { runs, outcomes });
      const now = performance.now();
      if (now - told < PROGRESS_MS) return;
      told = now;
      send({ type: 'progress', ...counts });
    },
    found,
  },
);
await target.close?.();
send({ type: 'done', ...counts });
process.disconnect();
process.exit(0);
