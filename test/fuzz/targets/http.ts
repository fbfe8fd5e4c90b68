import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { startAssistant } from '../../support/assistant.ts';
import { kindOf, type TargetDefinition } from '../target.ts';

const ROUTES = [
  ...[
    'GET /health',
    'GET /metrics',
    'GET /sd/skills',
    'GET /metrics/skills/sql',
    'GET /v1/models',
    'GET /v1/models/phoenix',
  ],
  ...[
    'POST /v1/chat/completions',
    'POST /v1/completions',
    'POST /v1/embeddings',
    'GET /api/memory',
    'POST /api/memory',
  ],
  ...[
    'DELETE /api/memory',
    'GET /api/memory/history',
    'GET /api/memory/stats',
    'POST /api/memory/rotate',
    'POST /api/memory/vacuum',
  ],
  ...[
    'GET /api/memory/export',
    'POST /api/memory/import',
    'GET /api/skills',
    'GET /api/skills/sql',
    'POST /api/skills/sql/call',
  ],
  ...['GET /api/skills/sql/logs', 'POST /api/router/explain', 'GET /api/router/explain', 'POST /api/router/weights'],
  ...['POST /api/feedback', 'GET /api/feedback', 'DELETE /api/feedback', 'DELETE /api/feedback/1'],
];
const WORDS = [
  ...ROUTES,
  ...[
    '\n\n',
    '\n',
    '?',
    '&',
    '=',
    '%00',
    '%2f',
    '%c0%ae',
    'subject=',
    'verb=',
    'object=',
    'limit=',
    'cursor=',
    'as_of=',
    'everything=true',
  ],
  ...[
    'content-type: application/json',
    'content-type: application/x-ndjson',
    'content-type: application/x-www-form-urlencoded',
  ],
  ...[
    'content-type: multipart/form-data; boundary=x',
    'content-length: 5',
    'transfer-encoding: chunked',
    'expect: 100-continue',
  ],
  ...[
    'origin: http://evil.example',
    'host: evil.example',
    'authorization: Bearer x',
    'traceparent: 00-1-1-01',
    'accept-encoding: gzip',
  ],
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"',
    'null',
    'true',
    '-1',
    '1e999',
    '0.5',
    '"phoenix"',
    '"model":',
    '"messages":',
    '"role":"user"',
  ],
  ...[
    '"content":',
    '"stream":true',
    '"stop":',
    '"max_tokens":1',
    '"n":1',
    '"response_format":',
    '"type":"json_schema"',
    '"grammar":',
  ],
  ...[
    '"prompt":',
    '"input":',
    '"logprobs":true',
    '"seed":',
    '"subject":',
    '"facts":',
    '"confidence":',
    '"at":',
    '"days":',
    '"text":',
  ],
  ...[
    '"skill":',
    '"skills":',
    '"helpful":true',
    '"request_id":',
    '"model":null',
    '"parameters":',
    '"grants":["schema"]',
    '"timeoutMs":1',
  ],
  ...['"__proto__":{"x":1}', '"constructor":{}', '\\u0000', '\\ud800', '\\u202e'],
];
const ANSWER_MS = 20_000;

/** Is `METHOD PATH`, headers, an empty line, and the body. Host and length are added unless it says them itself. */
export const http: TargetDefinition = {
  name: 'http',
  about: 'requests to every route of the HTTP server',
  dictionary: WORDS,
  maxLength: 16_384,
  hangMs: 30_000,
  open: async () => {
    const assistant = await startAssistant({ PHOENIX_MODELS_CONTEXT_SIZE: '128', PHOENIX_LOG_LEVEL: 'warn' });
    const known = async () => {
      const { facts, history, terms } = JSON.parse(
        (await send(assistant.url, toRequest(Buffer.from('GET /api/memory/stats')))).body,
      ) as Record<string, unknown>;
      return JSON.stringify({ facts, history, terms });
    };
    let before = await known();
    return {
      run: async (input) => {
        const { status, body, type } = await send(assistant.url, toRequest(input));
        assert.equal(assistant.process.exitCode, null, 'the assistant has ended');
        assert.ok(
          status < 500 || [503, 504].includes(status),
          `${status} ${body.slice(0, 500)} ${assistant.log().slice(-2000)}`,
        );
        const now = await known();
        const refused = status >= 400;
        if (refused) assert.equal(now, before, `${status}, and the memory was changed`);
        before = now;
        const message = refused && type.includes('json') ? messageOf(body) : '';
        const path = /^\S+ [^? ]*/.exec(input.toString('latin1').split('\n', 1)[0] ?? '')?.[0] ?? '';
        return `${status} ${ROUTES.includes(path) ? path : ''} ${kindOf(message)}`;
      },
      close: () => assistant[Symbol.asyncDispose](),
    };
  },
};

function messageOf(body: string): string {
  const { error } = JSON.parse(body) as { error?: { message: string } | string };
  // What Node itself refuses has no shape of ours.
  const message = typeof error === 'object' ? error.message : (error ?? '');
  assert.doesNotMatch(message, /[\n\r]/, 'an error has one line');
  return message;
}

function toRequest(input: Buffer): Buffer {
  const [end, size] = [input.indexOf('\n\n'), 2];
  const head = (end < 0 ? input : input.subarray(0, end)).toString('latin1');
  const body = end < 0 ? Buffer.alloc(0) : input.subarray(end + size);
  const [line = '', ...headers] = head.split('\n');
  const has = (name: string) => headers.some((header) => header.toLowerCase().startsWith(`${name}:`));
  const all = [
    `${line} HTTP/1.1`,
    ...(has('host') ? [] : ['Host: 127.0.0.1']),
    ...(has('content-length') || has('transfer-encoding') ? [] : [`Content-Length: ${body.length}`]),
    'Connection: close',
    ...headers.filter((header) => header !== ''),
  ];
  return Buffer.concat([Buffer.from(`${all.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

/** Writes, says that nothing follows, and reads to the end. */
function send(url: string, request: Buffer): Promise<{ status: number; body: string; type: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const connection = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => {
      connection.destroy();
      reject(new Error(`no answer within ${ANSWER_MS} ms`));
    }, ANSWER_MS);
    const pieces: Buffer[] = [];
    connection.on('connect', () => connection.end(request));
    connection.on('data', (data) => pieces.push(data));
    connection.on('error', () => undefined);
    connection.on('close', () => {
      clearTimeout(timer);
      const text = Buffer.concat(pieces).toString();
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
      const at = text.indexOf('\r\n\r\n');
      const head = text.slice(0, at);
      const body = /transfer-encoding: chunked/i.test(head) ? unchunked(text.slice(at + 4)) : text.slice(at + 4);
      resolve({ status, body, type: /content-type: (\S+)/i.exec(head)?.[1] ?? '' });
    });
  });
}

function unchunked(text: string): string {
  return text.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
}
