/** Files that are on the disk when a call returns: what is promised to others has to survive the machine stopping. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, statSync, truncateSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../state-format/index.ts';

/** Appends to a file, all of it or, when that fails, nothing. */
export function appendDurably(path: string, text: string): void {
  const before = existsSync(path) ? statSync(path).size : 0;
  try {
    write(path, Buffer.from(text), 'a');
  } catch (error) {
    if (existsSync(path)) truncateSync(path, before);
    throw error;
  }
}

/** Replaces a file, or makes it, in one step: a reader finds the old one or the new one. */
export function replaceDurably(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.tmp`;
  write(temporary, Buffer.from(content), 'w');
  renameSync(temporary, path);
  syncFolder(dirname(path));
}

function write(path: string, bytes: Uint8Array, flags: 'a' | 'w'): void {
  const isNew = !existsSync(path);
  const file = openSync(path, flags, 0o600);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (isNew) syncFolder(dirname(path));
}
