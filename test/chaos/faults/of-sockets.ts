import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { socketPath } from '../../../src/runtimes/local/paths.ts';
import { type ChaosSystem, SKILLS } from '../system.ts';
import { type Fault, type Heal, pick } from './fault.ts';

/** How many of them come at once. */
const SOCKETS = 10;

function connectTo(target: string | URL): Socket {
  const socket = typeof target === 'string' ? connect(target) : connect(Number(target.port), target.hostname);
  socket.on('error', () => {});
  return socket;
}

/** The assistant's own, or a skill's. */
function targetOf(system: ChaosSystem, random: () => number): string | URL | undefined {
  const path = socketPath(system.paths, pick(SKILLS, random));
  if (random() < 0.5 && existsSync(path)) return path;
  return system.url === '' ? undefined : new URL(system.url);
}

function hold(target: string | URL | undefined, use: (socket: Socket) => void): Heal | undefined {
  if (target === undefined) return undefined;
  const sockets = Array.from({ length: SOCKETS }, () => connectTo(target));
  for (const socket of sockets) use(socket);
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

const HEAD =
  'POST /api/memory HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 900\r\n';
const BODY = `\r\n{"subject":"nobody","verb":"tiene","object":"${'x'.repeat(830)}"}`;
const ASK = 'GET /api/memory/export HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

export const slowSocket: Fault = {
  kind: 'slow-socket',
  what: 'clients that send a request byte by byte, or do not read its answer',
  inject: (system, random) => {
    const reads = random() < 0.5;
    const url = system.url === '' ? undefined : new URL(system.url);
    return Promise.resolve(
      hold(url, (socket) => {
        if (!reads) socket.pause().write(ASK);
        else void drip(socket, HEAD + BODY.slice(0, 100));
      }),
    );
  },
};

async function drip(socket: Socket, text: string): Promise<void> {
  for (const letter of text) {
    if (socket.destroyed) return;
    socket.write(letter);
    await sleep(15);
  }
}

export const halfOpenSocket: Fault = {
  kind: 'half-open-socket',
  what: 'connections, to the assistant or a skill, on which nothing or half a request comes',
  inject: (system, random) => {
    const half = pick(['', 'PRI * HTTP/2.0\r\n', HEAD, HEAD + BODY.slice(0, 400)], random);
    return Promise.resolve(hold(targetOf(system, random), (socket) => socket.write(half)));
  },
};

export const garbage: Fault = {
  kind: 'garbage',
  what: 'bytes that mean nothing, to the assistant or a skill, alone or after a good beginning',
  inject: (system, random) => {
    const noise = Buffer.from(
      Array.from({ length: 1 + Math.floor(random() * 8192) }, () => Math.floor(random() * 256)),
    );
    const before = pick(['', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', `${HEAD}\r\n`, HEAD], random);
    return Promise.resolve(
      hold(targetOf(system, random), (socket) => {
        socket.write(before);
        socket.write(noise);
      }),
    );
  },
};
