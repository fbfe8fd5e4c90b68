import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { chiSquare } from '../../../test/support/chi-square.ts';
import {
  collect,
  contextOf,
  createFederation,
  type Federation,
  type LastStage,
  participantsOf,
  Replayable,
  sealedFor,
} from '../../../test/support/secure-round.ts';
import { addNoiseShare, CLIP_UNITS, clipped } from '../privacy/index.ts';
import { checkUnmasking, isPlausibleSum, MAX_CLIENTS, missingShares, thresholdOf, unmaskedSum } from './index.ts';

const MOST = 9;
const ERROR = 'SecureAggregationError';

describe('secure aggregation', () => {
  let everybody: Federation;
  before(async () => {
    everybody = await createFederation(MOST);
  });
  const some = (clients: number): Federation => ({
    ...everybody,
    identities: everybody.identities.slice(0, clients),
  });
  const zeros = (clients: number, dimension = 2) => Array.from({ length: clients }, () => new BigInt64Array(dimension));
  const whole = (clients = 4) => collect(participantsOf(some(clients), contextOf(2)), zeros(clients));

  /** Vectors, and after which stage each client is gone. */
  const rounds = fc.integer({ min: 3, max: MOST }).chain((clients) =>
    fc.integer({ min: 1, max: 4 }).chain((dimension) =>
      fc.record({
        updates: fc.array(
          fc.array(fc.bigInt({ min: -(2n ** 40n), max: 2n ** 40n }), { minLength: dimension, maxLength: dimension }),
          { minLength: clients, maxLength: clients },
        ),
        last: fc.array(
          fc.oneof({ weight: 6, arbitrary: fc.constant<LastStage>(5) }, fc.constantFrom<LastStage>(1, 2, 3, 4)),
          { minLength: clients, maxLength: clients },
        ),
        seed: fc.nat(),
      }),
    ),
  );

  it('gives the sum, to the last bit, whoever drops out when; or nothing, when too few are left', async () => {
    let [sums, failures] = [0, 0];
    await fc.assert(
      fc.asyncProperty(rounds, async ({ updates, last, seed }) => {
        const vectors = updates.map((update) => BigInt64Array.from(update));
        const context = contextOf(vectors[0]?.length ?? 0, { noise: 3 });
        const threshold = thresholdOf(vectors.length);
        const participants = participantsOf(some(vectors.length), context, (n) => new Replayable(seed + n));
        if (last.filter((stage) => stage === 5).length < threshold) {
          failures++;
          await assert.rejects(
            collect(participants, vectors, last).then((received) => {
              assert.ok(missingShares(received).length > 0);
              return unmaskedSum(received);
            }),
            { name: ERROR },
          );
          return;
        }
        sums++;
        const received = await collect(participants, vectors, last);
        for (const [client, unmasking] of received.unmaskings) checkUnmasking(client, unmasking, received);
        assert.deepEqual(missingShares(received), []);
        const expected = new BigInt64Array(context.dimension);
        for (const [n, vector] of vectors.entries()) {
          if ((last[n] ?? 0) < 3) continue;
          const noisy = BigInt64Array.from(clipped(vector));
          addNoiseShare(noisy, 3, threshold, new Replayable(seed + n));
          for (const [i, value] of noisy.entries()) expected[i] = (expected[i] ?? 0n) + value;
        }
        const sum = await unmaskedSum(received);
        assert.deepEqual([...sum], [...expected]);
        assert.ok(isPlausibleSum(sum, 3, received));
      }),
      { numRuns: 120 },
    );
    assert.ok(sums > 10 && failures > 10, `${sums} sums, ${failures} failures`);
  });

  it('shows of a single update nothing but random bytes', async () => {
    const dimension = 4096;
    // As far from random as an update can be.
    const updates = zeros(4, dimension).map((update) => update.fill(2n ** 30n));
    const { masked } = await collect(participantsOf(some(4), contextOf(dimension, { noise: 0.001 })), updates);
    for (const bytes of masked.values()) {
      for (let place = 0; place < 8; place++) {
        const counts = new Map<number, number>();
        for (let n = place; n < bytes.length; n += 8) counts.set(bytes[n] ?? 0, (counts.get(bytes[n] ?? 0) ?? 0) + 1);
        const expected = new Map(Array.from({ length: 256 }, (_, byte) => [byte, dimension / 256]));
        const { statistic, limit } = chiSquare(counts, expected);
        assert.ok(statistic < limit, `byte ${place}: chi-square ${statistic}, at most ${limit}`);
      }
    }
    const seen = new Set([...masked.values()].map((bytes) => bytes.toString('hex', 0, 8)));
    assert.equal(seen.size, 4);
  });

  it('adds the noise of the round though as many drop out as may', async () => {
    const [clients, dimension, noise] = [6, 2000, 2];
    const threshold = thresholdOf(clients);
    const last = Array.from({ length: clients }, (_, n): LastStage => (n < threshold ? 5 : 2));
    const received = await collect(
      participantsOf(some(clients), contextOf(dimension, { noise })),
      zeros(clients, dimension),
      last,
    );
    assert.equal(received.masked.size, threshold);
    const sum = await unmaskedSum(received);
    const variance = sum.reduce((total, value) => total + (Number(value) / CLIP_UNITS) ** 2, 0) / dimension;
    // Five deviations of an estimated variance.
    assert.ok(Math.abs(variance / noise ** 2 - 1) < 5 * Math.sqrt(2 / dimension), `${variance}`);
  });

  it('clips what is longer before it is masked', async () => {
    const long = zeros(4).map((update) => update.fill(2n ** 62n));
    const received = await collect(participantsOf(some(4), contextOf(2, { noise: 0.001 })), long);
    const sum = await unmaskedSum(received);
    const length = Math.hypot(...Array.from(sum, Number)) / CLIP_UNITS;
    assert.ok(length < 4.01 && length > 3.9, `${length}`);
  });

  it('tells a sum that no honest clients have', async () => {
    const received = await whole();
    const lie = (value: bigint) => BigInt64Array.of(value, 0n);
    assert.equal(isPlausibleSum(lie(BigInt(CLIP_UNITS)), 1, received), true);
    assert.equal(isPlausibleSum(lie(2n ** 62n), 1, received), false);
    assert.equal(isPlausibleSum(lie(-(2n ** 63n)), 1, received), false);
  });

  describe('a client', () => {
    const atStep = async (clients = 4, dimension = 2) => {
      const participants = participantsOf(some(clients), contextOf(dimension));
      const roster = participants.map((participant) => participant.advertise());
      const [victim] = participants;
      assert.ok(victim);
      return { participants, roster, victim };
    };
    const dealt = async () => {
      const step = await atStep();
      const deals = new Map(
        await Promise.all(step.participants.map(async (each) => [each.client, await each.deal(step.roster)] as const)),
      );
      return { ...step, deals, names: step.participants.map(({ client }) => client) };
    };
    const maskedBy = async () => {
      const step = await dealt();
      for (const each of step.participants) each.mask(sealedFor(each.client, step.deals), new BigInt64Array(2));
      return step;
    };

    it('trusts no roster that is too small, has somebody twice, or keys that were not signed for this round', async () => {
      const forged: [string, (roster: Awaited<ReturnType<typeof atStep>>['roster']) => typeof roster, RegExp][] = [
        ['two clients', (roster) => roster.slice(0, 2), /2 clients cannot hide each other/],
        ['somebody twice', (roster) => [...roster, ...roster.slice(1, 2)], /in the round twice/],
        ['without itself', (roster) => roster.slice(1), /of this client are not in the round/],
        [
          'other keys',
          ([a, b, ...rest]) => (a && b ? [a, { ...b, maskKey: Buffer.alloc(32, 7) }, ...rest] : []),
          /not signed/,
        ],
        [
          'keys of another round',
          (roster) => [
            ...roster.slice(0, 3),
            ...participantsOf(some(4), contextOf(2, { round: 2 }))
              .slice(3)
              .map((each) => each.advertise()),
          ],
          /not signed for this round/,
        ],
        [
          'keys for less noise',
          (roster) => [
            ...roster.slice(0, 3),
            ...participantsOf(some(4), contextOf(2, { noise: 0.1 }))
              .slice(3)
              .map((each) => each.advertise()),
          ],
          /not signed for this round/,
        ],
        [
          'too many',
          (roster) => Array.from({ length: MAX_CLIENTS + 1 }, () => roster[0]).flatMap((each) => each ?? []),
          /cannot hide/,
        ],
      ];
      for (const [name, forge, message] of forged) {
        const { victim, roster } = await atStep();
        await assert.rejects(victim.deal(forge(roster)), { name: ERROR, message }, name);
      }
      const { victim, roster } = await atStep();
      const strangers = await createFederation(MOST);
      const stranger = participantsOf(strangers, contextOf(2))[3]?.advertise();
      assert.ok(stranger);
      await assert.rejects(victim.deal([...roster.slice(0, 3), stranger]), /not of this federation/);
    });

    it('masks for nobody when too few have dealt, or somebody else has', async () => {
      const few = await dealt();
      assert.throws(() => few.victim.mask(sealedFor(few.victim.client, few.deals).slice(0, 1), new BigInt64Array(2)), {
        name: ERROR,
        message: /shares of 1 others/,
      });
      const strange = await dealt();
      const sealed = sealedFor(strange.victim.client, strange.deals).map((each) => ({ ...each, client: 'nobody' }));
      assert.throws(() => strange.victim.mask(sealed, new BigInt64Array(2)), { name: ERROR });
    });

    it('signs no sum that is too small, or that it is not in', async () => {
      for (const pick of [
        (names: string[]) => names.slice(0, 2),
        (names: string[]) => names.slice(1),
        (names: string[]) => [...names.slice(0, 3), 'nobody'],
        (names: string[]) => [...names.slice(0, 3), names[2] ?? ''],
      ]) {
        const { victim, names } = await maskedBy();
        assert.throws(() => victim.confirm(pick(names)), { name: ERROR, message: /a sum of/ });
      }
    });

    it('reveals nothing before enough have confirmed the same, and each step once: never both secrets of anybody', async () => {
      const { participants, victim, names } = await maskedBy();
      const others = names.slice(0, 3);
      const confirmations = participants
        .slice(0, 3)
        .map((each) => ({ client: each.client, signature: each.confirm(others) }));
      // What the coordinator would need is a second answer with another set.
      assert.throws(() => victim.confirm(names), { name: ERROR, message: /asked to confirm when it was to unmask/ });
      assert.throws(() => victim.mask([], new BigInt64Array(2)), { name: ERROR });
      const { self, key } = victim.unmask(confirmations);
      assert.deepEqual(
        self.map(({ client }) => client),
        others,
      );
      assert.deepEqual(
        key.map(({ client }) => client),
        names.slice(3),
      );
      assert.throws(() => victim.unmask(confirmations), {
        name: ERROR,
        message: /asked to unmask when it was to nothing/,
      });
    });

    it('refuses confirmations that are too few, of another sum, repeated or forged', async () => {
      type Made = { client: string; signature: Buffer }[];
      for (const change of [
        (made: Made) => made.slice(0, 2),
        (made: Made) => [...made.slice(0, 2), ...made.slice(0, 1)],
        (made: Made) =>
          made.map(({ client, signature }, n) =>
            n === 1 ? { client, signature: Buffer.alloc(signature.length) } : { client, signature },
          ),
        (made: Made) =>
          made.map(({ client }, n) => ({
            client,
            signature: made[(n + 1) % made.length]?.signature ?? Buffer.alloc(0),
          })),
      ]) {
        const { participants, victim, names } = await maskedBy();
        const made = participants.map((each) => ({ client: each.client, signature: each.confirm(names) }));
        assert.throws(() => victim.unmask(change(made)), { name: ERROR });
      }
      // The coordinator tells one that a client is in the sum, and the others that it is not.
      const { participants, victim, names } = await maskedBy();
      const split = participants.slice(0, 3).map((each, n) => ({
        client: each.client,
        signature: each.confirm(n === 0 ? names : names.slice(0, 3)),
      }));
      assert.throws(() => victim.unmask(split), { name: ERROR, message: /has not confirmed the same round/ });
    });

    it('goes on without the shares of who dealt nonsense, and the round with it', async () => {
      const { participants, roster, deals, names } = await dealt();
      const [liar] = names;
      const masked = new Map<string, Buffer>();
      for (const each of participants) {
        const sealed = sealedFor(each.client, deals).map((share) =>
          share.client === liar && each.client === names[1] ? { ...share, box: Buffer.alloc(share.box.length) } : share,
        );
        masked.set(each.client, each.mask(sealed, new BigInt64Array(2)));
      }
      const confirmations = participants.map((each) => ({ client: each.client, signature: each.confirm(names) }));
      const unmaskings = new Map(participants.map((each) => [each.client, each.unmask(confirmations)]));
      assert.equal(unmaskings.get(names[1] ?? '')?.self.length, 3);
      const { context } = participants[0] ?? assert.fail();
      const received = { context, threshold: 3, roster, deals, masked, unmaskings };
      assert.deepEqual(missingShares(received), []);
      assert.equal((await unmaskedSum(received)).length, 2);
    });
  });

  it('takes only the shares that were dealt', async () => {
    const received = await whole();
    const [holder, unmasking] = [...received.unmaskings][0] ?? assert.fail();
    checkUnmasking(holder, unmasking, received);
    const [first, ...rest] = unmasking.self;
    assert.ok(first);
    const refused = (change: Partial<typeof unmasking>, message: RegExp) =>
      assert.throws(() => checkUnmasking(holder, { ...unmasking, ...change }, received), { name: ERROR, message });
    refused({ self: [{ ...first, share: Buffer.alloc(33) }, ...rest] }, /not the one that was dealt/);
    refused({ self: [{ ...first, share: first.share.subarray(1) }, ...rest] }, /not the one that was dealt/);
    refused({ self: [first, first] }, /not asked for/);
    refused({ self: [{ ...first, client: 'nobody' }] }, /not asked for/);
    // The other secret of somebody whose update is in the sum.
    refused({ self: rest, key: [first] }, /not asked for/);
    const [other] = [...received.unmaskings][1] ?? assert.fail();
    assert.throws(() => checkUnmasking(other, unmasking, received), {
      name: ERROR,
      message: /not the one that was dealt/,
    });
  });
});
