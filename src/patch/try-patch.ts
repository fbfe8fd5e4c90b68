/** Tries a patch with a patch-sandbox of its own: no assistant has to run. */
import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Manifest, readManifest } from '../manifest/index.ts';
import { ModelPool } from '../pool/index.ts';
import { createRuntimes, localPaths, type RuntimeName, selectRuntime } from '../runtimes/index.ts';
import { copyTree } from './copy-tree.ts';
import { PatchError } from './error.ts';
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
  using folders = new DisposableStack();
  const makeFolder = (parent: string) =>
    folders.adopt(mkdtempSync(join(parent, 'phoenix-patch-')), (path) =>
      rmSync(path, { recursive: true, force: true }),
    );
  const stateDir = makeFolder(temporaryFolder());
  const paths = localPaths(stateDir);
  const manifest = readManifest(MANIFEST);
  const { runtime, reason } = await selectRuntime(inOrder(createRuntimes(paths)), options.runtime);
  const snapshotDir = makeFolder(tmpdir());
  // A container runs as nobody where we are root.
  if (runtime.name === 'docker' && process.getuid?.() === 0) chmodSync(snapshotDir, 0o755);
  onStep('copying the tree');
  const mounts = tree === undefined ? {} : await snapshot(tree, snapshotDir, { ...manifest.config, ...config }, signal);
  const pool = new ModelPool({
    catalog: {
      skills: new Map([[SKILL, { ...manifest, resources: { ...manifest.resources, ...limits } }]]),
      broken: new Map(),
    },
    runtime,
    bundleDir: join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'phoenix', 'bundles'),
    skills: { [SKILL]: { config, toolchain, mounts } },
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
  }
}

/**
 * What the skill sees of a tree: a copy of its files, and the folders that are not copied, put into it. The tree itself is not shown: a
 * read-only folder keeps nobody from talking to the sockets in it, and what is left out would be there to be read.
 *
 * @returns the folders by where they are put
 */
async function snapshot(
  tree: string,
  folder: string,
  { link, exclude }: Manifest['config'],
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const mounts: Record<string, string> = { tree: folder };
  await copyTree(tree, folder, {
    link: link as string[],
    exclude: exclude as string[],
    signal,
    onLinked: (path) => {
      mounts[`tree/${path}`] = join(tree, path);
    },
    onError: (path, error) => {
      throw new PatchError(`${join(tree, path)} cannot be copied: ${error.message}; leave it out with --exclude`);
    },
  });
  return mounts;
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
