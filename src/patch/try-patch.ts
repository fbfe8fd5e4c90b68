/** Tries a patch with a patch-sandbox of its own: no assistant has to run. */
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readManifest } from '../manifest/index.ts';
import { ModelPool } from '../pool/index.ts';
import { createRuntimes, localPaths, type RuntimeName, selectRuntime } from '../runtimes/index.ts';
import type { PatchRequest, PatchResult } from './protocol.ts';

const SKILL = 'patch-sandbox';
const MANIFEST = fileURLToPath(new URL(`../../skills/${SKILL}/skill.yaml`, import.meta.url));
/** Beyond the command: launch, copy, answer. In milliseconds. */
const OVERHEAD_MS = 60_000;

export interface TryOptions {
  request: PatchRequest;
  /** The folder that the diff is for; undefined: only the files of the request. */
  tree: string | undefined;
  runtime: RuntimeName | 'auto';
  /** The command sees the programs of this machine. */
  toolchain: boolean;
  /** What the command may take, in milliseconds. */
  timeoutMs: number;
  /** Bytes, processors, processes; what is left out is as in the manifest. */
  limits: { memory?: number; tmp?: number; pids?: number; cpus?: number };
  /** Overrides of `config` of the skill. */
  config: Record<string, unknown>;
  signal: AbortSignal;
  /** Told what is done now. */
  onStep: (step: string) => void;
}

/** The answer, and in what it was run. */
export type TriedPatch = PatchResult & { isolation: string };

/**
 * Applies a patch in a throw-away copy and runs a command there, in the strongest isolation that sees this machine's programs.
 *
 * @throws SkillCallError with what the skill refuses, SkillLaunchError, RuntimeError
 */
export async function tryPatch(options: TryOptions): Promise<TriedPatch> {
  const { request, tree, timeoutMs, limits, config, toolchain, signal, onStep } = options;
  const stateDir = mkdtempSync(join(temporaryFolder(), 'phoenix-patch-'));
  const paths = localPaths(stateDir);
  const manifest = readManifest(MANIFEST);
  const { runtime, reason } = await selectRuntime(inOrder(createRuntimes(paths)), options.runtime);
  const pool = new ModelPool({
    catalog: {
      skills: new Map([[SKILL, { ...manifest, resources: { ...manifest.resources, ...limits } }]]),
      broken: new Map(),
    },
    runtime,
    bundleDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'phoenix', 'bundles'),
    skills: { [SKILL]: { config, toolchain, mounts: tree === undefined ? {} : { tree } } },
  });
  try {
    onStep(`starting: ${reason}`);
    const client = await pool.getSkillClient(SKILL, { signal });
    onStep(request.command === undefined ? 'applying' : 'applying, and running the command');
    const { text } = await client.infer(
      { prompt: JSON.stringify({ ...request, timeout_ms: timeoutMs }) },
      { timeoutMs: timeoutMs + OVERHEAD_MS, signal },
    );
    return { ...(JSON.parse(text) as PatchResult), isolation: runtime.isolation };
  } finally {
    await pool.close();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

/**
 * The folder of the skill's socket is the one place outside of its own that a command could write to. In memory, that counts against its
 * limit instead of filling a disk.
 */
function temporaryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}

/** The sandbox first: it is quicker than a container, and needs no image. */
function inOrder(runtimes: ReturnType<typeof createRuntimes>): ReturnType<typeof createRuntimes> {
  const order: RuntimeName[] = ['sandbox', 'docker', 'process'];
  return runtimes.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}
