import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, LogController } from 'fastify';
import type { Operations } from '../assistant/index.ts';
import type { Generator } from '../generation/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { installAuth } from './auth.ts';
import { chatRoutes } from './chat-routes.ts';
import { completionRoutes } from './completion-routes.ts';
import { consoleRoutes } from './console-routes.ts';
import { bodyOfError, installErrorHandling } from './errors.ts';
import { memoryRoutes } from './memory-routes.ts';
import { metricsRoutes } from './metrics-routes.ts';
import { type PrivacyOperations, privacyRoutes } from './privacy-routes.ts';
import { routerRoutes } from './router-routes.ts';
import { installSecurityHeaders } from './security-headers.ts';
import { skillRoutes } from './skill-routes.ts';

export interface ServerOptions {
  operations: Operations;
  generator: Generator;
  metrics: Metrics;
  privacy: PrivacyOperations;
  log: Logger;
  host: string;
  port: number;
  token: string | undefined;
  /** Bytes; larger request bodies are refused with 413. */
  bodyLimit: number;
  version: string;
}

/** The address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** Starts the HTTP server. @returns it and its address @throws ListenError */
export async function startServer(options: ServerOptions): Promise<{ app: FastifyInstance; url: string }> {
  const { operations, generator, metrics, host, port } = options;
  const app = Fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit,
    forceCloseConnections: 'idle',
    // Of addresses that no route is looked for: malformed ones, too long ones.
    frameworkErrors: (error, _request, reply) => {
      void (reply as FastifyReply).status(error.statusCode ?? 400).send(bodyOfError(error));
    },
  });
  installErrorHandling(app);
  installAuth(app, options.token);
  installSecurityHeaders(app);
  endConnectionsWhenClosing(app);
  acceptJsonWithoutType(app);

  app.get('/health', () => ({ status: 'ok', version: options.version }));
  consoleRoutes(app);
  metricsRoutes(app, metrics);
  chatRoutes(app, operations, generator);
  completionRoutes(app, generator);
  memoryRoutes(app, operations);
  skillRoutes(app, operations);
  routerRoutes(app, operations);
  privacyRoutes(app, options.privacy);

  try {
    return { app, url: await app.listen({ host, port }) };
  } catch (error) {
    await app.close();
    throw new ListenError(explain(error as NodeJS.ErrnoException, host, port));
  }
}

/** What is left of answers then is cut off, in milliseconds: engines kill what has not ended 10 s after they asked. */
const CLOSING_MS = 5000;

/**
 * Closing waits for answers that are under way, for a while. Their connections end with them instead of being kept for further requests;
 * all others at once: Node does not take a connection for idle on which half a request has come, or none yet.
 */
function endConnectionsWhenClosing(app: FastifyInstance): void {
  const sockets = new Set<Socket>();
  const open = new Set<IncomingMessage>();
  let isClosing = false;
  let timer: NodeJS.Timeout | undefined;
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('onRequest', async ({ raw }, reply) => {
    open.add(raw);
    reply.raw.once('close', () => open.delete(raw));
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (isClosing) raw.socket.destroySoon();
  });
  app.addHook('preClose', async () => {
    isClosing = true;
    const busy = new Set([...open].filter(({ complete }) => complete).map(({ socket }) => socket));
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    timer = setTimeout(() => app.server.closeAllConnections(), CLOSING_MS);
  });
  app.addHook('onClose', async () => clearTimeout(timer));
}

/** `curl -d` sends JSON as a form; a body that parses as JSON is JSON. */
function acceptJsonWithoutType(app: FastifyInstance): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch (error) {
      done(Object.assign(new Error(`the body is no JSON: ${(error as Error).message}`), { statusCode: 400 }));
    }
  });
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  const address = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') {
    return `${address} is in use by another program; set server.port (or PHOENIX_SERVER_PORT) to a free one`;
  }
  if (error.code === 'EACCES') return `${address} needs more rights; choose a port above 1023`;
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return `${host} is no address of this machine; set server.host`;
  return `${address} cannot be listened on: ${error.message}`;
}
