import { existsSync, watch } from 'node:fs';
import { createConnection } from 'node:net';
import { basename, dirname } from 'node:path';
import { connect } from 'node:tls';
import { type Endpoint, SKILL_TLS_NAME } from '../runtimes/index.ts';

/** How long to wait before connecting again to a socket that exists but does not accept yet, in milliseconds. */
const ACCEPT_RETRY_MS = 2;
const HANDSHAKE_RETRY_MS = 10;
const HANDSHAKE_TIMEOUT_MS = 1000;

/** Resolves as soon as a skill accepts a connection. Rejects with the reason when `signal` aborts. */
export async function untilAccepting(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
  if (endpoint.kind === 'tcp') return await untilHandshake(endpoint, signal);
  const { path } = endpoint;
  while (true) {
    signal.throwIfAborted();
    if (await accepts(path)) return;
    if (existsSync(path)) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY_MS));
    else await untilThere(path, signal);
  }
}

/** A TLS handshake, because the engine accepts connections to a port before the skill listens there. */
async function untilHandshake({ port, tls }: Endpoint & { kind: 'tcp' }, signal: AbortSignal): Promise<void> {
  while (true) {
    signal.throwIfAborted();
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: SKILL_TLS_NAME,
      ca: tls.serverCertificate,
      cert: tls.certificate,
      key: tls.key,
    });
    const ready = await new Promise<boolean>((resolve) => {
      socket.once('secureConnect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.setTimeout(HANDSHAKE_TIMEOUT_MS, () => resolve(false));
    });
    socket.destroy();
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, HANDSHAKE_RETRY_MS));
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function untilThere(path: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = () => {
      watcher.close();
      signal.removeEventListener('abort', onAbort);
    };
    const onAbort = () => {
      finish();
      reject(signal.reason);
    };
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) {
        finish();
        resolve();
      }
    });
    watcher.on('error', (error) => {
      finish();
      reject(error);
    });
    signal.addEventListener('abort', onAbort);
    // Either may have happened before.
    if (signal.aborted) onAbort();
    else if (existsSync(path)) {
      finish();
      resolve();
    }
  });
}
