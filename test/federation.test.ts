/** A federation on the network: a coordinator and clients that enrol, learn, misbehave, and are killed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { federation } from '../src/contract/index.ts';
import {
  type ClientEvent,
  enrol,
  type FederatedModel,
  FederationClient,
  FederationServer,
  type FederationServerOptions,
  invite,
  Membership,
  PrivacyLedger,
} from '../src/federated/index.ts';
import { startAssistant, temporaryFolder } from './support/assistant.ts';
import { Installations } from './support/federation.ts';
import { MEAN_SPEC, MeanModel } from './support/mean-model.ts';

describe('a federation', () => {
  let folder: string;
  let server: FederationServer | undefined;
  let open: Disposable[];
  beforeEach(() => {
    folder = temporaryFolder();
    open = [];
  });
  afterEach(async () => {
    for (const each of open) each[Symbol.dispose]();
    await server?.[Symbol.asyncDispose]();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const coordinator = () => join(folder, 'coordinator');
  const serve = async (more: Partial<FederationServerOptions> = {}) => {
    server = await FederationServer.start({
      folder: coordinator(),
      spec: MEAN_SPEC,
      settings: { mode: 'full', rate: 1, noise: 4, clip: 10, population: 1000, roundMs: 1500, pauseMs: 200 },
      policy: { epsilon: 50, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
      ...{ host: '127.0.0.1', port: 0, enrolmentPort: 0 },
      ...more,
    });
    return server;
  };
  const enrolled = async (name: string, model: FederatedModel) => {
    const own = join(folder, name);
    await enrol(own, await invite(coordinator(), 60_000));
    const events: ClientEvent[] = [];
    const client = new FederationClient({ folder: own, model, onEvent: (event) => events.push(event) });
    open.push(client);
    return { client, events, folder: own };
  };
  const until = async (client: FederationClient, isDone: () => boolean) => {
    const ends = Date.now() + 30_000;
    while (!isDone()) {
      assert.ok(Date.now() < ends, 'it took too long');
      await client.step(500);
    }
  };

  it('learns what its clients have in common, and none of them uses what does worse', async () => {
    await serve({
      settings: { mode: 'full', rate: 1, noise: 0.5, clip: 10, population: 2, roundMs: 1500, pauseMs: 100 },
      policy: { epsilon: 1000, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
    });
    const clients = {
      a: await enrolled('a', new MeanModel([100, 100, 0, 0])),
      b: await enrolled('b', new MeanModel([100, -100, 0, 0])),
      // Its updates are all in the direction that the others have in common.
      c: await enrolled('c', new MeanModel([100, 0, 0, 0])),
      // Has what it wants already: whatever changes is worse.
      content: await enrolled('content', new MeanModel([0, 0, 0, 0])),
    };
    const { c, content } = clients;
    const lastOf = <Type extends ClientEvent['type']>(events: ClientEvent[], type: Type) =>
      events.findLast((event): event is Extract<ClientEvent, { type: Type }> => event.type === type);
    const sent = () => lastOf(c.events, 'submitted')?.round ?? Number.POSITIVE_INFINITY;
    await Promise.all([
      until(clients.a.client, () => sent() < Number.POSITIVE_INFINITY),
      until(clients.b.client, () => sent() < Number.POSITIVE_INFINITY),
      until(c.client, () => (lastOf(c.events, 'installed')?.version ?? 0) >= sent()),
      until(content.client, () => lastOf(content.events, 'rejected') !== undefined),
    ]);
    const installed = lastOf(c.events, 'installed');
    assert.ok(installed && installed.after < 100);
    assert.ok((installed.privacy.epsilon ?? 0) > 0 && installed.privacy.unit === 'client');
    assert.ok((c.client.installed()?.parameters[0] ?? 0) > 0);
    assert.ok(content.events.some(({ type }) => type === 'rejected'));
    assert.equal(content.client.installed(), undefined);
  });

  it('gives certificates only for invitations, each once', async () => {
    await serve();
    const invitation = await invite(coordinator(), 60_000);
    await enrol(join(folder, 'a'), invitation);
    await assert.rejects(enrol(join(folder, 'b'), invitation), {
      name: 'FederationError',
      message: /unknown, used or expired/,
    });
    await assert.rejects(enrol(join(folder, 'b'), 'phoenix'), /this is no invitation/);
    await assert.rejects(enrol(join(folder, 'b'), await invite(coordinator(), 0)), /unknown, used or expired/);
    assert.equal(server?.coordinator.status().clients, 1);
  });

  it('answers nobody without a certificate of its own, and nobody who was removed', async () => {
    await serve();
    const a = await enrolled('a', new MeanModel([1, 0, 0, 0]));
    const { authority, key, certificate } = enrolmentOf(a.folder);
    const call = (own: [Buffer, Buffer] | [] = [], request: Partial<federation.PollRequest> = {}) =>
      polled(server?.port ?? 0, Buffer.from(authority), own, request);
    await assert.rejects(call(), { code: status.UNAVAILABLE });
    // A certificate of another federation.
    const other = new OtherFederation(join(folder, 'other'));
    await using _second = await other.start();
    await enrol(join(folder, 'stranger'), await invite(join(folder, 'other'), 60_000));
    const stranger = enrolmentOf(join(folder, 'stranger'));
    await assert.rejects(call([Buffer.from(stranger.key), Buffer.from(stranger.certificate)]), {
      code: status.UNAVAILABLE,
    });
    const own: [Buffer, Buffer] = [Buffer.from(key), Buffer.from(certificate)];
    await call(own);
    await assert.rejects(call(own, { protocol: 2 }), {
      code: status.FAILED_PRECONDITION,
      details: /speaks version 1, not 2/,
    });
    const [{ id } = { id: '' }] = new Membership(coordinator()).clients;
    new Membership(coordinator()).remove(id);
    await assert.rejects(call(own), { code: status.PERMISSION_DENIED, details: /was removed/ });
    await assert.rejects(a.client.step(0), { name: 'FederationError', message: /refused: this client was removed/ });
  });

  it('survives updates that are malformed, oversized, duplicate, late or no numbers', async () => {
    await serve({
      settings: { mode: 'full', rate: 1, noise: 4, clip: 10, population: 4, roundMs: 4000, pauseMs: 60_000 },
    });
    const a = await enrolled('a', new MeanModel([1, 0, 0, 0]));
    const { authority, key, certificate } = enrolmentOf(a.folder);
    const client = new federation.FederationClient(
      `127.0.0.1:${server?.port}`,
      credentials.createSsl(Buffer.from(authority), Buffer.from(key), Buffer.from(certificate)),
      TLS,
    );
    open.push({ [Symbol.dispose]: () => client.close() });
    const submit = (update: Uint8Array, round = 1n) =>
      new Promise((resolve, reject) =>
        client.submit({ protocol: 1, round, baseVersion: 0n, update: Buffer.from(update) }, (error, response) =>
          error ? reject(error) : resolve(response),
        ),
      );
    while (server?.coordinator.status().round === undefined) await sleep(20);
    await assert.rejects(submit(new Uint8Array(31)), { code: status.INVALID_ARGUMENT, details: /31 bytes, not 32/ });
    await assert.rejects(submit(new Uint8Array(2 ** 20)), { code: status.RESOURCE_EXHAUSTED });
    await assert.rejects(submit(new Uint8Array(32), 9n), { code: status.FAILED_PRECONDITION });
    // All bits set, and a model whose training went wrong: both are clipped, or nothing.
    const broken = await enrolled('b', new MeanModel([Number.NaN, 1, 0, 0]));
    await submit(new Uint8Array(32).fill(255));
    await assert.rejects(submit(new Uint8Array(32)), { code: status.ALREADY_EXISTS });
    await sleep(4100);
    while ((server?.coordinator.version ?? 0) === 0) await sleep(20);
    await assert.rejects(submit(new Uint8Array(32)), {
      code: status.FAILED_PRECONDITION,
      details: /not open any more/,
    });
    await broken.client.step(0);
    // NaN is not better than anything.
    assert.deepEqual(
      broken.events.map(({ type }) => type),
      ['rejected'],
    );
    await a.client.step(0);
    const parameters = a.client.installed()?.parameters ?? new Float64Array();
    assert.ok(parameters.every(Number.isFinite));
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };
const TLS = { 'grpc.ssl_target_name_override': 'phoenix-coordinator', 'grpc.default_authority': 'phoenix-coordinator' };

/** Another federation beside the first. */
class OtherFederation {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  start(): Promise<FederationServer> {
    return FederationServer.start({
      folder: this.#folder,
      spec: MEAN_SPEC,
      settings: { mode: 'full', rate: 1, noise: 4, clip: 1, population: 4, roundMs: 60_000, pauseMs: 60_000 },
      policy: { epsilon: 5, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
      ...{ host: '127.0.0.1', port: 0, enrolmentPort: 0 },
    });
  }
}

function enrolmentOf(folder: string): { authority: string; key: string; certificate: string } {
  return JSON.parse(readFileSync(join(folder, 'enrolment.json'), 'utf8')) as never;
}

function polled(
  port: number,
  authority: Buffer,
  own: [Buffer, Buffer] | [],
  request: Partial<federation.PollRequest>,
): Promise<unknown> {
  const client = new federation.FederationClient(`127.0.0.1:${port}`, credentials.createSsl(authority, ...own), TLS);
  return new Promise((resolve, reject) => {
    const done = (error: ServiceError | null, response: unknown) => {
      client.close();
      if (error) reject(error);
      else resolve(response);
    };
    const full = { protocol: 1, haveVersion: 0n, waitMs: 0, knownRound: 0n, knownStage: 0, ...request };
    client.poll(full, new Metadata(), { deadline: Date.now() + 20_000 }, done);
  });
}

describe('phoenix federate', () => {
  const installations = new Installations();
  const { folder } = installations;
  after(() => installations[Symbol.asyncDispose]());
  const state = installations.state.bind(installations);
  const run = installations.run.bind(installations);
  const start = installations.start.bind(installations);

  const SETTINGS = ['--population', '1000', '--noise', '4', '--epsilon', '3', '--round-time', '8s', '--pause', '1s'];

  it('trains the routers of two installations, goes on when the coordinator is killed, and stops within its budget', async () => {
    const first = start('coordinator', 'serve', '--port', '0', '--enrolment-port', '0', ...SETTINGS);
    const port = await first.line(/coordinating on 127\.0\.0\.1:(\d+)/);
    await first.line(/ROUNDS +EPSILON.*noise on each parameter is 0\.0040 clipping norms/s);
    // One of them is an assistant that runs.
    await using assistant = await startAssistant(state('a'));
    run('a', 'router', 'feedback', 'give', 'cuántos clientes tiene la tienda', 'sql');
    const clients = ['a', 'b'].map((name) =>
      start(name, 'join', run('coordinator', 'federate', 'invite').stdout.trim()),
    );
    await Promise.all(clients.map(({ line }) => line(/round \d+: sent an update/)));
    // In the middle of a round.
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const before = PrivacyLedger.open(join(folder, 'coordinator', 'federated', 'coordinator')).releases.length;
    const second = start('coordinator', 'serve', '--port', port, '--enrolment-port', '0', ...SETTINGS);
    await second.line(new RegExp(`released: model ${before + 1}; epsilon [\\d.]+ of 3 at delta 0\\.00001`));
    await Promise.all(clients.map(({ line }) => line(/model (\d+) is used: loss here .* epsilon [\d.]+ at delta/)));
    second.child.kill('SIGTERM');
    assert.deepEqual(await once(second.child, 'exit'), [0, null]);
    for (const { child } of clients) {
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    }
    const { coordinator } = JSON.parse(run('coordinator', 'federate', 'status', '--json').stdout) as {
      coordinator: { epsilon: number; rounds: number; clients: unknown[] };
    };
    assert.ok(coordinator.epsilon > 0 && coordinator.epsilon <= 3 && coordinator.clients.length === 2);
    const { client } = JSON.parse(run('a', 'federate', 'status', '--json').stdout) as { client: { installed: number } };
    assert.ok(client.installed >= 1);
    assert.ok(existsSync(join(folder, 'a', 'router', 'base.bin')));
    const refused = await fetch(`${assistant.url}/api/router/weights`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"model":"AAAA"}',
    });
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /router model: this is no file of one/);
    assert.match(run('a', 'federate', 'leave').stdout, /left/);
    assert.equal(existsSync(join(folder, 'a', 'router', 'base.bin')), false);
    assert.match(run('a', 'federate', 'status').stdout, /no federation here/);
  });

  for (const [args, expected] of [
    [['serve'], /required option '--population <n>' not specified/],
    [['serve', '--population', '10', '--mode', 'poisson'], /--mode poisson needs a --rate above 0/],
    [['serve', '--population', '10', '--rate', '0.5'], /--mode full asks everybody/],
    [['serve', '--population', '10', '--noise', '0'], /--noise has to be above 0/],
    [['serve', '--population', '10', '--pause', 'soon'], /no duration/],
    [['invite'], /run "phoenix federate serve" first/],
    [['join'], /belongs to no federation: join with an invitation/],
    [['join', 'please'], /this is no invitation/],
    [['leave'], /belongs to no federation/],
    [['remove', 'nobody'], /there is no client nobody/],
  ] as [string[], RegExp][])
    it(`refuses ${args.join(' ')}`, () => {
      const { code, stderr } = run('nobody', 'federate', ...args);
      assert.equal(code, 1);
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n {4}at /);
    });
});
