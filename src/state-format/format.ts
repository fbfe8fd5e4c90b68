import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A kind of durable file and the versions that it has had. The first one is 1. */
export interface DurableFormat {
  /** Its path, relative to the folder of all of them. */
  file: string;
  /** The version that is read and written now. */
  version: number;
  /** The version of a file, without changing anything; undefined where there is none to tell, because it is damaged or not ours. */
  versionOf(path: string): number | undefined;
  /** Copies a file, all of it as it is now; the copy is on the disk and was read again. @throws when that is not so */
  backUp(from: string, to: string): void;
  /** Brings a file up to date in one step: whoever dies when, it is as it was or as it will be. */
  migrate(path: string, from: number): void;
}

/** A JSON file whose version is its `format`. @param steps each makes the next version of the one before */
export function jsonFormat(file: string, steps: readonly ((value: unknown) => unknown)[] = []): DurableFormat {
  const version = steps.length + 1;
  return {
    file,
    version,
    versionOf: (path) => formatOf(readFileSync(path, 'utf8')),
    backUp: copyFile,
    migrate: (path, from) => {
      let value: unknown = JSON.parse(readFileSync(path, 'utf8'));
      for (const step of steps.slice(from - 1)) value = step(value);
      const migrated = { ...(value as object), format: version };
      writeDurably(`${path}.migrating`, Buffer.from(`${JSON.stringify(migrated)}\n`));
      renameSync(`${path}.migrating`, path);
    },
  };
}

/** Lines of JSON that are only ever added to, each with its `format`: older ones stay as they are. */
export function jsonLinesFormat(file: string, version: number): DurableFormat {
  return readOnly(file, version, (path) => {
    const versions = readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => formatOf(line) ?? []);
    // Lines of an older version are no reason to migrate.
    return versions.length === 0 ? undefined : Math.max(version, ...versions);
  });
}

/** A file that begins with a magic number, and then its version as uint32, little-endian. */
export function binaryFormat(file: string, magic: string, version: number): DurableFormat {
  return readOnly(file, version, (path) => {
    const bytes = readFileSync(path);
    const isOurs = bytes.toString('latin1', 0, magic.length) === magic && bytes.length >= magic.length + 4;
    return isOurs ? bytes.readUInt32LE(magic.length) : undefined;
  });
}

/** A format that has had one version so far. */
function readOnly(file: string, version: number, versionOf: DurableFormat['versionOf']): DurableFormat {
  const migrate = (path: string, from: number) => {
    throw new Error(`${path}: there is no way from format ${from} to ${version}`);
  };
  return { file, version, versionOf, backUp: copyFile, migrate };
}

function formatOf(json: string): number | undefined {
  try {
    const { format } = JSON.parse(json) as { format?: unknown };
    return Number.isSafeInteger(format) ? (format as number) : undefined;
  } catch {
    return undefined;
  }
}

function copyFile(from: string, to: string): void {
  const bytes = readFileSync(from);
  writeDurably(to, bytes);
  const digest = (content: Buffer) => createHash('sha256').update(content).digest('hex');
  if (digest(readFileSync(to)) !== digest(bytes)) throw new Error(`${to} is not what was written`);
}

function writeDurably(path: string, bytes: Buffer): void {
  writeFileSync(path, bytes, { mode: 0o600, flush: true });
}

/** Has the names in a folder on the disk. */
export function syncFolder(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
