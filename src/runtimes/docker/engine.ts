import { existsSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

/** The newest version of the Engine API that is spoken here; an older engine gets its own. */
const API_VERSION = '1.43';
const CONNECT_TIMEOUT_MS = 3000;

/** The engine refused, or did not answer. `status` is the HTTP status, 0 when there was no answer. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

export interface EngineVersion {
  Version: string;
  ApiVersion: string;
  Arch: string;
  Os: string;
}

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

/** A client of the Docker Engine API (https://docs.docker.com/reference/api/engine/) over its unix socket. */
export class Engine {
  readonly socketPath: string;
  #version: EngineVersion | undefined;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** What answers there. @throws EngineError */
  async version(): Promise<EngineVersion> {
    this.#version ??= JSON.parse(await text(await this.#send('GET', '/version', undefined, CONNECT_TIMEOUT_MS)));
    return this.#version as EngineVersion;
  }

  /** One request with JSON on both sides; undefined for an empty answer. @throws EngineError */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await text(await this.stream(method, path, body === undefined ? undefined : JSON.stringify(body)));
    return (answer === '' ? undefined : JSON.parse(answer)) as T;
  }

  /** One request whose answer is read piece by piece. @throws EngineError */
  async stream(method: string, path: string, body?: string | AsyncIterable<Uint8Array>): Promise<IncomingMessage> {
    const { ApiVersion } = await this.version();
    const version = compareVersions(ApiVersion, API_VERSION) < 0 ? ApiVersion : API_VERSION;
    return await this.#send(method, `/v${version}${path}`, body);
  }

  #send(
    method: string,
    path: string,
    body?: string | AsyncIterable<Uint8Array>,
    timeoutMs = 0,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const isTar = body !== undefined && typeof body !== 'string';
      const headers = { host: 'docker', 'content-type': isTar ? 'application/x-tar' : 'application/json' };
      const outgoing = request({ socketPath: this.socketPath, method, path, headers, timeout: timeoutMs });
      const fail = (error: NodeJS.ErrnoException) =>
        reject(new EngineError(0, explain(this.socketPath, error), { cause: error }));
      outgoing.once('error', fail);
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      outgoing.once('response', (response) => {
        const { statusCode: status = 0 } = response;
        if (status < 400) return resolve(response);
        text(response).then((answer) => reject(new EngineError(status, messageOf(answer, status))), fail);
      });
      if (body === undefined || typeof body === 'string') outgoing.end(body);
      else pipeline(body, outgoing).catch(fail);
    });
  }
}

function messageOf(answer: string, status: number): string {
  try {
    return (JSON.parse(answer) as { message: string }).message;
  } catch {
    return `the engine answered ${status}`;
  }
}

function explain(socketPath: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES')
    return `${socketPath}: no permission; add your user to the group that owns it, usually "docker"`;
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED')
    return `${socketPath}: no engine answers there; start it`;
  return `${socketPath}: ${error.message}`;
}

function compareVersions(a: string, b: string): number {
  const [first, second] = [a, b].map((version) => version.split('.').map(Number));
  return (first?.[0] ?? 0) - (second?.[0] ?? 0) || (first?.[1] ?? 0) - (second?.[1] ?? 0);
}
