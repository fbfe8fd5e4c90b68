import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { RuntimeError } from '../runtime.ts';

const recordSchema = z.object({
  format: z.literal(1),
  /** Who starts and stops the skills, for people. */
  manager: z.string(),
  skills: z.record(
    z.string(),
    z.object({
      fingerprint: z.string(),
      instanceId: z.string(),
      ownerToken: z.string(),
      /** Path of the unix socket, as the assistant sees it. */
      socket: z.string(),
      /** Name of the container, for people. */
      container: z.string(),
    }),
  ),
});

/** How skills are reached that somebody else starts and stops. Written by `phoenix deploy`. Format 1. */
export type SkillRecord = z.infer<typeof recordSchema>;

/** Reads a record: every time anew, because a new deployment replaces it. @throws RuntimeError */
export function readSkillRecord(path: string): SkillRecord {
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error).replaceAll('\n', ' ') : (error as Error).message;
    throw new RuntimeError(`skill_record ${path} cannot be used: ${why}; "phoenix deploy" writes one`);
  }
}
