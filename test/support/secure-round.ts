import type { federation } from '../../src/contract/index.ts';
import { certify, createAuthority, createRequest, toPem } from '../../src/federated/certificates.ts';
import { SecureRandom } from '../../src/federated/index.ts';
import {
  type ClientIdentity,
  identityOf,
  Participant,
  type Received,
  type RoundContext,
  thresholdOf,
} from '../../src/federated/secure/index.ts';
import { randomNumbers } from '../../src/random.ts';

/** A federation's certificate, and clients that it gave one to. */
export interface Federation {
  authority: string;
  identities: ClientIdentity[];
}

/** @param clients how many; they are named so that they are in order */
export async function createFederation(clients: number): Promise<Federation> {
  const authority = await createAuthority();
  const identities = await Promise.all(
    Array.from({ length: clients }, async (_, n) => {
      const { key, request } = await createRequest();
      const name = `client-${String(n).padStart(3, '0')}`;
      return identityOf(await toPem(await certify(authority, request, name)), key);
    }),
  );
  return { authority: authority.certificate, identities };
}

export function contextOf(dimension: number, more: Partial<RoundContext> = {}): RoundContext {
  return { round: 1, baseVersion: 0, clip: 1, noise: 1, divisor: 1, dimension, model: 'test', ...more };
}

export function participantsOf(
  { identities, authority }: Federation,
  context: RoundContext,
  randomOf?: (n: number) => SecureRandom,
): Participant[] {
  return identities.map(
    (identity, n) => new Participant({ context, identity, authority, ...(randomOf && { random: randomOf(n) }) }),
  );
}

/** After which stage a client says nothing more; 5: it stays. */
export type LastStage = 0 | 1 | 2 | 3 | 4 | 5;

/**
 * A whole round in memory, as the coordinator leads it: everything that it has in the end.
 *
 * @param last of each participant
 * @throws what participants throw where too few are left
 */
export async function collect(
  participants: readonly Participant[],
  updates: readonly BigInt64Array[],
  last: readonly LastStage[] = participants.map(() => 5),
): Promise<Received> {
  const staying = (stage: number, from: Iterable<string>) => {
    const names = new Set(from);
    return everybody.filter(({ name, last }) => names.has(name) && last >= stage);
  };
  const everybody = participants.map((participant, n) => ({
    ...{ participant, update: updates[n] ?? new BigInt64Array(), last: last[n] ?? 5 },
    name: participant.client,
  }));
  const roster = everybody.filter(({ last }) => last >= 1).map(({ participant }) => participant.advertise());
  const deals = new Map<string, federation.Deal>();
  const rostered = roster.map(({ client }) => client);
  for (const { name, participant } of staying(2, rostered)) deals.set(name, await participant.deal(roster));
  const masked = new Map<string, Buffer>();
  for (const { name, participant, update } of staying(3, deals.keys()))
    masked.set(name, participant.mask(sealedFor(name, deals), update));
  const included = [...masked.keys()];
  const confirmations = staying(4, included).map(({ name, participant }) => ({
    client: name,
    signature: participant.confirm(included),
  }));
  const unmaskings = new Map<string, federation.Unmasking>();
  const confirmed = confirmations.map(({ client }) => client);
  for (const { name, participant } of staying(5, confirmed)) unmaskings.set(name, participant.unmask(confirmations));
  const [first] = participants;
  if (!first) throw new Error('a round needs participants');
  return { context: first.context, threshold: thresholdOf(roster.length), roster, deals, masked, unmaskings };
}

/** What the others sealed for one client. */
export function sealedFor(client: string, deals: ReadonlyMap<string, federation.Deal>): federation.SealedShares[] {
  return [...deals].flatMap(([dealer, { shares }]) => {
    const share = shares.find((each) => each.client === client);
    return share && dealer !== client ? [{ ...share, client: dealer }] : [];
  });
}

/** Noise that can be drawn again. */
export class Replayable extends SecureRandom {
  readonly #random: () => number;

  constructor(seed: number) {
    super();
    this.#random = randomNumbers(seed);
  }

  override below(bound: bigint): bigint {
    let value = 0n;
    for (let space = 1n; space < bound << 32n; space <<= 32n)
      value = (value << 32n) | BigInt(Math.floor(this.#random() * 2 ** 32));
    return value % bound;
  }
}
