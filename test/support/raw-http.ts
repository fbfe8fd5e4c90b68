/** Requests as they are: nothing is put right on their way, as a client library would. */
import { connect } from 'node:net';

const ANSWER_MS = 20_000;
/** With these a request may say less than it promises, or ask for more than one answer. */
const OPEN_ENDED = ['content-length', 'transfer-encoding', 'expect', 'upgrade', 'connection'];

export interface RawRequest {
  bytes: Buffer;
  /** It ends where it says that it ends. */
  isWhole: boolean;
}

/**
 * The bytes of a request: `METHOD PATH`, headers, an empty line, and the body, with plain line ends. Host and length are added unless it
 * says them itself.
 */
export function toRequest(input: Buffer): RawRequest {
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
  const bytes = Buffer.concat([Buffer.from(`${all.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
  return { bytes, isWhole: !OPEN_ENDED.some(has) && !/\r/.test(head) };
}

/** Writes a request and reads to the end. */
export function sendRaw(
  url: string,
  { bytes, isWhole }: RawRequest,
): Promise<{ status: number; body: string; type: string }> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const connection = connect({ host: hostname, port: Number(port) });
    const timer = setTimeout(() => {
      connection.destroy();
      reject(new Error(`no answer within ${ANSWER_MS} ms`));
    }, ANSWER_MS);
    const pieces: Buffer[] = [];
    connection.on('connect', () => {
      connection.write(bytes);
      // Of what may be incomplete the server has to know that nothing follows. Of a whole request it would give up the answer then.
      if (!isWhole) connection.end();
    });
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
