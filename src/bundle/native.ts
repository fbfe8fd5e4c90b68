/**
 * Packages with native code, as skills get them: JavaScript in one file, because loading the hundreds that it is made of takes a multiple
 * of the time, and beside it the binaries for this machine. One folder, with nothing in it that is not used when it runs.
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BundleError } from './error.ts';
import { build, FOR_NODE } from './esbuild.ts';

/** What a skill may name in `native`. */
export const NATIVE_PACKAGES = ['node-llama-cpp'] as const;
export type NativePackageName = (typeof NATIVE_PACKAGES)[number];

export interface NativePackage {
  name: NativePackageName;
  version: string;
  /** Absolute path of the folder. */
  folder: string;
  /** Absolute paths of the files that its JavaScript was made of. */
  sources: string[];
  /** Identifies its content: version, machine, and how it was put together. */
  hash: string;
}

/** Raised when what is below changes: older folders are made anew. */
const FORMAT = 1;
/** Binaries for this kind of machine, as node-llama-cpp names them. */
const MACHINE = { x64: 'linux-x64', arm64: 'linux-arm64', arm: 'linux-armv7l' }[process.arch as string];

/**
 * Puts a package together, unless `cacheDir` has it.
 *
 * @throws BundleError when it is not installed, or not for this machine
 */
export async function provideNative(name: NativePackageName, cacheDir: string): Promise<NativePackage> {
  const source = installedFolder(name);
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string };
  const binaries = binariesOf(name, source);
  const addon = statSync(join(binaries, 'llama-addon.node'));
  const identity = [FORMAT, version, MACHINE, addon.size, addon.mtimeMs];
  const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const folder = join(cacheDir, 'native', `${name}-${version}-${hash}`);
  if (!existsSync(folder) || !existsSync(sourcesPath(folder))) await assemble(name, source, binaries, folder);
  const sources = JSON.parse(readFileSync(sourcesPath(folder), 'utf8')) as string[];
  return { name, version, folder, sources, hash };
}

/** Files of a package, relative to its folder, in a fixed order. */
export function filesOf({ folder }: NativePackage): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

function installedFolder(name: NativePackageName): string {
  try {
    // Its entry is dist/index.js.
    return dirname(dirname(fileURLToPath(import.meta.resolve(name))));
  } catch {
    throw new BundleError(`the package ${name} is not installed: run "npm ci"`);
  }
}

function binariesOf(name: NativePackageName, source: string): string {
  const owner = `@node-llama-cpp/${MACHINE}`;
  try {
    const manifest = createRequire(join(source, 'package.json')).resolve(owner);
    const folder = join(dirname(dirname(manifest)), 'bins', `${MACHINE}`);
    if (existsSync(folder)) return folder;
  } catch {
    // Said below.
  }
  throw new BundleError(`${name} has no binaries for this machine: ${owner} is not installed; run "npm ci" on it`);
}

async function assemble(name: NativePackageName, source: string, binaries: string, folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}.`);
  try {
    const sources = await bundlePackage(name, source, join(temporary, 'dist/index.js'));
    writeFileSync(sourcesPath(temporary), JSON.stringify(sources));
    renameSync(sourcesPath(temporary), sourcesPath(folder));
    cpSync(join(source, 'package.json'), join(temporary, 'package.json'));
    for (const file of ['LICENSE', 'llama/binariesGithubRelease.json', 'llama/llama.cpp.info.json'])
      cpSync(join(source, file), join(temporary, file));
    // Where it looks first, before it looks for the package of the binaries.
    cpSync(binaries, join(temporary, 'bins', `${MACHINE}`), { recursive: true });
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Somebody else was quicker.
    if (existsSync(folder)) return;
    throw error;
  }
}

/** What a package was made of stands beside its folder, not in it: an image with it is the same wherever it is built. */
function sourcesPath(folder: string): string {
  return `${folder}.sources.json`;
}

/** @returns absolute paths of the files that it was made of */
async function bundlePackage(name: NativePackageName, source: string, destination: string): Promise<string[]> {
  const { files, sources, isReplaced } = await build(name, {
    options: {
      ...FOR_NODE,
      entryPoints: [join(source, 'dist/index.js')],
      // What it downloads, builds or shows with; not used with `build: 'never'`.
      external: ['electron', 'typescript', '@node-llama-cpp/*', '@reflink/*'],
    },
    // It loads the binaries in a process of their own first, to see whether they crash. A skill is that process.
    replacement: {
      filter: String.raw`[/\\]testBindingBinary\.js$`,
      contents: 'export async function testBindingBinary() { return true; }',
    },
  });
  const [output] = files;
  if (!output || !isReplaced) throw new BundleError(`${name} is not as it was when this was written: pin version 3.22`);
  mkdirSync(dirname(destination), { recursive: true });
  writeFileSync(destination, output.contents);
  return sources;
}
