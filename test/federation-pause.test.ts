/** The switch that takes an installation out of its federation for a while. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import {
  type ClientEvent,
  enrol,
  FederationClient,
  FederationServer,
  federatedFolders,
  invite,
  PrivacyLedger,
  readClient,
  setPaused,
} from '../src/federated/index.ts';
import { phoenix, startAssistant, temporaryFolder } from './support/assistant.ts';
import { MEAN_SPEC, MeanModel } from './support/mean-model.ts';

describe('taking part in a federation', () => {
  let folder: string;
  let server: FederationServer;
  let own: string;
  beforeEach(async () => {
    folder = temporaryFolder();
    own = federatedFolders(join(folder, 'a')).client;
    server = await FederationServer.start({
      ...{ folder: join(folder, 'coordinator'), spec: MEAN_SPEC, host: '127.0.0.1', port: 0, enrolmentPort: 0 },
      settings: { mode: 'full', rate: 1, noise: 4, clip: 10, population: 10, roundMs: 60_000, pauseMs: 100 },
      policy: { epsilon: 50, delta: 1e-5, adjacency: 'add_remove', unit: 'client' },
    });
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  const enrolled = async () => await enrol(own, await invite(join(folder, 'coordinator'), 60_000));
  const opened = (model = new MeanModel([1, 0, 0, 0])) => {
    const events: ClientEvent[] = [];
    return { events, client: new FederationClient({ folder: own, model, onEvent: (event) => events.push(event) }) };
  };
  const received = () => server.coordinator.status().round?.received;

  it('is paused and resumed, beyond a restart; while it is paused nothing is sent', async () => {
    await enrolled();
    setPaused(own, true);
    assert.equal(readClient(own)?.isPaused, true);
    for (let restart = 0; restart < 2; restart++) {
      const { client, events } = opened();
      using _closed = client;
      await client.step(100);
      assert.deepEqual([received(), events], [0, []]);
    }
    setPaused(own, false);
    assert.equal(readClient(own)?.isPaused, false);
    const { client, events } = opened();
    using _closed = client;
    await client.step(100);
    assert.deepEqual(events, [{ type: 'submitted', round: 1 }]);
    assert.equal(received(), 1);
  });

  it('sends nothing when it is paused during training, or while it waits for a task', async () => {
    await enrolled();
    class Pausing extends MeanModel {
      override async train(parameters: Float64Array): Promise<Float64Array> {
        setPaused(own, true);
        return super.train(parameters);
      }
    }
    const { client, events } = opened(new Pausing([1, 0, 0, 0]));
    using _closed = client;
    await client.step(100);
    setPaused(own, false);
    const waiting = client.step(100);
    setPaused(own, true);
    await waiting;
    assert.deepEqual([received(), events], [0, []]);
  });

  it('is switched over HTTP and by a command, where there is a federation', async () => {
    const state = { PHOENIX_STATE_DIR: join(folder, 'a'), PHOENIX_SKILL_RUNTIME: 'process' };
    await using assistant = await startAssistant(state);
    const post = (body: unknown) =>
      fetch(`${assistant.url}/api/privacy/participation`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const read = async () => (await (await fetch(`${assistant.url}/api/privacy`)).json()) as { client: unknown };
    assert.equal((await post({ paused: true })).status, 404);
    assert.match(phoenix(['federate', 'pause'], state).stderr, /belongs to no federation/);
    await enrolled();
    assert.deepEqual(await (await post({ paused: true })).json(), { paused: true });
    assert.deepEqual((await read()).client, { seen: 0, installed: 0, answered: 0, isPaused: true, sent: [] });
    assert.match(phoenix(['federate', 'status'], state).stdout, /client \(paused\): model/);
    for (const bad of [{}, { paused: 'no' }, { paused: false, more: 1 }]) assert.equal((await post(bad)).status, 400);
    assert.equal(readClient(own)?.isPaused, true);
    assert.match(phoenix(['federate', 'resume'], state).stdout, /taking part again/);
    assert.equal(readClient(own)?.isPaused, false);
    assert.match(phoenix(['federate', 'pause'], state).stdout, /paused: nothing is sent/);
    // What masked updates have cost here is shown where no rounds are coordinated.
    const spent = PrivacyLedger.open(join(own, 'spent'));
    spent.setPolicy({ epsilon: 4, delta: 1e-5, adjacency: 'add_remove', unit: 'client' });
    const round = { round: 1, rate: 1, noise: 4, clip: 1, divisor: 10, dimension: 4, shares: 3 };
    spent.append({ ...round, mode: 'secure' });
    const metrics = await (await fetch(`${assistant.url}/metrics`)).text();
    const epsilon = metrics.split('\n').filter((line) => line.startsWith('sarai_fl_epsilon{'));
    assert.match(
      epsilon.join(),
      /^sarai_fl_epsilon\{delta="1e-5",adjacency="zero_out",unit="client",mode="secure"\} 0\.92\d+$/,
    );
  });
});
