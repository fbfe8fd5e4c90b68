import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { makePrivateDir } from './paths.ts';
import { readFileAlways } from './reserve.ts';

const identity = z.object({ pid: z.int().positive(), startTime: z.string().optional() });

const recordSchema = z.object({
  format: z.literal(1),
  skill: z.string(),
  runtime: z.enum(['sandbox', 'process']),
  fingerprint: z.string(),
  instanceId: z.string(),
  ownerToken: z.string(),
  launchedAt: z.number(),
  kept: z.boolean(),
  /** Which of the folders of its skill it uses. */
  slot: z.int().nonnegative().default(0),
  process: identity,
  /** Control groups to remove once the process is gone. */
  cgroups: z.array(z.string()),
});

/** What is written down about a running skill, so that an assistant that starts later can find it again. Format 1. */
export type UnitRecord = z.infer<typeof recordSchema>;

const NAME = 'unit.json';

/** @returns undefined when there is none, or none that can be read */
export function readRecord(runDir: string): UnitRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileAlways(join(runDir, NAME))));
  } catch {
    return undefined;
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. */
export function writeRecord(runDir: string, record: UnitRecord): void {
  const path = join(makePrivateDir(runDir), NAME);
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

export function removeRecord(runDir: string): void {
  rmSync(join(runDir, NAME), { force: true });
}
