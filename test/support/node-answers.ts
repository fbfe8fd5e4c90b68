/** What Node does that data of ICU, or the place of its own data, could matter to, as JSON: { what: digest or answer }. */

import { transcode } from 'node:buffer';
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import { domainToASCII, domainToUnicode } from 'node:url';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzipSync } from 'node:zlib';

/** https://encoding.spec.whatwg.org/#names-and-labels, without "replacement", which nothing can be decoded with. */
const ENCODINGS = [
  ...'utf-8 utf-16le utf-16be ibm866 koi8-r koi8-u macintosh x-mac-cyrillic x-user-defined windows-874'.split(' '),
  ...[2, 3, 4, 5, 6, 7, 8, '8-i', 10, 13, 14, 15, 16].map((part) => `iso-8859-${part}`),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8].map((part) => `windows-125${part}`),
  ...'gbk gb18030 big5 euc-jp iso-2022-jp shift_jis euc-kr'.split(' '),
];
const PROPERTIES = [
  ...'Alphabetic Uppercase Lowercase White_Space ID_Start ID_Continue Emoji Any Assigned Changes_When_NFKC_Casefolded'.split(
    ' ',
  ),
  ...'L Lu Mn Nd Nl Ps Sc Zs Cn Script=Greek Script=Han scx=Cyrillic Script_Extensions=Deva'.split(' '),
];

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const digest = (text: string) => createHash('sha256').update(text).digest('hex');
/** Every pair of bytes, each followed by what ends a broken one. */
const pairs = Buffer.from(
  range(0, 255).flatMap((first) => range(0, 255).flatMap((second) => [first, second, 0x41, 0x0a])),
);
const longer: Record<string, Buffer> = {
  // JIS X 0212.
  'euc-jp': Buffer.from(range(0xa1, 0xfe).flatMap((row) => range(0xa1, 0xfe).flatMap((cell) => [0x8f, row, cell]))),
  gb18030: Buffer.from(
    range(0x81, 0xfe).flatMap((a) =>
      range(0x30, 0x39).flatMap((b) => range(0x81, 0xfe).flatMap((c) => [a, b, c, 0x35])),
    ),
  ),
  'iso-2022-jp': Buffer.concat(
    ['(B', '(J', '(I', '$@', '$B', '$(D'].flatMap((set) => {
      const codes = range(0x21, 0x7e);
      const all = set.startsWith('$') ? codes.flatMap((row) => codes.flatMap((cell) => [row, cell])) : codes;
      return [Buffer.from(`\x1b${set}`), Buffer.from(all), Buffer.from('\x1b(B')];
    }),
  ),
};

function decoded(encoding: string): string {
  const bytes = [...range(0, 255).map((byte) => Buffer.from([byte])), pairs, longer[encoding] ?? Buffer.of()];
  return digest(JSON.stringify(bytes.map((some) => new TextDecoder(encoding).decode(some))));
}

/** The code points that have a property, of those of Unicode. */
function codePoints(property: string): string {
  const pattern = new RegExp(`\\p{${property}}`, 'u');
  const folded = new RegExp(`\\p{${property}}`, 'iu');
  const has = range(0, 0x10ffff).filter((_, point) => pattern.test(String.fromCodePoint(point)));
  return digest(`${has} ${has.filter((point) => folded.test(String.fromCodePoint(point))).length}`);
}

function stored(): unknown {
  const database = new DatabaseSync(':memory:');
  database.exec(
    "create table words (word text collate nocase); insert into words values ('Ñandú'), ('árbol'), ('Zebra')",
  );
  return database.prepare("select word, upper(word) as upper, word like 'Á%' as found from words order by word").all();
}

async function fetched(): Promise<unknown> {
  const server = createServer((request, response) => response.end(decodeURIComponent(request.url ?? '')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await (await fetch(`http://127.0.0.1:${(server.address() as { port: number }).port}/año`)).text();
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function worked(): Promise<unknown> {
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage('ß'.toLocaleUpperCase('de'))", {
    eval: true,
  });
  return (await once(worker, 'message'))[0];
}

// Not in the types that there are without a browser.
const { WebAssembly: webAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(code: Buffer): Promise<{ instance: { exports: { add(a: number, b: number): number } } }>;
  };
};
async function computed(): Promise<unknown> {
  // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
  const code = Buffer.from('0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b', 'hex');
  const { instance } = await webAssembly.instantiate(code);
  return instance.exports.add(2, 3);
}

function signed(): boolean {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return verify(null, Buffer.from('x'), publicKey, sign(null, Buffer.from('x'), privateKey));
}

const answers = {
  ...Object.fromEntries(ENCODINGS.map((encoding) => [encoding, decoded(encoding)])),
  ...Object.fromEntries(PROPERTIES.map((property) => [property, codePoints(property)])),
  emoji: /^\p{RGI_Emoji}$/v.test('👩‍👩‍👧'),
  normalized: ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) =>
    digest(
      range(0, 0xd7ff)
        .map((point) => String.fromCharCode(point))
        .join('')
        .normalize(form),
    ),
  ),
  domains: [domainToASCII('bücher.例え.ελλ'), domainToUnicode('xn--bcher-kva.example')],
  sqlite: stored(),
  fetch: await fetched(),
  worker: await worked(),
  wasm: await computed(),
  crypto: [signed(), digest('x')],
  transcoded: transcode(Buffer.from('añ'), 'utf8', 'latin1').toString('hex'),
  zlib: gunzipSync(gzipSync('x')).toString(),
  date: String(new Date(Date.UTC(2024, 6, 1))),
  stack: new Error('x').stack?.split('\n').length,
};
process.stdout.write(JSON.stringify(answers));
