import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, statfs } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ModelError } from './error.ts';
import { type RemoteFile, reasonOf, refusal } from './hub.ts';
import { isSafe } from './reference.ts';

/** A connection that gives nothing for this long is broken, in milliseconds. */
const STALL_MS = 30_000;
/** Attempts in a row that bring nothing before it is given up. */
const MOST_FAILURES = 4;
const RETRY_MS = 250;
/** Bytes that stay free on the disk. */
const DISK_RESERVE = 64 * 1024 ** 2;

export interface Progress {
  received: number;
  /** Undefined when the server does not say. */
  total: number | undefined;
}

export interface DownloadOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Free bytes on the disk of a folder; by default what the system says. */
  freeBytes?: (folder: string) => Promise<number>;
}

/** A part of a file. What it is the beginning of is written down beside it. */
interface Part {
  url: string;
  /** Of the version that was begun; another one cannot be continued. */
  etag: string | undefined;
}

/** Something that another attempt may overcome. */
class Interruption extends Error {}

/**
 * Downloads into `path`, continuing what an earlier call left there. A broken connection is made again and goes on where it stopped.
 *
 * @returns SHA-256 of the whole file, hexadecimal, and its size
 * @throws ModelError, the signal's reason; what has arrived stays for the next call, unless it is wrong
 */
export async function download(
  remote: RemoteFile,
  path: string,
  folder: string,
  options: DownloadOptions,
): Promise<{ sha256: string; size: number }> {
  let failures = 0;
  while (true) {
    const before = sizeOf(path);
    try {
      const { hash, size } = await attempt(remote, path, folder, options);
      const sha256 = hash.digest('hex');
      if (remote.sha256 === undefined || remote.sha256 === sha256) return { sha256, size };
      discard(path);
      throw new ModelError(
        `${remote.url}: what arrived has the SHA-256 ${sha256} instead of ${remote.sha256}: it was thrown away; pull it again`,
      );
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Interruption)) throw error;
      failures = sizeOf(path) > before ? 1 : failures + 1;
      if (failures < MOST_FAILURES) {
        await sleep(RETRY_MS * 2 ** failures, undefined, { signal: options.signal });
        continue;
      }
      throw new ModelError(
        `${remote.url}: ${error.message}; ${sizeOf(path)} bytes are here: pull again to go on from there`,
      );
    }
  }
}

/** Forgets what was downloaded of a file. */
export function discard(path: string): void {
  rmSync(path, { force: true });
  rmSync(partPath(path), { force: true });
}

async function attempt(remote: RemoteFile, path: string, folder: string, options: DownloadOptions) {
  const begun = readPart(path, remote.url);
  if (!begun) discard(path);
  const stall = new AbortController();
  const timer = setTimeout(() => stall.abort(new Interruption(`nothing came for ${STALL_MS / 1000} s`)), STALL_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, stall.signal]) : stall.signal;
  try {
    const response = await request(remote, begun, sizeOf(path), signal);
    if (response.status === 416) {
      discard(path);
      await response.body?.cancel();
      throw new Interruption('what was here is not what the server has now');
    }
    const from = response.status === 206 ? sizeOf(path) : 0;
    const announced = response.headers.get('content-length');
    // A compressed answer is longer than it says.
    const left = announced === null || response.headers.has('content-encoding') ? undefined : Number(announced);
    const total = left === undefined ? undefined : from + left;
    if (remote.size !== undefined && total !== undefined && total !== remote.size)
      throw new ModelError(
        `${remote.url}: the server sends ${total} bytes, the hub says ${remote.size}: pull it again later`,
      );
    await requireSpace(folder, remote, left ?? 0, options);
    const hash = createHash('sha256');
    if (from > 0) await addTo(hash, path);
    writeFileSync(partPath(path), JSON.stringify({ url: remote.url, etag: etagOf(response) } satisfies Part));
    // Skills in containers read it as another user; nobody else gets into the folder.
    const file = await open(path, from > 0 ? 'a' : 'w', 0o644);
    try {
      const size = await receive(response, file, hash, { received: from, total }, () => timer.refresh(), options);
      if (total !== undefined && size < total)
        throw new Interruption(`the server stopped after ${size} of ${total} bytes`);
      await file.sync();
      return { hash, size };
    } finally {
      await file.close();
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof ModelError || error instanceof Interruption) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC') throw new ModelError(`${folder}: the disk is full: free some space and pull again`);
    throw new Interruption(stall.signal.aborted ? (stall.signal.reason as Error).message : reasonOf(error));
  } finally {
    clearTimeout(timer);
  }
}

async function request(
  remote: RemoteFile,
  begun: Part | undefined,
  from: number,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  // Only a version that has a name can be continued for sure.
  if (begun?.etag !== undefined && from > 0) {
    headers.range = `bytes=${from}-`;
    headers['if-range'] = begun.etag;
  }
  // Not sent on to other hosts that a redirect leads to: fetch drops it there.
  if (remote.token) headers.authorization = `Bearer ${remote.token}`;
  const response = await fetch(remote.url, { headers, signal });
  if (!isSafe(new URL(response.url))) {
    await response.body?.cancel();
    throw new ModelError(`${remote.url} leads to an address that is not encrypted: it was not used`);
  }
  if (response.ok || response.status === 416) return response;
  await response.body?.cancel();
  const message = refusal(remote.url, response.status, remote.token !== undefined);
  throw response.status >= 500 || response.status === 429 ? new Interruption(message) : new ModelError(message);
}

async function receive(
  response: Response,
  file: FileHandle,
  hash: Hash,
  { received, total }: Progress,
  onBytes: () => void,
  { onProgress }: DownloadOptions,
): Promise<number> {
  for await (const piece of response.body ?? []) {
    onBytes();
    await file.write(piece);
    hash.update(piece);
    received += piece.length;
    onProgress?.({ received, total });
  }
  return received;
}

async function requireSpace(
  folder: string,
  remote: RemoteFile,
  needed: number,
  { freeBytes = freeBytesOf }: DownloadOptions,
): Promise<void> {
  const free = await freeBytes(folder);
  if (needed + DISK_RESERVE <= free) return;
  const mib = (bytes: number) => Math.ceil(bytes / 1024 ** 2);
  throw new ModelError(
    `${remote.url}: ${mib(needed)} MiB are to come and ${folder} has ${mib(free)} MiB free (${mib(DISK_RESERVE)} MiB stay free): make room, or move state_dir`,
  );
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function addTo(hash: Hash, path: string): Promise<void> {
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
}

/** A tag that promises the very same bytes. */
function etagOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag') ?? undefined;
  return etag?.startsWith('W/') ? undefined : etag;
}

function partPath(path: string): string {
  return `${path}.json`;
}

function readPart(path: string, url: string): Part | undefined {
  try {
    const part = JSON.parse(readFileSync(partPath(path), 'utf8')) as Part;
    return existsSync(path) && part.url === url ? part : undefined;
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
