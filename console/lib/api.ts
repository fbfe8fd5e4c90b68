/** Requests to the server that this page came from. */
import { connectionLost, needsToken } from './connection.ts';
import { createKeptStore } from './store.ts';

/** The server refused or failed, and said why. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The server does not answer. */
export class LostError extends Error {
  override readonly name = 'LostError';
}

const isText = (value: unknown): value is string => typeof value === 'string';
/**
 * In the storage of this tab, which belongs to this origin with its port. A cookie would be sent to every port of the host, and with
 * requests of other pages.
 */
export const token = createKeptStore('phoenix.token', sessionStorage, '', isText);

interface RequestOptions {
  body?: unknown;
  /** Sent as it is, instead of a body of JSON. */
  raw?: { content: BodyInit; type: string };
  signal?: AbortSignal;
}

/** Asks the server. @throws ApiError, LostError, or the reason of the signal */
export async function request(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
  const { body, raw, signal } = options;
  const headers = new Headers();
  if (token.get() !== '') headers.set('authorization', `Bearer ${token.get()}`);
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (raw) headers.set('content-type', raw.type);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: raw?.content ?? (body === undefined ? null : JSON.stringify(body)),
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    connectionLost();
    throw new LostError('the server does not answer');
  }
  if (response.ok) return response;
  if (response.status === 401) needsToken.set(true);
  throw new ApiError(response.status, await messageOf(response));
}

/** Asks for JSON. Throws as `request` does. */
export async function api<T>(method: string, path: string, options?: RequestOptions): Promise<T> {
  return (await (await request(method, path, options)).json()) as T;
}

/** The events of a stream (server-sent events) up to `[DONE]`. @throws as `request` does, and LostError when it breaks off */
export async function* events<T>(method: string, path: string, options?: RequestOptions): AsyncGenerator<T> {
  const response = await request(method, path, options);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  let rest = '';
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'data: [DONE]') return;
        if (!line.startsWith('data: ')) continue;
        const event = JSON.parse(line.slice('data: '.length)) as T & { error?: { message: string } };
        if (event.error) throw new ApiError(500, event.error.message);
        yield event as Awaited<T>;
      }
    }
  } catch (error) {
    if (error instanceof ApiError || options?.signal?.aborted) throw error;
    connectionLost();
    throw new LostError('the answer broke off');
  } finally {
    reader.cancel().catch(() => undefined);
  }
  connectionLost();
  throw new LostError('the answer broke off');
}

/** A query string, without what is not there. */
export function query(values: Record<string, string | number | undefined>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  return new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString();
}

async function messageOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { error: { message: string } }).error.message;
  } catch {
    return `the server answered ${response.status}`;
  }
}
