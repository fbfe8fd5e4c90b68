/** One line of the checklist, and what came of it. */
import type { LoadedConfig } from '../config/index.ts';
import type { ModelPool } from '../pool/index.ts';

/** `impossible`: this machine lacks what it takes; that says nothing of Phoenix. */
export type Result = 'pass' | 'fail' | 'impossible';

export interface Outcome {
  result: Result;
  /** What was seen, or why not. */
  detail: string;
}

/** What the checks work on: everything they make is in a folder of its own. */
export interface VerifyContext {
  config: LoadedConfig;
  /** Where Phoenix itself lies. */
  home: string;
  /** An empty folder, removed in the end. */
  folder: string;
  pool: ModelPool;
  /** Where the pool keeps what skills write. */
  skillState: string;
  /** Deploy for the check what is not deployed, and take it down again. */
  deploy: boolean;
  /** A report of `phoenix bench` to judge instead of a run now. */
  benchReport: string | undefined;
  /** How long a run now takes, in seconds. */
  benchSeconds: number;
  signal: AbortSignal;
  onStep(step: string): void;
}

export interface Check {
  id: string;
  /** The line of the source document that it stands for. */
  line: string;
  run(context: VerifyContext): Promise<Outcome>;
}

export const pass = (detail: string): Outcome => ({ result: 'pass', detail });
export const fail = (detail: string): Outcome => ({ result: 'fail', detail });
export const impossible = (detail: string): Outcome => ({ result: 'impossible', detail });
