import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bundleConsole, type ConsoleFiles } from '../bundle/index.ts';
import { RequestError } from './errors.ts';
import { CONSOLE_POLICY } from './security-headers.ts';

/** Where the built console lies in the published package and in the image; in a clone it is built when it is first asked for. */
const BUILT_FOLDER = join(import.meta.dirname, '../../console/built');
const INDEX = 'index.html';
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface Asset {
  type: string;
  plain: Buffer;
  zipped: Buffer;
  etag: string;
  cacheControl: string;
}

/** `GET /`, the web console, and its files under `/console/`. */
export function consoleRoutes(app: FastifyInstance): void {
  let opening: Promise<Map<string, Asset>> | undefined;
  const assets = () => {
    opening ??= openConsole().catch((error: Error) => {
      opening = undefined;
      app.log.error({ err: error }, 'the console cannot be shown');
      throw new RequestError(503, `the console cannot be shown: ${error.message.split('\n')[0]}`);
    });
    return opening;
  };
  app.get('/', async (request, reply) => send((await assets()).get(INDEX), request, reply));
  app.get<{ Params: { name: string } }>('/console/:name', async (request, reply) =>
    send((await assets()).get(request.params.name), request, reply),
  );
}

function send(asset: Asset | undefined, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!asset) throw new RequestError(404, `there is no ${request.method} ${request.url.split('?')[0]}`);
  const { type, plain, zipped, etag, cacheControl } = asset;
  reply.header('etag', etag).header('cache-control', cacheControl).header('vary', 'accept-encoding');
  if (type === TYPES['.html']) reply.header('content-security-policy', CONSOLE_POLICY);
  if (request.headers['if-none-match'] === etag) return reply.status(304).send();
  const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
  if (takesGzip) reply.header('content-encoding', 'gzip');
  return reply.type(type).send(takesGzip ? zipped : plain);
}

async function openConsole(): Promise<Map<string, Asset>> {
  const files = existsSync(BUILT_FOLDER) ? readBuilt() : await bundleConsole();
  return new Map(Array.from(files, ([name, content]) => [name, toAsset(name, Buffer.from(content))]));
}

function readBuilt(): ConsoleFiles {
  return new Map(readdirSync(BUILT_FOLDER).map((name) => [name, readFileSync(join(BUILT_FOLDER, name))]));
}

function toAsset(name: string, plain: Buffer): Asset {
  return {
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    plain,
    zipped: gzipSync(plain, { level: 9 }),
    etag: `"${createHash('sha256').update(plain).digest('hex').slice(0, 16)}"`,
    // A name with the hash of the content never means another one.
    cacheControl: /-[0-9a-f]{12}\./.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
  };
}
