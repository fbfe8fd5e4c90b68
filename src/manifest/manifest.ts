import { existsSync, readdirSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { NATIVE_PACKAGES } from '../bundle/index.ts';
import { MODEL_ROLES } from '../models/index.ts';
import { readYamlFile, YamlFileError } from '../yaml/read-yaml.ts';
import { duration, size } from '../yaml/units.ts';

const MIB = 1024 ** 2;

const example = z.strictObject({ text: z.string().min(1), language: z.enum(['es', 'en']).optional() });

/** The isolation levels, weakest first. */
export const ISOLATION_LEVELS = ['process', 'sandbox', 'container'] as const;

/** What skill.yaml may say. Durations and sizes are strings with a unit; parsed they are milliseconds and bytes. */
export const manifestSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,31}$/,
      'a name is 1 to 32 lower-case letters, digits and hyphens, and begins with a letter',
    ),
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'a version is like 1.2.3'),
  description: z.string().min(1),
  entry: z.string().default('handler.ts'),
  /** The weakest isolation in which the skill may be started; below it the launch is refused. */
  isolation: z.strictObject({ minimum: z.enum(ISOLATION_LEVELS).default('process') }).prefault({}),
  network: z.enum(['none']).default('none'),
  resources: z
    .strictObject({
      memory: size.default(256 * MIB),
      /** What the memory budget sets aside for the skill before it is measured. */
      reservation: size.default(64 * MIB),
      cpus: z.number().positive().max(1024).default(1),
      /** `batch`: it never takes a processor from what is running (SCHED_BATCH). */
      priority: z.enum(['normal', 'batch']).default('normal'),
      pids: z.int().min(16).max(32_768).default(64),
      tmp: size.default(64 * MIB),
    })
    .prefault({}),
  timeouts: z
    .strictObject({
      start: duration.default(10_000),
      request: duration.default(10_000),
      drain: duration.default(5000),
      /** Until a drafting stream whose client is silent is ended. */
      stream_idle: duration.default(60_000),
    })
    .prefault({}),
  limits: z
    .strictObject({
      concurrency: z.int().min(1).max(10_000).default(16),
      queue: z.int().min(0).max(100_000).default(64),
      request_bytes: size.default(4 * MIB),
    })
    .prefault({}),
  /** How many spares to keep: launched, paused, never used. */
  warm: z.int().min(0).max(64).default(0),
  /** `data`: a directory that survives restarts. */
  volumes: z.array(z.enum(['data'])).default([]),
  /** Packages with native code that the skill imports. They are put beside it, read-only. */
  native: z.array(z.enum(NATIVE_PACKAGES)).default([]),
  /** Models that the skill reads: those that phoenix.yaml has for these roles, read-only. */
  models: z.array(z.enum(MODEL_ROLES)).default([]),
  health: z.strictObject({ interval: duration.default(15_000), timeout: duration.default(2000) }).prefault({}),
  /** Folders of this machine that phoenix.yaml may show to the skill, read-only, by the names that the handler knows them by. */
  mounts: z.array(z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'a mount has a name like "tree"')).default([]),
  /** An instance serves one call and is thrown away: nothing of a call can be there in the next one. */
  single_use: z.boolean().default(false),
  /** A call that may have reached the skill can safely be sent again. */
  idempotent: z.boolean().default(false),
  config: z.record(z.string(), z.unknown()).default({}),
  examples: z.array(example).default([]),
});

/** A validated manifest and where it stands. */
export interface Manifest extends z.output<typeof manifestSchema> {
  /** Absolute path of the folder of skill.yaml. */
  folder: string;
  /** Absolute path of the handler's source. */
  entryPath: string;
}

/** Reads a skill's manifest. @throws YamlFileError that names file and line. */
export function readManifest(path: string): Manifest {
  const manifest = readYamlFile(path, manifestSchema);
  if (manifest.single_use && manifest.volumes.length > 0) {
    throw new YamlFileError([`${path}: single_use: an instance that is thrown away has no volumes: remove "volumes"`]);
  }
  const folder = dirname(resolve(path));
  const entryPath = resolve(folder, manifest.entry);
  if (isAbsolute(manifest.entry) || !entryPath.startsWith(`${folder}/`)) {
    throw new YamlFileError([`${path}: entry: "${manifest.entry}" leaves the folder of the skill`]);
  }
  if (!existsSync(entryPath)) throw new YamlFileError([`${path}: entry: there is no file ${entryPath}`]);
  return { ...manifest, folder, entryPath };
}

/** A skill that is there but cannot be used. */
export interface BrokenSkill {
  name: string;
  folder: string;
  error: Error;
}

/** All skills in some folders. A broken manifest makes its own skill unusable, not the others. */
export interface Catalog {
  skills: Map<string, Manifest>;
  broken: Map<string, BrokenSkill>;
}

/** Finds every `<folder>/<name>/skill.yaml`; of two skills with one name the one in the earlier folder counts. */
export function readCatalog(folders: readonly string[]): Catalog {
  const catalog: Catalog = { skills: new Map(), broken: new Map() };
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name, 'skill.yaml');
      if (
        !entry.isDirectory() ||
        catalog.skills.has(entry.name) ||
        catalog.broken.has(entry.name) ||
        !existsSync(path)
      ) {
        continue;
      }
      try {
        const manifest = readManifest(path);
        if (manifest.name !== entry.name) {
          throw new YamlFileError([`${path}: name: "${manifest.name}" is not the name of its folder, "${entry.name}"`]);
        }
        catalog.skills.set(manifest.name, manifest);
      } catch (error) {
        catalog.broken.set(entry.name, { name: entry.name, folder: dirname(path), error: error as Error });
      }
    }
  }
  return catalog;
}
