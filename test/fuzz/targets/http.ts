import assert from 'node:assert/strict';
import { startAssistant } from '../../support/assistant.ts';
import { sendRaw, toRequest } from '../../support/raw-http.ts';
import { kindOf, type TargetDefinition } from '../target.ts';

const ROUTES = [
  ...['GET /', 'GET /console/app.js', 'GET /api/privacy'],
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
        (await sendRaw(assistant.url, toRequest(Buffer.from('GET /api/memory/stats')))).body,
      ) as Record<string, unknown>;
      return JSON.stringify({ facts, history, terms });
    };
    let before = await known();
    return {
      run: async (input) => {
        const request = toRequest(input);
        const { status, body, type } = await sendRaw(assistant.url, request);
        assert.equal(assistant.process.exitCode, null, 'the assistant has ended');
        assert.ok(status > 0 || !request.isWhole, 'there is no answer');
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
