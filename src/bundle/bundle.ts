/**
 * Bundles the skill host and a skill's handler into one file each: loading one file takes a fifth of the time of loading
 * the hundred that it is made of, and it is all that an isolated skill has to see.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { makeCompileCache } from './compile-cache.ts';
import { BundleError } from './error.ts';
import { build, FOR_NODE } from './esbuild.ts';
import { NATIVE_PACKAGES } from './native.ts';

/** `.ts` in the repository, `.js` in the published package. */
const EXTENSION = extname(import.meta.filename);
const HOST_ENTRY = join(import.meta.dirname, `../skill/host${EXTENSION}`);
const HEALTH_PROBE_ENTRY = join(import.meta.dirname, `../skill/health-probe${EXTENSION}`);
const ASSISTANT_ENTRY = join(import.meta.dirname, `../cli/main${EXTENSION}`);
/** What a skill may import of Phoenix, bundled from this version. */
const SKILL_API = {
  'phoenix/skill': join(import.meta.dirname, `../skill/handler${EXTENSION}`),
  'phoenix/drafting': join(import.meta.dirname, `../speculative/drafting${EXTENSION}`),
  'phoenix/patch': join(import.meta.dirname, `../patch/in-skill${EXTENSION}`),
  'phoenix/models': join(import.meta.dirname, `../models/index${EXTENSION}`),
  'phoenix/generation': join(import.meta.dirname, `../speculative/index${EXTENSION}`),
};
/** How bundles lie in their folder: a change makes older ones outdated. */
const LAYOUT = 2;

export interface Bundle {
  /** Absolute path of the bundled file. */
  path: string;
  /** SHA-256 of its content, hexadecimal. */
  hash: string;
  /** Absolute paths of the files that it was made of. */
  sources: string[];
}

/** The skill host, which is the same for all skills. */
export interface HostBundle extends Bundle {
  /** Absolute path of a folder for NODE_COMPILE_CACHE; undefined when there is none. */
  compileCache: string | undefined;
}

interface CacheEntry extends Omit<Bundle, 'sources'> {
  /** What it was made of: path, modification time and size. */
  inputs: [path: string, mtimeMs: number, size: number][];
}

/** Bundles the skill host. `cacheDir` keeps the result until a source changes. */
export async function bundleHost(cacheDir: string): Promise<HostBundle> {
  const host = await bundle(HOST_ENTRY, cacheDir);
  return { ...host, compileCache: await makeCompileCache(host.path) };
}

/** Bundles the health check of containers. */
export function bundleHealthProbe(cacheDir: string): Promise<Bundle> {
  return bundle(HEALTH_PROBE_ENTRY, cacheDir);
}

/** Bundles the assistant, for its image. It finds its version in `../package.json`. */
export function bundleAssistant(cacheDir: string): Promise<Bundle> {
  return bundle(ASSISTANT_ENTRY, cacheDir);
}

/** Bundles a handler; what it imports of `phoenix` is this version's. @throws BundleError */
export function bundleHandler(entryPath: string, cacheDir: string): Promise<Bundle> {
  return bundle(entryPath, cacheDir);
}

async function bundle(entry: string, cacheDir: string): Promise<Bundle> {
  mkdirSync(cacheDir, { recursive: true });
  const key = createHash('sha256').update(`${LAYOUT} ${entry}`).digest('hex').slice(0, 16);
  const cachePath = join(cacheDir, `${key}.json`);
  const cached = readCache(cachePath);
  if (cached) return cached;

  const { files, sources } = await build(entry, {
    options: {
      ...FOR_NODE,
      entryPoints: [entry],
      alias: SKILL_API,
      // A program of its own, which nothing needs that is bundled already; native code, which stands beside the bundle.
      external: ['esbuild', ...NATIVE_PACKAGES],
    },
  });
  const [output] = files;
  if (!output) throw new BundleError(`${entry}: the build has no output`);
  const hash = createHash('sha256').update(output.contents).digest('hex');
  const name = basename(entry).replace(/\.\w+$/, '');
  // A folder of its own, so that it has the same name wherever it is used: what was compiled goes by the name.
  const path = join(cacheDir, `${name}-${hash.slice(0, 16)}`, `${name}.mjs`);
  mkdirSync(dirname(path), { recursive: true });
  writeAtomically(path, output.contents);
  const inputs = sources.map((input): CacheEntry['inputs'][number] => {
    const { mtimeMs, size } = statSync(input);
    return [input, mtimeMs, size];
  });
  writeAtomically(cachePath, JSON.stringify({ path, hash, inputs } satisfies CacheEntry));
  return { path, hash, sources };
}

/** The cached bundle, if its file is there and none of its sources has changed. */
function readCache(cachePath: string): Bundle | undefined {
  try {
    const { path, hash, inputs } = JSON.parse(readFileSync(cachePath, 'utf8')) as CacheEntry;
    if (!existsSync(path)) return undefined;
    for (const [input, mtimeMs, size] of inputs) {
      const stat = statSync(input);
      if (stat.mtimeMs !== mtimeMs || stat.size !== size) return undefined;
    }
    return { path, hash, sources: inputs.map(([input]) => input) };
  } catch {
    return undefined;
  }
}

function writeAtomically(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}
