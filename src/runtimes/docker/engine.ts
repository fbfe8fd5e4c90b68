import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** The newest version of the Engine API that is spoken here; an older engine gets its own. */
const API_VERSION = '1.43';
/** For the first answer, in milliseconds: what does not answer by then is no engine that skills could run on. */
const HELLO_TIMEOUT_MS = 2000;
/** For any other answer, in milliseconds: an engine that is busy with many containers may take its time. */
const ANSWER_TIMEOUT_MS = 60_000;
/** For unpacking an image of some 100 MB on a slow disk, in milliseconds. */
const WORK_TIMEOUT_MS = 300_000;

/** The engine refused, or did not answer. `status` is the HTTP status, 0 when there was no answer. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const versionSchema = z.object({
  Version: z.string(),
  ApiVersion: z.string().regex(/^\d+\.\d+$/),
  /** As Go calls it: amd64, arm64. */
  Arch: z.string(),
  Os: z.string(),
});

export type EngineVersion = z.output<typeof versionSchema>;

/** Where an engine may listen, the most explicit place first. @throws EngineError for an address that is no unix socket */
export function engineSocket(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const { DOCKER_HOST, XDG_RUNTIME_DIR } = environment;
  if (DOCKER_HOST) {
    const path = /^unix:\/\/(.+)$/.exec(DOCKER_HOST)?.[1];
    if (path) return path;
    throw new EngineError(
      0,
      `DOCKER_HOST is ${DOCKER_HOST}: only unix:// sockets are used, because skills answer on one`,
    );
  }
  const places = [
    '/var/run/docker.sock',
    ...(XDG_RUNTIME_DIR ? [join(XDG_RUNTIME_DIR, 'docker.sock')] : []),
    join(homedir(), '.docker/run/docker.sock'),
  ];
  return places.find((path) => existsSync(path));
}

type Body = string | AsyncIterable<Uint8Array> | undefined;
type Until = number | AbortSignal;

/** A client of the Docker Engine API (https://docs.docker.com/reference/api/engine/) over its unix socket. */
export class Engine {
  readonly socketPath: string;
  #version: EngineVersion | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** What answers there. @throws EngineError, after two seconds at most */
  async version(): Promise<EngineVersion> {
    if (!this.#version) {
      const answer = await this.#text('GET', '/version', undefined, HELLO_TIMEOUT_MS);
      const version = versionSchema.safeParse(parsed(answer));
      if (!version.success) throw this.#noEngine(answer);
      this.#version = version.data;
    }
    return this.#version;
  }

  /**
   * One request with JSON on both sides; undefined for an empty answer.
   *
   * @param until for the whole answer: milliseconds, or a signal for what takes as long as the engine likes
   * @throws EngineError
   */
  async json<T>(method: string, path: string, body?: unknown, until: Until = ANSWER_TIMEOUT_MS): Promise<T> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#text(method, await this.#versioned(path), sent, until);
    if (answer === '') return undefined as T;
    const value = parsed(answer);
    if (value === undefined) throw this.#noEngine(answer);
    return value as T;
  }

  /**
   * Makes the engine do what takes long, with a tar archive or with nothing.
   *
   * @param timeoutMs for all of it, in milliseconds
   * @returns what it said about it, one JSON object a line
   * @throws EngineError
   */
  async work(path: string, archive?: AsyncIterable<Uint8Array>, timeoutMs = WORK_TIMEOUT_MS): Promise<string> {
    return await this.#text('POST', await this.#versioned(path), archive, timeoutMs);
  }

  /** Reads what is no JSON. @throws EngineError */
  async bytes(path: string): Promise<Buffer> {
    return await this.#read('GET', await this.#versioned(path), undefined, ANSWER_TIMEOUT_MS);
  }

  async #versioned(path: string): Promise<string> {
    const { ApiVersion } = await this.version();
    return `/v${compareVersions(ApiVersion, API_VERSION) < 0 ? ApiVersion : API_VERSION}${path}`;
  }

  async #text(method: string, path: string, body: Body, until: Until): Promise<string> {
    return (await this.#read(method, path, body, until)).toString();
  }

  async #read(method: string, path: string, body: Body, until: Until): Promise<Buffer> {
    const signal = typeof until === 'number' ? AbortSignal.timeout(until) : until;
    try {
      return await buffer(await this.#send(method, path, body, signal));
    } catch (error) {
      if (signal.aborted && typeof until === 'number')
        throw new EngineError(0, `${this.socketPath}: no answer within ${until / 1000} s to ${method} ${path}`);
      throw error instanceof EngineError ? error : this.#failure(error as Error);
    }
  }

  #send(method: string, path: string, body: Body, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isTar = body !== undefined && typeof body !== 'string';
      const headers = { host: 'docker', 'content-type': isTar ? 'application/x-tar' : 'application/json' };
      const outgoing = request({ socketPath: this.socketPath, method, path, headers, signal });
      const fail = (error: Error) => reject(this.#failure(error));
      outgoing.once('error', fail);
      outgoing.once('response', (response) => {
        const { statusCode: status = 0 } = response;
        if (status < 400) return resolve(response);
        text(response).then((answer) => reject(new EngineError(status, this.#refusal(answer, status))), fail);
      });
      if (body === undefined || typeof body === 'string') outgoing.end(body);
      else pipeline(body, outgoing).catch(fail);
    });
  }

  #failure(error: NodeJS.ErrnoException): EngineError {
    return new EngineError(0, `${this.socketPath}: ${explain(error)}`, { cause: error });
  }

  #refusal(answer: string, status: number): string {
    const { data } = refusalSchema.safeParse(parsed(answer));
    return data?.message ?? `${this.socketPath}: ${NO_ENGINE}; its HTTP status was ${status}`;
  }

  #noEngine(answer: string): EngineError {
    const said = answer.length > MAX_QUOTE ? `${answer.slice(0, MAX_QUOTE)}…` : answer;
    return new EngineError(0, `${this.socketPath}: ${NO_ENGINE}; it said ${JSON.stringify(said)}`);
  }
}

const NO_ENGINE = 'what answers there is no Docker engine: check DOCKER_HOST';
/** Characters of an answer that nobody understands. */
const MAX_QUOTE = 60;

const refusalSchema = z.object({ message: z.string() });

/** @returns undefined for what is no JSON */
function parsed(answer: string): unknown {
  try {
    return JSON.parse(answer);
  } catch {
    return undefined;
  }
}

function explain({ code = '', message }: NodeJS.ErrnoException): string {
  if (code === 'EACCES') return 'no permission; add your user to the group that owns it, usually "docker"';
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return 'no engine answers there; start it';
  if (code === 'ECONNRESET') return 'the engine went away in the middle of an answer: look at its log';
  // What is no HTTP: https://github.com/nodejs/llhttp
  if (code.startsWith('HPE_')) return NO_ENGINE;
  return message;
}

function compareVersions(a: string, b: string): number {
  const [first, second] = [a, b].map((version) => version.split('.').map(Number));
  return (first?.[0] ?? 0) - (second?.[0] ?? 0) || (first?.[1] ?? 0) - (second?.[1] ?? 0);
}
