import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ProbeOptions, probe, type SpeculationProfile } from './probe.ts';
import type { Target } from './target.ts';

/** Raised when what is measured, or how it is kept, changes: older files are measured again. */
const FORMAT = 2;
/** Profiles kept; the oldest go first. */
const MOST = 64;

const cacheFile = z.object({
  format: z.literal(FORMAT),
  profiles: z.record(
    z.string(),
    z.object({
      exactWidth: z.int().positive(),
      verifyMs: z.array(z.number().positive()).min(1),
      perTokenMs: z.array(z.number().nonnegative()).optional(),
    }),
  ),
});

export interface ProfileOptions extends ProbeOptions {
  /** The GGUF file of the target. */
  modelFile: string;
  threads: number;
  /** Where profiles are kept, a JSON file. */
  cacheFile: string;
}

/** The profile of a target: from the cache when this host measured this file before, measured now when not. */
export async function loadProfile(target: Target, options: ProfileOptions): Promise<SpeculationProfile> {
  const key = profileKey(options);
  const known = readCache(options.cacheFile)[key];
  if (known !== undefined) return known;
  const profile = await probe(target, options);
  // Read again: another process may have added something meanwhile.
  const others = Object.entries(readCache(options.cacheFile)).filter(([other]) => other !== key);
  writeCache(options.cacheFile, Object.fromEntries([...others.slice(-(MOST - 1)), [key, profile]]));
  return profile;
}

/** What a profile depends on. */
function profileKey({ modelFile, threads, widest }: ProfileOptions): string {
  const { size, mtimeMs } = statSync(modelFile);
  const model = [basename(modelFile), size, Math.floor(mtimeMs)];
  return [cpus()[0]?.model, cpus().length, threads, ...model, llamaVersion(), widest].join('|');
}

/** The version of node-llama-cpp, also where its code was put into one file beside its package.json. */
function llamaVersion(): string {
  const folder = dirname(fileURLToPath(import.meta.resolve('node-llama-cpp')));
  const file = [folder, dirname(folder)].map((each) => join(each, 'package.json')).find((path) => existsSync(path));
  return file === undefined
    ? 'unknown'
    : String((JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version);
}

/** A file that is missing, damaged or of another format holds nothing. */
function readCache(path: string): Record<string, SpeculationProfile> {
  try {
    return cacheFile.parse(JSON.parse(readFileSync(path, 'utf8'))).profiles;
  } catch {
    return {};
  }
}

function writeCache(path: string, profiles: Record<string, SpeculationProfile>): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify({ format: FORMAT, profiles }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}
