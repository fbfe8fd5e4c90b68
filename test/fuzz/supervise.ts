/** Runs a target in a process of its own, and notices when that hangs or dies. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TargetDefinition } from './target.ts';

const HANG_MS = 10_000;
const OPEN_MS = 60_000;
const HEAP_MB = 768;

export type WorkerMessage =
  | { type: 'progress' | 'done'; runs: number; outcomes: number }
  | { type: 'found'; input: string; error: string };

export interface Finding {
  input: Buffer;
  what: string;
}

export interface FuzzOptions {
  seconds: number;
  seed: number;
  onProgress?: (runs: number, outcomes: number) => void;
  onFinding?: (finding: Finding) => void;
}

/** @returns what was found, and how many inputs were taken */
export async function fuzz(
  definition: TargetDefinition,
  { seconds, seed, onProgress, onFinding }: FuzzOptions,
): Promise<{ findings: Finding[]; runs: number; outcomes: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-'));
  const file = join(folder, 'input');
  const findings: Finding[] = [];
  let [runs, outcomes, isDone] = [0, 0, false];
  const found = (finding: Finding) => {
    findings.push(finding);
    onFinding?.(finding);
  };
  const worker = fork(join(import.meta.dirname, 'worker.ts'), [definition.name, `${seconds}`, `${seed}`, file], {
    execArgv: [`--max-old-space-size=${HEAP_MB}`],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, TMPDIR: folder },
  });
  let isHanging = false;
  let watch: NodeJS.Timeout | undefined;
  const expectWord = (withinMs: number) => {
    clearTimeout(watch);
    watch = setTimeout(() => {
      isHanging = true;
      worker.kill('SIGKILL');
    }, withinMs);
  };
  expectWord(OPEN_MS);
  worker.on('message', (message: WorkerMessage) => {
    expectWord(definition.hangMs ?? HANG_MS);
    if (message.type === 'found') return found({ input: Buffer.from(message.input, 'base64'), what: message.error });
    ({ runs, outcomes } = message);
    isDone = message.type === 'done';
    onProgress?.(runs, outcomes);
  });
  const [code, signal] = (await once(worker, 'exit')) as [number | null, NodeJS.Signals | null];
  clearTimeout(watch);
  if (!isDone)
    found({
      input: lastInput(file),
      what: isHanging ? 'it hangs' : `the process died (${signal ?? `exit code ${code}`})`,
    });
  rmSync(folder, { recursive: true, force: true });
  return { findings, runs, outcomes };
}

function lastInput(file: string): Buffer {
  const bytes = readFileSync(file);
  return bytes.length < 4 ? Buffer.alloc(0) : bytes.subarray(4, 4 + bytes.readUInt32LE(0));
}
