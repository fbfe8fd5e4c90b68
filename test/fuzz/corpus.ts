/** Inputs that are kept, a file for each: `seed-*` to begin with, `found-*` what was once handled wrongly. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, 'corpus');

export interface CorpusEntry {
  name: string;
  input: Buffer;
}

export function readCorpus(target: string): CorpusEntry[] {
  const folder = join(ROOT, target);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }));
}

/** Keeps an input. @returns the path of its file */
export function addToCorpus(target: string, input: Buffer): string {
  const folder = join(ROOT, target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `found-${createHash('sha256').update(input).digest('hex').slice(0, 12)}`);
  writeFileSync(path, input);
  return path;
}
