import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { isLoopback } from '../config/index.ts';
import { RequestError } from './errors.ts';

/** Answers without a token: a load balancer and a container's health check have none, and the console asks for it. */
const isPublic = (path: string) => path === '/health' || path === '/' || path.startsWith('/console/');
/** Methods that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Lets in who may come in. With a token: whoever carries it. Without one: only requests that name this machine as their host
 * and do not come from another site's page, because a browser can be made to send requests to 127.0.0.1 (DNS rebinding, CSRF).
 */
export function installAuth(app: FastifyInstance, token: string | undefined): void {
  app.addHook('onRequest', async (request) => {
    const path = request.url.split('?')[0] ?? '';
    if (token === undefined) {
      refuseForeignSites(request.headers.host, request.headers.origin);
      if (!SAFE.has(request.method)) refuseOtherPages(request.headers);
      return;
    }
    if (isPublic(path)) return;
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined || !sameSecret(given, token)) {
      throw new RequestError(401, 'a valid token is required: send the header "Authorization: Bearer <server.token>"');
    }
  });
}

function refuseForeignSites(host: string | undefined, origin: string | undefined): void {
  if (!isLoopback(hostname(`http://${host ?? ''}`))) {
    throw new RequestError(
      403,
      `requests for host "${host ?? ''}" are not answered here; use 127.0.0.1 or localhost, or set server.token`,
    );
  }
  if (origin !== undefined && !isLoopback(hostname(origin))) {
    throw new RequestError(
      403,
      `requests from pages of ${origin} are not answered; set server.token to allow other clients`,
    );
  }
}

/**
 * Refuses changes that a page of another server on this machine asks for; a browser says of every request which page it comes from:
 * https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site
 */
function refuseOtherPages({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): void {
  const isOther = origin === undefined ? site === 'same-site' || site === 'cross-site' : origin !== `http://${host}`;
  if (!isOther) return;
  const from = origin ?? 'another site';
  throw new RequestError(
    403,
    `changes that a page of ${from} asks for are refused; set server.token to allow other clients`,
  );
}

function hostname(url: string): string {
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return '';
  }
}

/** Compares digests, so that neither content nor length shows in the time it takes. */
function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
