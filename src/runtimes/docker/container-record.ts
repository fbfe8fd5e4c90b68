import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { MODEL_ROLES } from '../../models/index.ts';

const recordSchema = z.object({
  format: z.literal(1),
  instanceId: z.string(),
  ownerToken: z.string(),
  kept: z.boolean(),
  /** Which of the folders of its skill it uses. */
  slot: z.int().nonnegative().default(0),
  /** Paths of the models that it reads, by their role. */
  models: z.partialRecord(z.enum(MODEL_ROLES), z.string()).default({}),
  /** What else of the machine it sees: path outside, path inside. */
  shared: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** For a skill that answers on a port. */
  tls: z.object({ serverCertificate: z.string(), certificate: z.string(), key: z.string() }).optional(),
});

/** What is known about a container beside its labels, which everybody may read. Format 1. */
export type ContainerRecord = z.output<typeof recordSchema>;

const NAME = 'container.json';

/** @returns undefined when there is none, or none that can be read */
export function readContainerRecord(runDir: string): ContainerRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(join(runDir, NAME), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. */
export function writeContainerRecord(runDir: string, record: ContainerRecord): void {
  const path = join(runDir, NAME);
  writeFileSync(`${path}.tmp`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

export function removeContainerRecord(runDir: string): void {
  rmSync(join(runDir, NAME), { force: true });
}
