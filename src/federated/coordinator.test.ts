import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Coordinator, type CoordinatorOptions, type RoundSettings } from './coordinator.ts';
import { Membership } from './membership.ts';
import { PrivacyLedger, toLattice } from './privacy/index.ts';
import { encodeUpdate } from './protocol.ts';
import { createSigningKeys, fromFile, openModel, signModel, toFile } from './signed-model.ts';

const KEYS = createSigningKeys();
const SPEC = { id: 'test', dimension: 3 };
const SETTINGS: RoundSettings = {
  mode: 'full',
  rate: 1,
  noise: 0.4,
  clip: 2,
  population: 4,
  roundMs: 1000,
  pauseMs: 500,
};
/** Forty clients where four are reckoned with: what they say stands out of the noise, whose deviation is 0.2. */
const CLIENTS = Array.from({ length: 40 }, (_, n) => `c${n}`);
const HALF = CLIENTS.slice(0, 20);
/** Once in a billion by chance. */
const TOLERANCE = 1.25;
const POLICY = { epsilon: 1e9, delta: 1e-5, adjacency: 'add_remove', unit: 'client' } as const;

describe('a coordinator', () => {
  let folder: string;
  let members: Membership;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-coordinator-'));
    members = new Membership(folder);
    for (const id of CLIENTS) members.enrol(members.invite(1000), { id, fingerprint: id });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = (settings: Partial<RoundSettings> = {}, more: Partial<CoordinatorOptions> = {}) =>
    new Coordinator({
      folder,
      spec: SPEC,
      settings: { ...SETTINGS, ...settings },
      policy: POLICY,
      members,
      keys: KEYS,
      ...more,
    });
  const bytesOf = (update: number[], clip = 2) => encodeUpdate(toLattice(update, clip));
  const parameters = (coordinator: Coordinator) => {
    const { model } = coordinator;
    assert.ok(model);
    return [...openModel(model, KEYS.publicKey).parameters];
  };
  const near = (actual: number[], expected: number[]) => {
    for (const [n, value] of expected.entries())
      assert.ok(Math.abs((actual[n] ?? Number.NaN) - value) < TOLERANCE, `${actual} is not ${expected}`);
  };

  it('asks everybody, adds up what it gets, and divides by what was agreed on before', async () => {
    const coordinator = open();
    assert.equal(await coordinator.tick(0), 1000);
    for (const client of HALF) {
      assert.deepEqual(coordinator.taskOf(client, 10), { round: 1, baseVersion: 0, clip: 2, remainingMs: 990 });
      coordinator.submit(client, { round: 1, baseVersion: 0, bytes: bytesOf([1, 0, -1]) }, 10);
      assert.equal(coordinator.taskOf(client, 20), undefined);
    }
    assert.equal(await coordinator.tick(999), 1000);
    assert.equal(coordinator.version, 0);
    assert.equal(await coordinator.tick(1000), 1500);
    near(parameters(coordinator), [5, 0, -5]);
    await coordinator.tick(1500);
    for (const client of CLIENTS)
      coordinator.submit(client, { round: 2, baseVersion: 1, bytes: bytesOf([0, 2, 0]) }, 1600);
    await coordinator.tick(2500);
    near(parameters(coordinator), [5, 20, -5]);
    assert.deepEqual(readdirSync(join(folder, 'updates')), []);
    assert.equal(coordinator.status().spending.rounds, 2);
  });

  it('refuses what is late, not asked for, malformed, oversized or there already; and what is too long it clips', async () => {
    const coordinator = open(
      { mode: 'poisson', rate: 0.5 },
      { random: { atRate: () => draws.shift() ?? false } as never },
    );
    const draws = [true, true];
    await coordinator.tick(0);
    const submit =
      (client: string, more: Partial<{ round: number; baseVersion: number; bytes: Uint8Array }>, now = 1) =>
      () =>
        coordinator.submit(client, { round: 1, baseVersion: 0, bytes: bytesOf([1, 0, 0]), ...more }, now);
    const kind = (expected: string) => ({ name: 'SubmissionError', kind: expected });
    assert.throws(submit('c7', {}), kind('uninvited'));
    assert.equal(coordinator.taskOf('c7', 1), undefined);
    assert.throws(submit('c0', { round: 2 }), kind('late'));
    assert.throws(submit('c0', {}, 1000), kind('late'));
    assert.throws(submit('c0', { baseVersion: 7 }), kind('malformed'));
    for (const bytes of [new Uint8Array(0), new Uint8Array(23), new Uint8Array(32)])
      assert.throws(submit('c0', { bytes }), kind('malformed'));
    submit('c0', {})();
    assert.throws(submit('c0', {}), kind('duplicate'));
    // A client that does not clip: as long as an integer can be.
    submit('c1', { bytes: encodeUpdate(BigInt64Array.of(2n ** 63n - 1n, 0n, -(2n ** 63n))) })();
    const stored = readFileSync(join(folder, 'updates', '1-c1.bin'));
    const norm = Math.hypot(...[0, 1, 2].map((n) => Number(stored.readBigInt64LE(n * 8)))) / 2 ** 40;
    assert.ok(norm <= 1 && norm > 0.999, `${norm}`);
  });

  it('releases a round in which nobody answered, or nobody was drawn, like any other', async () => {
    const coordinator = open({ noise: 4, mode: 'poisson', rate: 0.5 }, {});
    for (let now = 0; coordinator.version < 3; now = (await coordinator.tick(now)) ?? Number.NaN)
      assert.ok(now < 100_000);
    assert.equal(coordinator.status().spending.rounds, 3);
    assert.ok(parameters(coordinator).every((value) => value !== 0));
  });

  it('draws each client with its probability, by itself', async () => {
    for (let n = 0; n < 60; n++) members.enrol(members.invite(1000), { id: `m${n}`, fingerprint: `m${n}` });
    const coordinator = open({ mode: 'poisson', rate: 0.3, noise: 4 });
    const sizes: number[] = [];
    for (let now = 0; sizes.length < 16; now = (await coordinator.tick(now)) ?? Number.NaN)
      sizes.push(coordinator.status().round?.cohort ?? 0);
    const cohorts = sizes.filter((_, n) => n % 2 === 1);
    const mean = cohorts.reduce((a, b) => a + b, 0) / cohorts.length;
    // 100 clients, 8 rounds: a deviation of 4.6 / sqrt(8).
    assert.ok(Math.abs(mean - 30) < 9, `${cohorts}`);
    assert.ok(new Set(cohorts).size > 1, `${cohorts}`);
  });

  it('asks nobody for what would exceed the budget', async () => {
    const policy = { ...POLICY, epsilon: 1.5 };
    const coordinator = open({ noise: 8 }, { policy });
    let next: number | undefined = 0;
    let rounds = 0;
    while (next !== undefined) {
      next = await coordinator.tick(next);
      rounds = coordinator.version;
    }
    const { spending, isExhausted, round } = coordinator.status();
    assert.ok(isExhausted && spending.epsilon <= 1.5 && round === undefined);
    assert.equal(spending.rounds, rounds);
    assert.ok(rounds >= 1);
    assert.equal(coordinator.taskOf('c0'), undefined);
    // Somebody who allows more goes on.
    assert.ok(await open({ noise: 8 }, { policy: { ...POLICY, epsilon: 3 } }).tick(1e6));
  });

  it('goes on with the round after a restart', async () => {
    await open().tick(0);
    const first = open();
    for (const client of HALF) first.submit(client, { round: 1, baseVersion: 0, bytes: bytesOf([1, 0, 0]) }, 10);
    const second = open();
    assert.equal(second.taskOf('c0', 20), undefined);
    assert.equal(second.taskOf('c39', 20)?.round, 1);
    for (const client of CLIENTS.slice(20))
      second.submit(client, { round: 1, baseVersion: 0, bytes: bytesOf([1, 0, 0]) }, 20);
    const third = open();
    await third.tick(1000);
    near(parameters(third), [10, 0, 0]);
    assert.equal(open().version, 1);
    near(parameters(open()), [10, 0, 0]);
  });

  it('releases a round once, wherever it was killed', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    for (const client of HALF) coordinator.submit(client, { round: 1, baseVersion: 0, bytes: bytesOf([2, 0, 0]) }, 10);
    const before = `${folder}-before`;
    cpSync(folder, before, { recursive: true });
    await coordinator.tick(1000);
    const files = ['ledger.jsonl', 'ledger.head.json', 'models/1.json', 'round.json'];
    try {
      // Killed after 0, 1, ... of the files were written.
      for (let written = 0; written <= files.length; written++) {
        const killed = `${folder}-${written}`;
        cpSync(before, killed, { recursive: true });
        for (const name of files.slice(0, written)) cpSync(join(folder, name), join(killed, name));
        const again = open({}, { folder: killed });
        await again.tick(1000);
        assert.equal(again.version, 1);
        assert.equal(again.status().spending.rounds, 1);
        near(parameters(again), [10, 0, 0]);
        rmSync(killed, { recursive: true });
      }
    } finally {
      rmSync(before, { recursive: true });
    }
  });

  it('signs what it releases, with what was spent', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    await coordinator.tick(1000);
    const signed = coordinator.model;
    assert.ok(signed);
    const { statement } = openModel(signed, KEYS.publicKey);
    const { epsilon } = coordinator.status().spending;
    assert.deepEqual(
      [statement.version, statement.spec, statement.privacy.epsilon, statement.privacy.mode],
      [1, SPEC, epsilon, 'full'],
    );
    assert.deepEqual(statement.ledger, PrivacyLedger.open(folder).head);
    const other = (more: object) => ({ ...signed, ...more });
    for (const bad of [
      other({ signature: Buffer.alloc(64) }),
      other({ statement: Buffer.from(signed.statement.toString().replace('"version":1', '"version":2')) }),
      other({ weights: Buffer.alloc(12) }),
      signModel(statement, Float64Array.of(1, 2, 3), createSigningKeys().privateKey),
      signModel(statement, Float64Array.of(1, 2), KEYS.privateKey),
      signModel(statement, Float64Array.of(1, Number.NaN, 3), KEYS.privateKey),
    ])
      assert.throws(() => openModel(bad, KEYS.publicKey), {
        name: 'FederationError',
        message: /the model is not used/,
      });
    assert.deepEqual(fromFile(toFile(signed)), signed);
  });

  it('refuses to go on without its ledger, and says infinity of a model that nobody wrote down', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    await coordinator.tick(1000);
    const ledger = join(folder, 'ledger.jsonl');
    const text = readFileSync(ledger, 'utf8');
    rmSync(ledger);
    assert.throws(() => open(), { name: 'LedgerError', message: /is lost/ });
    rmSync(join(folder, 'ledger.head.json'));
    assert.throws(() => open(), { name: 'LedgerError', message: /a model was released after entry 2/ });
    writeFileSync(ledger, text.split('\n').slice(0, 1).join('\n').concat('\n'));
    assert.throws(() => open(), { name: 'LedgerError' });
    writeFileSync(ledger, text);
    assert.throws(() => open(), { name: 'LedgerError', message: /2 entries that were not written here/ });
  });

  it('says infinity of a model that no round stands for', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    await coordinator.tick(1000);
    const { model } = coordinator;
    assert.ok(model);
    const { statement } = openModel(model, KEYS.publicKey);
    const extra = signModel({ ...statement, version: 2 }, Float64Array.of(1, 2, 3), KEYS.privateKey);
    writeFileSync(join(folder, 'models', '2.json'), toFile(extra));
    const again = open();
    assert.equal(again.status().spending.epsilon, Number.POSITIVE_INFINITY);
    assert.equal(await again.tick(1e6), undefined);
  });

  it('does not mix models of different kinds', async () => {
    const coordinator = open();
    await coordinator.tick(0);
    await coordinator.tick(1000);
    assert.throws(
      () => open({}, { spec: { id: 'other', dimension: 3 } }),
      /are of "test", and this Phoenix would train "other"/,
    );
    assert.ok(existsSync(join(folder, 'models', '1.json')));
  });
});

describe('membership', () => {
  it('knows who was invited, once and in time, and who was removed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-members-'));
    try {
      const members = new Membership(folder);
      const secret = members.invite(1000, 0);
      assert.equal(members.isInvited(secret, 500), true);
      assert.equal(members.isInvited(secret, 1000), false);
      assert.equal(members.isInvited('guess', 500), false);
      assert.ok(!readFileSync(join(folder, 'members.json'), 'utf8').includes(secret));
      members.enrol(secret, { id: 'a', fingerprint: 'f' }, 500);
      assert.throws(() => members.enrol(secret, { id: 'b', fingerprint: 'g' }, 500), /unknown, used or expired/);
      assert.equal(new Membership(folder).clientOf('f'), 'a');
      assert.equal(members.clientOf('g'), undefined);
      assert.equal(members.remove('a'), true);
      assert.equal(members.remove('a'), false);
      assert.equal(members.clientOf('f'), undefined);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
