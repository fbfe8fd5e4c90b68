/** Secure aggregation on the network: clients that stay and leave, a coordinator that is killed, and one that breaks its promise. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import {
  type ClientEvent,
  enrol,
  FederationClient,
  type FederationEvent,
  FederationServer,
  type FederationServerOptions,
  federatedFolders,
  invite,
  PrivacyLedger,
} from '../src/federated/index.ts';
import { temporaryFolder } from './support/assistant.ts';
import { Installations } from './support/federation.ts';
import { MEAN_SPEC, MeanModel } from './support/mean-model.ts';

const SETTINGS: FederationServerOptions['settings'] = {
  ...{ mode: 'secure', rate: 1, noise: 1, clip: 10, population: 4, roundMs: 50_000, pauseMs: 100 },
};

describe('a federation with secure aggregation', () => {
  let folder: string;
  let server: FederationServer;
  let events: FederationEvent[];
  let open: Disposable[];
  beforeEach(() => {
    folder = temporaryFolder();
    [open, events] = [[], []];
  });
  afterEach(async () => {
    for (const each of open) each[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  const serve = async (settings: Partial<typeof SETTINGS> = {}, port = 0) => {
    server = await FederationServer.start({
      folder: join(folder, 'coordinator'),
      ...{ spec: MEAN_SPEC, settings: { ...SETTINGS, ...settings }, host: '127.0.0.1', port, enrolmentPort: 0 },
      policy: { epsilon: 1000, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
      onEvent: (event) => events.push(event),
    });
    return server;
  };
  const enrolled = async (name: string, epsilon = 1000) => {
    const own = join(folder, name);
    await enrol(own, await invite(join(folder, 'coordinator'), 60_000));
    return reopened(name, epsilon);
  };
  const reopened = (name: string, epsilon = 1000) => {
    const own = join(folder, name);
    const happened: ClientEvent[] = [];
    const model = new MeanModel([100, 100, 0, 0]);
    const budget = { epsilon, delta: 1e-5 };
    const client = new FederationClient({ folder: own, model, budget, onEvent: (event) => happened.push(event) });
    open.push(client);
    return { client, events: happened, folder: own };
  };
  type Client = ReturnType<typeof reopened>;
  /** Steps of all of them, at the same time, until something is so. */
  const until = async (clients: readonly Client[], isDone: () => boolean) => {
    const ends = Date.now() + 60_000;
    await Promise.all(
      clients.map(async ({ client }) => {
        while (!isDone()) {
          assert.ok(Date.now() < ends, `it took too long: ${JSON.stringify(events)}`);
          await client.step(200);
        }
      }),
    );
  };
  /** All are enrolled before the first round. */
  const started = async (count: number, budgets: number[] = []) => {
    // Until the last one is there the round has no end to wait for: it begins anew with all of them.
    const first = await serve({ mode: 'full', roundMs: 1e8 });
    const { port } = first;
    const clients: Client[] = [];
    for (let n = 0; n < count; n++) clients.push(await enrolled(`client-${n}`, budgets[n]));
    await first[Symbol.asyncDispose]();
    rmSync(join(folder, 'coordinator', 'round.json'));
    await serve({}, port);
    return clients;
  };
  const installed = ({ events: happened }: Client) => happened.filter(({ type }) => type === 'installed').length;
  const masked = ({ events: happened }: Client) => happened.filter(({ type }) => type === 'masked').length;

  it('learns what all have in common, and tells each what it has cost', async () => {
    const clients = await started(4);
    await until(clients, () => clients.every((client) => installed(client) >= 1));
    const [event] = clients[0]?.events.filter(({ type }) => type === 'installed') ?? [];
    assert.ok(event?.type === 'installed' && event.after < event.before);
    assert.deepEqual([event.privacy.mode, event.privacy.adjacency], ['secure', 'zero_out']);
    // Four updates of [10, 10, 0, 0] / 1.41, divided by four.
    const parameters = clients[0]?.client.installed()?.parameters ?? [];
    assert.ok((parameters[0] ?? 0) > 0);
    for (const { folder: own } of clients) {
      const ledger = PrivacyLedger.open(join(own, 'spent'));
      assert.ok(ledger.releases.length >= 1 && ledger.releases.every(({ mode }) => mode === 'secure'));
    }
  });

  it('goes on without a client that is restarted after it was masked, and takes it again in the next round', async () => {
    const clients = await started(4);
    const [lost, ...others] = clients;
    assert.ok(lost);
    while (masked(lost) === 0) await Promise.all(clients.map(({ client }) => client.step(100)));
    lost.client[Symbol.dispose]();
    // Its secrets were in its memory alone.
    const again = reopened('client-0');
    await until([...others, again], () => others.every((client) => installed(client) >= 1));
    assert.equal(masked(again), 0);
    await until([...others, again], () => masked(again) >= 1 && installed(again) >= 1);
    assert.deepEqual(
      events.filter(({ type }) => type === 'failed' || type === 'abandoned'),
      [],
    );
  });

  it('goes on where it was when the coordinator is restarted between stages', async () => {
    const clients = await started(3);
    for (let stage = 0; stage < 4; stage++) {
      await Promise.all(clients.map(({ client }) => client.step(1000)));
      const { port } = server;
      await server[Symbol.asyncDispose]();
      await serve({}, port);
      // The connections of before are gone.
      await Promise.all(clients.map(({ client }) => client.step(0).catch(() => undefined)));
    }
    await until(clients, () => server.coordinator.version >= 1);
    assert.ok(clients.every((client) => masked(client) >= 1));
    assert.deepEqual(
      events.filter(({ type }) => type === 'abandoned'),
      [],
    );
  });

  it('does not spend more of a client than it allows, whatever the coordinator says', async () => {
    // Noise 1: one round costs 4.4, at delta 1e-5.
    const clients = await started(4, [1000, 1000, 1000, 1]);
    const poor = clients[3];
    assert.ok(poor);
    await until(clients, () => poor.events.some(({ type }) => type === 'refused'));
    const [event] = poor.events;
    assert.ok(event?.type === 'refused');
    assert.match(event.reason, /to epsilon 4\.3\d+, and its own budget is 1$/);
    assert.equal(PrivacyLedger.open(join(poor.folder, 'spent')).releases.length, 0);
    assert.equal(masked(poor), 0);
  });

  it('sends nothing in clear where secure aggregation was promised', async () => {
    await serve();
    const { port } = server;
    const a = await enrolled('a');
    await server[Symbol.asyncDispose]();
    rmSync(join(folder, 'coordinator', 'round.json'), { force: true });
    await serve({ mode: 'full' }, port);
    await a.client.step(0).catch(() => undefined);
    await assert.rejects(a.client.step(1000), { name: 'FederationError', message: /asks for an update in clear/ });
    assert.equal(server.coordinator.status().round?.received, 0);
  });
});

describe('phoenix federate serve --secure-aggregation', () => {
  const installations = new Installations();
  const { folder } = installations;
  after(() => installations[Symbol.asyncDispose]());
  const run = installations.run.bind(installations);
  const start = installations.start.bind(installations);

  it('releases sums though a client and the coordinator are killed in the middle of rounds', async () => {
    const options = [
      '--secure-aggregation',
      '--population',
      '1000',
      '--epsilon',
      '1000',
      '--noise',
      '4',
      '--pause',
      '1s',
    ];
    const serving = [...options, '--round-time', '50s', '--enrolment-port', '0'];
    const first = start('coordinator', 'serve', '--port', '0', ...serving);
    const port = await first.line(/coordinating on 127\.0\.0\.1:(\d+)/);
    const coordinator = federatedFolders(join(folder, 'coordinator')).coordinator;
    const names = ['a', 'b', 'c', 'd'];
    for (const name of names)
      await enrol(federatedFolders(join(folder, name)).client, await invite(coordinator, 60_000));
    const [a, b, c, d] = names.map((name) => start(name, 'join', '--epsilon', '1000'));
    assert.ok(a && b && c && d);
    await first.line(/released: model 1; epsilon/);
    // From now on, four are asked: one may be lost.
    await d.line(/round \d+: sent a masked update/);
    d.child.kill('SIGKILL');
    await first.line(/released: model 2; epsilon/);
    const round = Number(await a.line(/.*round (\d+): sent a masked update/s));
    await a.line(new RegExp(`round ${round + 1}: sent a masked update`));
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    const accounted = PrivacyLedger.open(coordinator).releases.length;
    const second = start('coordinator', 'serve', '--port', port, ...serving);
    await second.line(new RegExp(`released: model ${accounted}|released: model ${accounted + 1}`));
    for (const { child } of [second, a, b, c]) {
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    }
    const { coordinator: shown } = JSON.parse(run('coordinator', 'federate', 'status', '--json').stdout) as {
      coordinator: { epsilon: number; rounds: number; mode: string; adjacency: string };
    };
    assert.deepEqual([shown.mode, shown.adjacency], ['secure', 'zero_out']);
    assert.ok(shown.rounds >= 3 && shown.epsilon > 0 && Number.isFinite(shown.epsilon));
    const { client } = JSON.parse(run('a', 'federate', 'status', '--json').stdout) as {
      client: { installed: number; spent: { epsilon: number; rounds: number } };
    };
    assert.ok(client.spent.rounds >= 3 && client.spent.epsilon > 0);
  });

  it('refuses to draw clients in secret when everybody sees who takes part', () => {
    const args = ['--secure-aggregation', '--population', '10', '--mode', 'poisson', '--rate', '0.5'];
    const { code, stderr } = run('nobody', 'federate', 'serve', ...args);
    assert.equal(code, 1);
    assert.match(stderr, /drawing in secret \(poisson\) helps nobody/);
  });
});
