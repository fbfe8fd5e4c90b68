import type { FastifyInstance } from 'fastify';

/**
 * The console may run its own script and style and ask its own server, nothing else: no inline script or style, no other host, no
 * frame around it, and no text may become HTML (Trusted Types).
 * https://developer.mozilla.org/docs/Web/HTTP/Guides/CSP
 */
export const CONSOLE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Everything else is data: a browser that is led to it shows it and runs nothing. */
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** Says to browsers, with every answer, what they may do with it. */
export function installSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onSend', async (_request, reply) => {
    if (!reply.hasHeader('content-security-policy')) reply.header('content-security-policy', DATA_POLICY);
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
    reply.header('x-content-type-options', 'nosniff');
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cross-origin-resource-policy', 'same-origin');
  });
}
