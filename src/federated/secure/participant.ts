/**
 * One client in one round (Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017, figure 4,
 * with the parts against a coordinator that lies). It knows nothing of the network and keeps nothing on the disk: who is restarted has
 * dropped out. Each step is taken once, so that nobody gets both secrets of a client, or two sums.
 */
import type { federation } from '../../contract/index.ts';
import { addNoiseShare, clipped, SecureRandom } from '../privacy/index.ts';
import { encodeUpdate } from '../protocol.ts';
import { contextHash, encoded, MAX_CLIENTS, MIN_CLIENTS, type RoundContext, thresholdOf } from './context.ts';
import { SecureAggregationError } from './error.ts';
import {
  byClient,
  type ClientIdentity,
  checkConfirmation,
  checkKeys,
  confirmationMessage,
  keysMessage,
} from './identity.ts';
import { pairMask, selfMask, shareHash } from './masks.ts';
import {
  addMask,
  agree,
  derive,
  type KeyPair,
  keyPair,
  newSecret,
  SHARE_BYTES,
  seal,
  shareSecret,
  subtractMask,
  unseal,
} from './primitives.ts';

export interface ParticipantOptions {
  context: RoundContext;
  identity: ClientIdentity;
  /** Certificate of the federation, PEM: whom it signed is believed. */
  authority: string;
  random?: SecureRandom;
}

type Step = 'advertise' | 'deal' | 'mask' | 'confirm' | 'unmask' | 'nothing';

export class Participant {
  readonly #options: ParticipantOptions;
  readonly #sealKeys: KeyPair = keyPair();
  readonly #maskKeys: KeyPair = keyPair();
  readonly #self = newSecret();
  #next: Step = 'advertise';
  #roster: federation.ClientKeys[] = [];
  /** By who dealt them. Those of a client that dealt nonsense are missing. */
  readonly #shares = new Map<string, { self: Buffer; key: Buffer }>();
  /** Who dealt. */
  #dealers: string[] = [];
  #included: string[] = [];

  constructor(options: ParticipantOptions) {
    this.#options = options;
  }

  get client(): string {
    return this.#options.identity.client;
  }

  get context(): RoundContext {
    return this.#options.context;
  }

  /** Clients whose noise together is that of the round: known once there is a roster. */
  get threshold(): number {
    return thresholdOf(this.#roster.length);
  }

  advertise(): federation.ClientKeys {
    this.#step('advertise', 'deal');
    const { context, identity } = this.#options;
    const { client, certificate } = identity;
    const keys = {
      ...{ client, certificate, signature: Buffer.alloc(0) },
      sealKey: this.#sealKeys.publicKey,
      maskKey: this.#maskKeys.publicKey,
    };
    return { ...keys, signature: identity.sign(keysMessage(context, keys)) };
  }

  /**
   * Shares the two secrets of this client out among everybody.
   *
   * @throws SecureAggregationError when the roster is not one that may be trusted
   */
  async deal(roster: readonly federation.ClientKeys[]): Promise<federation.Deal> {
    this.#step('deal', 'mask');
    const { context, identity, authority } = this.#options;
    if (roster.length < MIN_CLIENTS || roster.length > MAX_CLIENTS)
      throw new SecureAggregationError(
        `${roster.length} clients cannot hide each other: ${MIN_CLIENTS} to ${MAX_CLIENTS}`,
      );
    const all = roster.flatMap(({ client, sealKey, maskKey }) => [
      client,
      sealKey.toString('hex'),
      maskKey.toString('hex'),
    ]);
    if (new Set(all).size < all.length) throw new SecureAggregationError('a client, or a key, is in the round twice');
    for (const keys of roster) checkKeys(context, keys, authority);
    const own = roster.find(({ client }) => client === identity.client);
    if (!own?.maskKey.equals(this.#maskKeys.publicKey) || !own.sealKey.equals(this.#sealKeys.publicKey))
      throw new SecureAggregationError('the keys of this client are not in the round, or are others');
    this.#roster = [...roster].sort(byClient);
    const [selfShares, keyShares] = await Promise.all(
      [this.#self, this.#maskKeys.secret].map((secret) => shareSecret(secret, roster.length, this.threshold)),
    );
    const shares = this.#roster.flatMap(({ client, sealKey }, n) => {
      const [self, key] = [selfShares?.[n], keyShares?.[n]];
      if (!self || !key) throw new SecureAggregationError('a secret has too few shares');
      if (client === identity.client) {
        this.#shares.set(client, { self, key });
        // Its own it keeps: only their hashes go out.
        return [{ client, box: Buffer.alloc(0), ...this.#hashes(identity.client, client, self, key) }];
      }
      const box = seal(this.#boxKey(sealKey, identity.client, client), Buffer.concat([self, key]));
      return [{ client, box, ...this.#hashes(identity.client, client, self, key) }];
    });
    return { shares };
  }

  /**
   * The update as the coordinator may see it: with this client's share of the noise, and masks that leave nothing of it but in a sum.
   *
   * @param sealed what the others dealt
   * @param update as `toLattice` gives it
   * @throws SecureAggregationError when too few dealt
   */
  mask(sealed: readonly federation.SealedShares[], update: BigInt64Array): Buffer {
    this.#step('mask', 'confirm');
    const { context, identity, random = new SecureRandom() } = this.#options;
    if (update.length !== context.dimension)
      throw new SecureAggregationError(`an update has ${context.dimension} numbers`);
    const dealers = new Set([identity.client, ...sealed.map(({ client }) => client)]);
    this.#dealers = this.#roster.map(({ client }) => client).filter((client) => dealers.has(client));
    if (this.#dealers.length !== sealed.length + 1 || this.#dealers.length < this.threshold)
      throw new SecureAggregationError(`shares of ${sealed.length} others: too few, or of somebody else`);
    for (const { client, box } of sealed) this.#open(client, box);
    const noisy = BigInt64Array.from(clipped(update));
    addNoiseShare(noisy, context.noise, this.threshold, random);
    // The same memory: masks wrap around where integers with a sign would, too.
    const sum = new BigUint64Array(noisy.buffer);
    addMask(sum, selfMask(context, this.#self));
    for (const { client, maskKey } of this.#roster) {
      if (client === identity.client || !dealers.has(client)) continue;
      const mask = pairMask(context, agree(this.#maskKeys, maskKey), identity.client, client);
      if (identity.client < client) addMask(sum, mask);
      else subtractMask(sum, mask);
    }
    return encodeUpdate(noisy);
  }

  /**
   * Signs whose updates are in the sum.
   *
   * @throws SecureAggregationError when they are too few, or this client's is not among them
   */
  confirm(included: readonly string[]): Buffer {
    this.#step('confirm', 'unmask');
    const { context, identity } = this.#options;
    const known = this.#dealers.filter((client) => included.includes(client));
    if (known.length !== included.length || known.length < this.threshold || !known.includes(identity.client))
      throw new SecureAggregationError(
        `a sum of ${included.length} updates: too few, of somebody else, or without this one`,
      );
    this.#included = known;
    return identity.sign(confirmationMessage(context, this.#roster, known));
  }

  /**
   * Reveals shares: of the own mask of who is in the sum, of the key of who is not.
   *
   * @throws SecureAggregationError unless enough others have confirmed the same
   */
  unmask(confirmations: readonly federation.Confirmation[]): federation.Unmasking {
    this.#step('unmask', 'nothing');
    const message = confirmationMessage(this.context, this.#roster, this.#included);
    const confirmed = new Set(
      confirmations.map(({ client }) => client).filter((client) => this.#included.includes(client)),
    );
    if (confirmed.size !== confirmations.length || confirmed.size < this.threshold)
      throw new SecureAggregationError(`confirmed by ${confirmed.size} clients, not by ${this.threshold}`);
    for (const each of confirmations) checkConfirmation(message, each, this.#roster);
    const isIncluded = new Set(this.#included);
    const unmasking: federation.Unmasking = { self: [], key: [] };
    for (const client of this.#dealers) {
      const shares = this.#shares.get(client);
      if (!shares) continue;
      if (isIncluded.has(client)) unmasking.self.push({ client, share: shares.self });
      else unmasking.key.push({ client, share: shares.key });
    }
    return unmasking;
  }

  #open(client: string, box: Buffer): void {
    const keys = this.#roster.find((each) => each.client === client);
    const opened = keys && unseal(this.#boxKey(keys.sealKey, client, this.#options.identity.client), box);
    if (opened?.length !== 2 * SHARE_BYTES) return;
    this.#shares.set(client, { self: opened.subarray(0, SHARE_BYTES), key: opened.subarray(SHARE_BYTES) });
  }

  #boxKey(sealKey: Buffer, from: string, to: string): Buffer {
    return derive(agree(this.#sealKeys, sealKey), contextHash(this.context), encoded('box', from, to));
  }

  #hashes(from: string, to: string, self: Buffer, key: Buffer) {
    const hash = (kind: 'self' | 'key', share: Buffer) => shareHash(this.context, kind, from, to, share);
    return { selfHash: hash('self', self), keyHash: hash('key', key) };
  }

  #step(now: Step, next: Step): void {
    if (this.#next !== now)
      throw new SecureAggregationError(`round ${this.context.round}: asked to ${now} when it was to ${this.#next}`);
    this.#next = next;
  }
}
