import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { NANO_DRAFT } from '../../test/support/nano.ts';
import { until } from '../../test/support/scoped-pool.ts';
import { type PullOptions, pullModel } from './pull.ts';
import { parseReference } from './reference.ts';
import { ModelStore } from './store.ts';

const FILE = readFileSync(NANO_DRAFT);
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const TOKEN = 'hf_a-secret-token';
const REPOSITORY = parseReference('hf:owner/repo/sub/model-Q8_0.gguf');

/** Plays a hub: the files of one repository, sent from another host, as hubs do. */
class Hub {
  readonly api: Server = createServer((request, response) => this.#answerApi(request, response));
  readonly files: Server = createServer((request, response) => this.#answerFile(request, response));
  readonly ranges: (string | undefined)[] = [];
  /** Authorization headers that each host saw. */
  readonly seen = { api: new Set<string | undefined>(), files: new Set<string | undefined>() };
  sha256 = SHA256;
  names = ['sub/model-Q8_0.gguf', 'model-Q4_K_M.gguf', 'README.md'];
  needsToken = false;
  content = FILE;
  etag: string | undefined = '"v1"';
  /** Bytes after which an answer breaks off, one for each request; then all of it is sent. */
  breaks: number[] = [];
  /** Bytes that the client says it has. */
  received = 0;
  redirectTo: string | undefined;

  async start(): Promise<void> {
    for (const server of [this.api, this.files]) await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  }

  stop(): void {
    for (const server of [this.api, this.files]) {
      server.closeAllConnections();
      server.close();
    }
  }

  get options() {
    return { endpoint: address(this.api), token: undefined as string | undefined };
  }

  #answerApi({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    this.seen.api.add(headers.authorization);
    if (this.needsToken && headers.authorization !== `Bearer ${TOKEN}`) return void response.writeHead(401).end('no');
    if (url.startsWith('/api/models/owner/repo?')) {
      const lfs = { sha256: this.sha256, size: this.content.length };
      const siblings = this.names.map((rfilename) => ({ rfilename, size: lfs.size, lfs }));
      return void response.writeHead(200).end(JSON.stringify({ sha: 'abc123', siblings }));
    }
    if (!url.startsWith('/owner/repo/resolve/abc123/')) return void response.writeHead(404).end('no');
    response.writeHead(302, { location: this.redirectTo ?? `${address(this.files)}/blob.gguf` }).end();
  }

  #answerFile({ url = '', headers }: IncomingMessage, response: ServerResponse): void {
    this.seen.files.add(headers.authorization);
    this.ranges.push(headers.range);
    if (!url.endsWith('.gguf') || url.includes('missing')) return void response.writeHead(404).end('no');
    const isSame = headers['if-range'] === undefined || headers['if-range'] === this.etag;
    const from = isSame ? Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const body = this.content.subarray(from);
    const range =
      from > 0 ? { 'content-range': `bytes ${from}-${this.content.length - 1}/${this.content.length}` } : {};
    response.writeHead(from > 0 ? 206 : 200, {
      'content-length': body.length,
      ...(this.etag ? { etag: this.etag } : {}),
      ...range,
    });
    const end = this.breaks.shift();
    if (end === undefined) return void response.end(body);
    response.write(body.subarray(0, end), () => void this.#breakOff(response, from + end));
  }

  /** Once the client has read what was sent: what it has not read by then is lost with the connection. */
  async #breakOff(response: ServerResponse, sent: number): Promise<void> {
    await until('all is read', () => this.received >= sent, 2000).catch(() => {});
    response.destroy();
  }
}

function address(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('pullModel', () => {
  let hub: Hub;
  let folder: string;
  let store: ModelStore;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-pull-'));
    store = new ModelStore(join(folder, 'models'));
    hub = new Hub();
    await hub.start();
  });
  afterEach(() => {
    hub.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const pull = (reference = REPOSITORY, options: PullOptions = {}) =>
    pullModel(reference, store, {
      ...options,
      hub: options.hub ?? hub.options,
      onProgress: (progress) => {
        hub.received = progress.received;
        options.onProgress?.(progress);
      },
    });
  /** Files of the store without the folder of the locks. */
  const files = () => readdirSync(store.folder).filter((name) => name !== '.pulling');

  it('brings a file with its published checksum, over a redirect, and reports progress', async () => {
    const progress: number[] = [];
    const { model, isNew } = await pull(REPOSITORY, {
      onProgress: ({ received, total }) => {
        assert.equal(total, FILE.length);
        progress.push(received);
      },
    });
    assert.ok(isNew);
    assert.deepEqual(readFileSync(model.path), FILE);
    assert.deepEqual([model.size, model.sha256, model.verified], [FILE.length, SHA256, true]);
    assert.deepEqual(
      progress,
      progress.toSorted((a, b) => a - b),
    );
    assert.equal(progress.at(-1), FILE.length);
    assert.equal(files().length, 2);
    assert.equal(store.resolve(REPOSITORY, 'draft'), model.path);
    assert.deepEqual(store.list(), [model]);
  });

  it('downloads nothing that is there already', async () => {
    await pull();
    const requests = hub.ranges.length;
    assert.equal((await pull()).isNew, false);
    assert.equal(hub.ranges.length, requests);
    // Another version is published.
    hub.content = Buffer.concat([FILE, Buffer.alloc(32)]);
    hub.sha256 = createHash('sha256').update(hub.content).digest('hex');
    assert.equal((await pull()).isNew, true);
    assert.equal(store.list().length, 1);
  });

  it('goes on where a broken connection stopped', async () => {
    hub.breaks = [100_000, 50_000];
    await pull();
    assert.deepEqual(hub.ranges, [undefined, 'bytes=100000-', 'bytes=150000-']);
    assert.deepEqual(readFileSync(store.list()[0]?.path ?? ''), FILE);
  });

  it('goes on where an earlier pull was stopped', async () => {
    const stopped = new AbortController();
    hub.breaks = [70_000];
    const onProgress = ({ received }: { received: number }) =>
      received >= 70_000 && stopped.abort(new Error('stopped'));
    await assert.rejects(pull(REPOSITORY, { signal: stopped.signal, onProgress }), /stopped/);
    assert.throws(() => store.resolve(REPOSITORY, 'draft'), /phoenix models pull hf:owner/);
    await pull();
    assert.equal(hub.ranges.at(-1), 'bytes=70000-');
  });

  it('begins anew when the file has changed in between, or has no version to compare', async () => {
    for (const etag of ['"v2"', undefined]) {
      hub.breaks = [70_000, 0, 0, 0, 0];
      await assert.rejects(pull(), /the server stopped after|terminated|bytes are here/);
      hub.etag = etag;
      hub.breaks = [];
      await pull();
      assert.deepEqual(readFileSync(store.list()[0]?.path ?? ''), FILE);
      store.remove(REPOSITORY);
    }
  });

  it('gives up on a server that keeps breaking off, and says what is here', async () => {
    hub.breaks = [90_000, 0, 0, 0, 0, 0];
    await assert.rejects(pull(), { name: 'ModelError', message: /90000 bytes are here: pull again to go on/ });
  });

  it('throws away what has another checksum', async () => {
    hub.sha256 = 'f'.repeat(64);
    await assert.rejects(pull(), { name: 'ModelError', message: new RegExp(`SHA-256 ${SHA256} instead of ffff`) });
    assert.deepEqual(files(), []);
  });

  it('throws away what is no model', async () => {
    hub.content = randomBytes(5000);
    hub.sha256 = createHash('sha256').update(hub.content).digest('hex');
    await assert.rejects(pull(), { name: 'ModelError', message: /is no GGUF file/ });
    assert.deepEqual(files(), []);
  });

  it('finds a file by its quantization', async () => {
    const { model } = await pull(parseReference('hf:owner/repo:q4_k_m'));
    assert.match(model.url, /\/model-Q4_K_M\.gguf$/);
    await assert.rejects(
      pull(parseReference('hf:owner/repo:Q2_K')),
      /no such file; name one of: sub\/model-Q8_0\.gguf/,
    );
    hub.names = ['a-Q8_0.gguf', 'b-Q8_0.gguf'];
    await assert.rejects(pull(parseReference('hf:owner/repo:Q8_0')), /several files fit; name one of: a-Q8_0/);
  });

  it('needs a token where the hub asks for one, and shows it to the hub alone', async () => {
    hub.needsToken = true;
    await assert.rejects(pull(), { name: 'ModelError', message: /\(401\).*HF_TOKEN/ });
    const wrong = pull(REPOSITORY, { hub: { ...hub.options, token: 'hf_another' } });
    await assert.rejects(
      wrong,
      ({ message }: Error) => /HF_TOKEN is set/.test(message) && !message.includes('hf_another'),
    );
    const { model } = await pull(REPOSITORY, { hub: { ...hub.options, token: TOKEN } });
    assert.ok(hub.seen.api.has(`Bearer ${TOKEN}`));
    assert.deepEqual([...hub.seen.files], [undefined]);
    assert.ok(!readFileSync(`${model.path}.json`, 'utf8').includes(TOKEN));
  });

  it('pulls an address, without a checksum to compare', async () => {
    const { model } = await pull(parseReference(`${address(hub.files)}/some/nano.gguf`));
    assert.deepEqual([model.sha256, model.verified], [SHA256, false]);
    assert.match(model.file, /^nano-[0-9a-f]{8}\.gguf$/);
  });

  it('says what cannot be had', async () => {
    await assert.rejects(pull(parseReference(`${address(hub.files)}/missing.gguf`)), /there is no such file \(404\)/);
    await assert.rejects(pull(parseReference('hf:owner/other:Q8_0')), /no such file \(404\)/);
    await assert.rejects(pull(parseReference('nano')), /is here already/);
    const gone = hub.options;
    hub.stop();
    await assert.rejects(pull(REPOSITORY, { hub: gone }), { name: 'ModelError', message: /cannot be reached/ });
  });

  it('does not follow a redirect to an address that is not encrypted', async () => {
    // 127.0.0.2 is this machine, too, and none of the addresses that are known as such.
    hub.files.close();
    hub.files.closeAllConnections();
    await new Promise<void>((done) => hub.files.listen(0, '0.0.0.0', done));
    hub.redirectTo = `http://127.0.0.2:${(hub.files.address() as AddressInfo).port}/blob.gguf`;
    await assert.rejects(pull(), { name: 'ModelError', message: /not encrypted/ });
    assert.deepEqual(files(), []);
  });

  it('looks for room on the disk first', async () => {
    const freeBytes = () => Promise.resolve(64 * 1024 ** 2 + 1000);
    await assert.rejects(pull(REPOSITORY, { freeBytes }), /1 MiB are to come and .* has 65 MiB free/);
    assert.deepEqual(files(), []);
  });

  it('lets one of two pulls at once do the work', async () => {
    let waited = 0;
    const both = await Promise.all([1, 2].map(() => pull(REPOSITORY, { onWait: () => waited++ })));
    assert.deepEqual(both.map(({ isNew }) => isNew).sort(), [false, true]);
    assert.deepEqual([waited, hub.ranges.length], [1, 1]);
  });

  it('notices that a file is no longer whole', async () => {
    const { model } = await pull();
    truncateSync(model.path, 1000);
    assert.throws(() => store.resolve(REPOSITORY, 'draft'), /gone or has another size/);
    assert.equal((await pull()).isNew, true);
    assert.equal(store.remove(REPOSITORY), FILE.length);
    assert.ok(!existsSync(model.path));
    assert.equal(store.remove(REPOSITORY), undefined);
  });
});
