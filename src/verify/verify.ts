/** `phoenix verify`: the validation checklist of the source document and its four tests, for real. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readCatalog } from '../manifest/index.ts';
import { ModelStore, modelFiles } from '../models/index.ts';
import { ModelPool } from '../pool/index.ts';
import { createRuntimes, localPaths, selectRuntime } from '../runtimes/index.ts';
import { benchmarkCheck } from './benchmark-check.ts';
import { type Check, fail, type Outcome, type VerifyContext } from './check.ts';
import { dashboardCheck, dashboardDetails } from './dashboard-checks.ts';
import { composeCheck, healthCheck } from './deployment-checks.ts';
import { memoryCheck, memoryTests } from './memory-checks.ts';
import { clientCheck, launchTests } from './skill-checks.ts';

const HOME = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

const SECTIONS: Record<string, Check[]> = {
  'Validation checklist': [clientCheck, composeCheck, memoryCheck, dashboardCheck, benchmarkCheck, healthCheck],
  Tests: [...launchTests, ...memoryTests],
  Details: dashboardDetails,
};

export interface CheckResult extends Outcome {
  section: string;
  id: string;
  line: string;
  durationMs: number;
}

export type VerifyOptions = Pick<
  VerifyContext,
  'config' | 'deploy' | 'benchReport' | 'benchSeconds' | 'signal' | 'onStep'
> & {
  /** Only checks whose id begins with one of these; none: all. */
  only: readonly string[];
};

/** Runs the checks one after the other, on skills and state of their own. @throws RuntimeError when no runtime works */
export async function* verify({ only, ...options }: VerifyOptions): AsyncGenerator<CheckResult> {
  const { config, signal, onStep } = options;
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-verify-'));
  const skillState = join(folder, 'skills');
  const paths = localPaths(skillState);
  const { runtime, reason } = await selectRuntime(createRuntimes(paths, config.docker), config.skill_runtime);
  onStep(`skills run in ${reason}`);
  const pool = new ModelPool({
    catalog: readCatalog([join(HOME, 'skills')]),
    runtime,
    bundleDir: paths.bundles,
    modelFile: modelFiles(config.models, ModelStore.of(config.state_dir)),
  });
  const context: VerifyContext = { ...options, home: HOME, folder, pool, skillState };
  try {
    for (const [section, checks] of Object.entries(SECTIONS)) {
      for (const check of checks) {
        if (only.length > 0 && !only.some((prefix) => check.id.startsWith(prefix))) continue;
        signal.throwIfAborted();
        onStep(check.line);
        const started = performance.now();
        // What a check did not expect is what the operator wants to know.
        const outcome = await check.run(context).catch((error: Error) => fail(error.message));
        const { id, line } = check;
        yield { section, id, line, ...outcome, durationMs: Math.round(performance.now() - started) };
      }
    }
  } finally {
    await pool.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
