/** What the coordinator does with what clients reveal: the masks go, the sum stays. */
import type { federation } from '../../contract/index.ts';
import { CLIP_UNITS } from '../privacy/index.ts';
import { decodeUpdate } from '../protocol.ts';
import type { RoundContext } from './context.ts';
import { SecureAggregationError } from './error.ts';
import { pairMask, selfMask, shareHash } from './masks.ts';
import { addMask, agree, joinShares, keyPair, SHARE_BYTES, subtractMask } from './primitives.ts';

/** Everything of a round that the coordinator has. */
export interface Received {
  context: RoundContext;
  threshold: number;
  roster: readonly federation.ClientKeys[];
  deals: ReadonlyMap<string, federation.Deal>;
  masked: ReadonlyMap<string, Buffer>;
  unmaskings: ReadonlyMap<string, federation.Unmasking>;
}

/**
 * Checks that shares are those that were dealt, and of the right kind.
 *
 * @throws SecureAggregationError
 */
export function checkUnmasking(
  holder: string,
  { self, key }: federation.Unmasking,
  { context, deals, masked }: Omit<Received, 'unmaskings'>,
): void {
  const seen = new Set<string>();
  for (const [kind, shares] of [
    ['self', self],
    ['key', key],
  ] as const) {
    for (const { client, share } of shares) {
      const dealt = deals.get(client)?.shares.find((each) => each.client === holder);
      const expected = kind === 'self' ? dealt?.selfHash : dealt?.keyHash;
      if (!expected || seen.has(client) || masked.has(client) !== (kind === 'self'))
        throw new SecureAggregationError(`a share of ${client} is not asked for`);
      if (share.length !== SHARE_BYTES || !shareHash(context, kind, client, holder, share).equals(expected))
        throw new SecureAggregationError(`a share of ${client} is not the one that was dealt`);
      seen.add(client);
    }
  }
}

/** Clients of whose secrets there are too few shares yet. */
export function missingShares({ threshold, deals, unmaskings }: Received): string[] {
  const counts = new Map<string, number>();
  for (const { self, key } of unmaskings.values())
    for (const { client } of [...self, ...key]) counts.set(client, (counts.get(client) ?? 0) + 1);
  return [...deals.keys()].filter((client) => (counts.get(client) ?? 0) < threshold);
}

/**
 * The sum of all updates that arrived, noise included.
 *
 * @throws SecureAggregationError when a secret cannot be had, or is not the one of the client
 */
export async function unmaskedSum(received: Received): Promise<BigInt64Array> {
  const { context, roster, masked, deals } = received;
  const sum = new BigUint64Array(context.dimension);
  for (const bytes of masked.values()) addMask(sum, new BigUint64Array(decodeUpdate(bytes).buffer));
  const included = roster.filter(({ client }) => masked.has(client));
  for (const { client, maskKey } of roster) {
    if (!deals.has(client)) continue;
    const secret = await secretOf(client, received);
    if (masked.has(client)) {
      subtractMask(sum, selfMask(context, secret));
      continue;
    }
    const dropped = keyPair(secret);
    if (!dropped.publicKey.equals(maskKey))
      throw new SecureAggregationError(`the shares of ${client} give another key`);
    for (const other of included) {
      const mask = pairMask(context, agree(dropped, other.maskKey), client, other.client);
      // The other one has added it where its name comes first.
      if (other.client < client) subtractMask(sum, mask);
      else addMask(sum, mask);
    }
  }
  return new BigInt64Array(sum.buffer);
}

/**
 * Whether a sum is one of updates that were clipped, with their noise. Single updates nobody can check; a client that adds anything it
 * likes is noticed only where the sum gets longer than that. Honest clients fail once in e^72 rounds.
 *
 * @param noise of `threshold` clients together, in clipping norms
 */
export function isPlausibleSum(sum: BigInt64Array, noise: number, { masked, threshold }: Received): boolean {
  // The norm of a Gaussian vector of deviation s is above s (root of dimension + 12) with a probability of at most e^-72.
  const deviation = noise * Math.sqrt(masked.size / threshold);
  const longest = masked.size + deviation * (Math.sqrt(sum.length) + 12);
  return Math.hypot(...Array.from(sum, Number)) <= longest * CLIP_UNITS * (1 + 1e-9);
}

async function secretOf(owner: string, { threshold, unmaskings, masked }: Received): Promise<Buffer> {
  const shares = unmaskings
    .values()
    .flatMap(({ self, key }) =>
      (masked.has(owner) ? self : key).filter(({ client }) => client === owner).map(({ share }) => share),
    );
  const enough = shares.take(threshold).toArray();
  if (enough.length < threshold)
    throw new SecureAggregationError(`${enough.length} shares of ${owner} have come, and ${threshold} are needed`);
  try {
    return await joinShares(enough);
  } catch (error) {
    throw new SecureAggregationError(`the shares of ${owner} do not fit: ${(error as Error).message}`);
  }
}
