/** A coordinator in rounds with secure aggregation, and clients that stay, leave, lie and come again. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import { createFederation, type Federation, Replayable } from '../../test/support/secure-round.ts';
import type { federation } from '../contract/index.ts';
import { Coordinator, type CoordinatorOptions, type RoundSettings } from './coordinator.ts';
import { Membership } from './membership.ts';
import { addNoiseShare, addTo, fromLattice, PrivacyLedger, toLattice } from './privacy/index.ts';
import { Participant, STAGE } from './secure/index.ts';
import { createSigningKeys, openModel } from './signed-model.ts';

const KEYS = createSigningKeys();
const SPEC = { id: 'test', dimension: 3 };
const CLIENTS = 5;
const THRESHOLD = 4;
const SETTINGS: RoundSettings = {
  ...{ mode: 'secure', rate: 1, noise: 0.5, clip: 2, population: 5, roundMs: 5000, pauseMs: 9000 },
};
const POLICY = { epsilon: 1e9, delta: 1e-5, adjacency: 'add_remove', unit: 'client' } as const;
const STAGE_MS = 1000;

describe('a coordinator of secure aggregation', () => {
  let everybody: Federation;
  let folder: string;
  let members: Membership;
  let abandoned: string[];
  before(async () => {
    everybody = await createFederation(CLIENTS);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-secure-'));
    members = new Membership(folder);
    abandoned = [];
    for (const { client: id } of everybody.identities) members.enrol(members.invite(1000), { id, fingerprint: id });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (settings: Partial<RoundSettings> = {}, more: Partial<CoordinatorOptions> = {}) =>
    new Coordinator({
      ...{ folder, spec: SPEC, settings: { ...SETTINGS, ...settings }, policy: POLICY, members, keys: KEYS },
      authority: everybody.authority,
      onAbandoned: (_, reason) => abandoned.push(reason),
      ...more,
    });

  /** A client that answers what it is asked. */
  class Client {
    readonly name: string;
    readonly #update: number[];
    readonly #identity: Federation['identities'][number];
    readonly #seed: number;
    #participant: Participant | undefined;

    constructor(n: number, update: number[]) {
      this.#seed = n;
      const identity = everybody.identities[n];
      assert.ok(identity);
      [this.#identity, this.#update, this.name] = [identity, update, identity.client];
    }

    async answer(task: federation.SecureTask): Promise<federation.AggregateRequest> {
      const { round, clip, noise, divisor } = task;
      if (task.stage === STAGE.keys)
        this.#participant = new Participant({
          context: { round: Number(round), baseVersion: Number(task.baseVersion), clip, noise, divisor, ...MODEL },
          ...{ identity: this.#identity, authority: everybody.authority, random: new Replayable(this.#seed) },
        });
      const participant = this.#participant;
      assert.ok(participant);
      const said = { protocol: 1, round };
      if (task.stage === STAGE.keys) return { ...said, keys: participant.advertise() };
      if (task.stage === STAGE.shares) return { ...said, deal: await participant.deal(task.roster) };
      if (task.stage === STAGE.masked)
        return { ...said, masked: participant.mask(task.sealed, toLattice(this.#update, clip)) };
      if (task.stage === STAGE.confirm) return { ...said, confirmation: participant.confirm(task.included) };
      return { ...said, unmasking: participant.unmask(task.confirmations) };
    }

    /** What is in the sum of this client: its update and its noise. */
    addTo(sum: BigInt64Array): void {
      const own = toLattice(this.#update, SETTINGS.clip);
      addNoiseShare(own, SETTINGS.noise, THRESHOLD, new Replayable(this.#seed));
      addTo(sum, own);
    }
  }
  const MODEL = { dimension: SPEC.dimension, model: SPEC.id };
  const all = (update = [1, 0, -1]) => everybody.identities.map((_, n) => new Client(n, update));

  /** All of them answer the present stage. @returns what they said */
  const answer = async (coordinator: Coordinator, clients: readonly Client[], now: number) => {
    const said: { client: Client; request: federation.AggregateRequest }[] = [];
    for (const client of clients) {
      const task = coordinator.secureTaskOf(client.name, now);
      if (!task) continue;
      const request = await client.answer(task);
      coordinator.aggregate(client.name, request, now);
      said.push({ client, request });
    }
    return said;
  };
  const parametersOf = ({ model }: Coordinator) => {
    assert.ok(model);
    return [...openModel(model, KEYS.publicKey).parameters];
  };
  /** What the model is after `rounds` rounds of the same clients: to the last bit, but for numbers of 32 bits. */
  const isSumOf = (coordinator: Coordinator, clients: readonly Client[], rounds = 1) => {
    const sum = new BigInt64Array(SPEC.dimension);
    for (const client of clients) client.addTo(sum);
    const step = fromLattice(sum, SETTINGS.clip, SETTINGS.population);
    const parameters = parametersOf(coordinator);
    for (const [n, value] of step.entries())
      assert.ok(Math.abs((parameters[n] ?? Number.NaN) - rounds * value) < 1e-6, `${parameters} is not ${step}`);
  };
  const rounds = () => PrivacyLedger.open(folder).releases.length;

  it('goes from stage to stage as soon as all have answered, and releases the sum', async () => {
    const coordinator = open();
    assert.equal(await coordinator.tick(0), STAGE_MS);
    const clients = all();
    for (let stage = 1; stage <= 5; stage++) {
      assert.equal(coordinator.secureTaskOf(clients[0]?.name ?? '', 10)?.stage, stage);
      assert.equal(coordinator.taskOf(clients[0]?.name ?? '', 10), undefined);
      // What came is released with the last stage, and written down before it begins.
      assert.equal(rounds(), stage === 5 ? 1 : 0);
      assert.equal(coordinator.version, 0);
      await answer(coordinator, clients, 10);
      await coordinator.tick(10);
    }
    isSumOf(coordinator, clients);
    const { spending, round } = coordinator.status();
    assert.deepEqual([spending.mode, spending.adjacency, spending.rounds], ['secure', 'zero_out', 1]);
    assert.equal(round, undefined);
    assert.deepEqual(readdirSync(join(folder, 'updates')), []);
    assert.equal(PrivacyLedger.open(folder).releases[0]?.shares, THRESHOLD);
    assert.equal(await coordinator.tick(9000), 9010);
    assert.equal(await coordinator.tick(9010), 9010 + STAGE_MS);
    for (let stage = 1; stage <= 5; stage++) {
      await answer(coordinator, clients, 9020);
      await coordinator.tick(9020);
    }
    isSumOf(coordinator, clients, 2);
  });

  for (const gone of [2, 3, 4, 5])
    it(`goes on without a client that is gone before stage ${gone}`, async () => {
      const coordinator = open();
      let now = 0;
      await coordinator.tick(now);
      const clients = all();
      for (let stage = 1; stage <= 5; stage++) {
        await answer(coordinator, stage < gone ? clients : clients.slice(1), now);
        // For the last one it is not waited when there are enough shares.
        now += stage >= gone ? STAGE_MS : 0;
        await coordinator.tick(now);
      }
      isSumOf(coordinator, gone > 3 ? clients : clients.slice(1));
      assert.deepEqual(abandoned, []);
    });

  for (const stage of [1, 2, 3, 4, 5])
    it(`releases nothing when too few answer stage ${stage}`, async () => {
      const coordinator = open();
      let now = 0;
      await coordinator.tick(now);
      const clients = all();
      for (let at = 1; at <= stage; at++) {
        await answer(coordinator, at < stage ? clients : clients.slice(0, stage === 1 ? 2 : 3), now);
        now += at < stage ? 0 : STAGE_MS;
        await coordinator.tick(now);
      }
      assert.equal(coordinator.version, 0);
      assert.equal(abandoned.length, 1);
      assert.match(
        abandoned[0] ?? '',
        stage === 5 ? /too few shares/ : new RegExp(`have answered stage ${stage} of 5`),
      );
      // The coordinator could have seen the sum where it had asked for shares: that is paid for.
      assert.equal(rounds(), stage === 5 ? 1 : 0);
      assert.deepEqual(readdirSync(join(folder, 'updates')), []);
      // The next round has another number: nobody answers one twice.
      await coordinator.tick(20_000);
      assert.equal(coordinator.secureTaskOf(clients[0]?.name ?? '', 20_000)?.round, 2n);
    });

  it('goes on after a restart between any two answers, with the same result', async () => {
    const clients = all();
    await open().tick(0);
    for (let stage = 1; stage <= 5; stage++) {
      for (const client of clients) {
        await answer(open(), [client], 10);
        // What was said is known, and not asked again.
        if (stage < 5) assert.equal(open().secureTaskOf(client.name, 10), undefined);
      }
      await open().tick(10);
    }
    isSumOf(open(), clients);
    assert.equal(rounds(), 1);
  });

  it('accounts for a round once, wherever it was killed while it asked for shares, or released', async () => {
    const clients = all();
    const coordinator = open();
    await coordinator.tick(0);
    for (let stage = 1; stage <= 3; stage++) {
      await answer(coordinator, clients, 10);
      await coordinator.tick(10);
    }
    await answer(coordinator, clients, 10);
    const copies: string[] = [];
    const copy = (from: string) => {
      const to = `${folder}-${copies.length}`;
      cpSync(from, to, { recursive: true });
      copies.push(to);
      return to;
    };
    try {
      const before = copy(folder);
      await coordinator.tick(10);
      // Killed between the ledger and the stage.
      const killed = copy(before);
      for (const name of ['ledger.jsonl', 'ledger.head.json']) cpSync(join(folder, name), join(killed, name));
      const again = open({}, { folder: killed });
      await again.tick(10);
      assert.equal(again.status().spending.rounds, 1);
      await answer(again, clients, 10);
      const asked = copy(killed);
      await again.tick(10);
      isSumOf(again, clients);
      // Killed between the model and the end of the round.
      cpSync(join(killed, 'models', '1.json'), join(asked, 'models', '1.json'));
      const third = open({}, { folder: asked });
      await third.tick(10);
      assert.deepEqual([third.version, third.status().spending.rounds, third.status().round], [1, 1, undefined]);
      isSumOf(third, clients);
    } finally {
      for (const each of copies) rmSync(each, { recursive: true });
    }
  });

  it('takes each answer once, in its stage and round, from who is asked; and no update in clear', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    const clients = all();
    const [a, b] = clients;
    assert.ok(a && b);
    const refused = (kind: string, client: string, request: Partial<federation.AggregateRequest>, now = 10) =>
      assert.throws(() => coordinator.aggregate(client, { protocol: 1, round: 1n, ...request }, now), {
        name: 'SubmissionError',
        kind,
      });
    const bytes = Buffer.alloc(24);
    assert.throws(() => coordinator.submit(a.name, { round: 1, baseVersion: 0, bytes }, 10), /no updates in clear/);
    refused('malformed', a.name, {});
    refused('malformed', a.name, { masked: bytes });
    const said = await answer(coordinator, [a], 10);
    const { keys } = said[0]?.request ?? {};
    assert.ok(keys);
    refused('duplicate', a.name, { keys });
    // The keys of somebody else, by that name or by the own one.
    refused('malformed', b.name, { keys });
    refused('malformed', b.name, { keys: { ...keys, client: b.name } });
    refused('uninvited', 'nobody', { keys });
    refused('late', b.name, { round: 2n, keys });
    refused('late', b.name, { keys }, STAGE_MS);
    await answer(coordinator, clients, 10);
    await coordinator.tick(10);
    // Of the stage before, again.
    refused('duplicate', a.name, { keys });
    const task = coordinator.secureTaskOf(a.name, 10);
    assert.ok(task);
    const { deal } = await a.answer(task);
    assert.ok(deal);
    const [first, ...rest] = deal.shares;
    assert.ok(first);
    refused('malformed', a.name, { deal: { shares: rest } });
    refused('malformed', a.name, { deal: { shares: [...rest, ...rest.slice(0, 1)] } });
    refused('malformed', a.name, { deal: { shares: [...rest, { ...first, selfHash: Buffer.alloc(3) }] } });
    refused('malformed', a.name, {
      deal: { shares: deal.shares.map((share) => ({ ...share, box: Buffer.alloc(9) })) },
    });
    coordinator.aggregate(a.name, { protocol: 1, round: 1n, deal }, 10);
    await answer(coordinator, clients, 10);
    await coordinator.tick(10);
    for (const length of [0, 23, 32]) refused('malformed', a.name, { masked: Buffer.alloc(length) });
    await answer(coordinator, clients, 10);
    await coordinator.tick(10);
    refused('malformed', a.name, { confirmation: Buffer.alloc(70) });
    const confirmed = await answer(coordinator, clients, 10);
    await coordinator.tick(10);
    const confirmation = confirmed[0]?.request.confirmation;
    assert.ok(confirmation);
    refused('duplicate', a.name, { confirmation });
    refused('malformed', a.name, { unmasking: { self: [{ client: b.name, share: Buffer.alloc(33) }], key: [] } });
    await answer(coordinator, clients, 10);
    await coordinator.tick(10);
    isSumOf(coordinator, clients);
    refused('late', a.name, { confirmation });
  });

  it('does not release a sum that a lying client has made too long, and pays for it', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    const clients = all();
    for (let stage = 1; stage <= 5; stage++) {
      for (const client of clients) {
        const task = coordinator.secureTaskOf(client.name, 10);
        if (!task) continue;
        const request = await client.answer(task);
        // In the ring, anything may be added.
        if (request.masked && client === clients[0]) request.masked[7] = (request.masked[7] ?? 0) ^ 0x40;
        coordinator.aggregate(client.name, request, 10);
      }
      await coordinator.tick(10);
    }
    assert.equal(coordinator.version, 0);
    assert.match(abandoned.join(), /longer than all honest updates together/);
    assert.equal(rounds(), 1);
  });

  it('waits for three clients, and asks nobody for what would exceed the budget', async () => {
    for (const { client } of everybody.identities.slice(2)) members.remove(client);
    const waiting = open();
    assert.equal(await waiting.tick(0), 9000);
    assert.equal(waiting.status().round, undefined);
    for (const { client: id } of everybody.identities.slice(2))
      members.enrol(members.invite(1000), { id, fingerprint: id });
    const poor = open({}, { policy: { ...POLICY, epsilon: 1 } });
    assert.equal(await poor.tick(1), undefined);
    assert.equal(poor.status().isExhausted, true);
  });
});
