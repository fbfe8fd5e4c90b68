/**
 * What was released, in a file that only grows. Each line carries the hash of the line before, so that nothing in it can be changed,
 * and the head, the last hash, stands in a second file, so that its end cannot be cut off. A release is on the disk, in both, before
 * anybody sees what it released.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { z } from 'zod';
import { appendDurably, replaceDurably } from '../durable.ts';
import { epsilonOf } from './accountant.ts';
import { discretizationDistance } from './lattice.ts';
import {
  type Entry,
  hashOf,
  headPathOf,
  LedgerError,
  type LedgerEvent,
  type LedgerHead,
  type policySchema,
  readLedger,
  type releaseSchema,
  START,
} from './ledger-file.ts';
import type { Release } from './parameters.ts';

/** A round would cost more than there is. */
export class BudgetError extends Error {
  override readonly name = 'BudgetError';
}

export type Policy = Omit<z.output<typeof policySchema>, 'type'>;
export type LedgerRelease = Omit<z.output<typeof releaseSchema>, 'type' | 'epsilon'>;

/** What was spent, as it is shown. */
export interface Spending {
  /** Upper bound of what was spent; infinite when something was released that is not in the ledger. */
  epsilon: number;
  budget: number;
  delta: number;
  /**
   * With secure aggregation who takes part is known: what is hidden is what it sent, as if that had been exchanged for nothing
   * (zero_out).
   */
  adjacency: Policy['adjacency'] | 'zero_out';
  unit: Policy['unit'];
  /** poisson, full or secure; mixed when rounds differ; none before the first. */
  mode: string;
  rounds: number;
}

/** Of delta, what is kept for the noise being whole numbers. */
const DISCRETE_SHARE = 1e-6;

/** An open ledger. One process at a time writes it: the owner of the state folder. */
export class PrivacyLedger {
  readonly #path: string;
  readonly #headPath: string;
  #entries: Entry[];

  private constructor(path: string, entries: Entry[]) {
    this.#path = path;
    this.#headPath = headPathOf(path);
    this.#entries = entries;
  }

  /**
   * Opens the ledger of a folder, or begins one.
   *
   * @param known what somebody else remembers of it: it is older than that, or missing, when that is not in it
   * @throws LedgerError when it was edited, shortened or lost
   */
  static open(folder: string, known?: LedgerHead): PrivacyLedger {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = join(folder, 'ledger.jsonl');
    const entries = readLedger(path, { repair: true });
    if (known && entries[known.sequence - 1]?.hash !== known.hash)
      throw new LedgerError(
        `${path}: a model was released after entry ${known.sequence}, which is not in it: it was replaced or shortened. Put back the file that belongs to this folder; nothing is released until then`,
      );
    const ledger = new PrivacyLedger(path, entries);
    const last = entries.at(-1);
    // After a crash between the two.
    if (last) ledger.#writeHead(last);
    ledger.#checkEpsilons();
    return ledger;
  }

  get head(): LedgerHead | undefined {
    const last = this.#entries.at(-1);
    return last && { sequence: last.sequence, hash: last.hash };
  }

  get policy(): Policy | undefined {
    const event = this.#entries.findLast(({ event: { type } }) => type === 'policy')?.event;
    if (event?.type !== 'policy') return undefined;
    const { type: _, ...policy } = event;
    return policy;
  }

  get releases(): LedgerRelease[] {
    return releasesOf(this.#entries);
  }

  /** Says from now on what may be spent; the same again changes nothing. */
  setPolicy(policy: Policy): void {
    const current = this.policy;
    const isSame = current && (Object.keys(policy) as (keyof Policy)[]).every((key) => current[key] === policy[key]);
    if (!isSame) this.#append({ type: 'policy', ...policy });
  }

  /** What was spent, computed from the entries. @throws LedgerError before there is a policy */
  spending(): Spending {
    return { ...spendingOf(this.#entries, this.#required()), epsilon: this.#epsilon(this.releases) };
  }

  /** What would have been spent after one more release. */
  epsilonAfter(release: LedgerRelease): number {
    return this.#epsilon([...this.releases, release]);
  }

  /**
   * Writes down a release. When this returns it is on the disk, and the result may be shown.
   *
   * @throws BudgetError when it would cost more than the policy allows: nothing was written then, and nothing may be released
   */
  append(release: LedgerRelease): void {
    const { epsilon: budget, delta } = this.#required();
    const last = this.releases.at(-1);
    if (last && release.round <= last.round)
      throw new LedgerError(`round ${release.round} cannot follow round ${last.round}: it was released before`);
    const epsilon = this.epsilonAfter(release);
    if (!(epsilon <= budget))
      throw new BudgetError(
        `round ${release.round} would bring epsilon to ${epsilon.toPrecision(4)} at delta ${delta}, and the budget is ${budget}: it is not released`,
      );
    this.#append({ type: 'release', ...release, epsilon });
  }

  /** Something was released that is not in here: from now on epsilon is infinite. */
  markUnaccounted(reason: string): void {
    if (!isUnaccounted(this.#entries)) this.#append({ type: 'unaccounted', reason });
  }

  #required(): Policy {
    const { policy } = this;
    if (!policy) throw new LedgerError(`${this.#path}: there is no budget yet`);
    return policy;
  }

  #epsilon(releases: readonly LedgerRelease[]): number {
    if (isUnaccounted(this.#entries)) return Number.POSITIVE_INFINITY;
    return epsilonOfReleases(releases, this.#required());
  }

  /** What stands in the entries has to be what they cost: the chain alone would not show who wrote it all anew. */
  #checkEpsilons(): void {
    const last = this.#entries.findLast(({ event }) => event.type === 'release')?.event;
    if (last?.type !== 'release' || isUnaccounted(this.#entries)) return;
    const at = this.#entries.findIndex(({ event }) => event === last);
    const policy = this.#entries.slice(0, at).findLast(({ event }) => event.type === 'policy')?.event;
    if (policy?.type !== 'policy') throw new LedgerError(`${this.#path}: a release before any budget`);
    const computed = epsilonOfReleases(this.releases, policy);
    if (last.epsilon === null || last.epsilon < computed * (1 - 1e-6))
      throw new LedgerError(
        `${this.#path}: entry ${at + 1} says epsilon ${last.epsilon}, but its releases cost ${computed}`,
      );
  }

  #append(event: LedgerEvent): void {
    const last = this.#entries.at(-1);
    const content = {
      format: 1 as const,
      sequence: (last?.sequence ?? 0) + 1,
      at: new Date().toISOString(),
      previous: last?.hash ?? START,
      event,
    };
    const entry: Entry = { ...content, hash: hashOf(content) };
    appendDurably(this.#path, `${JSON.stringify(entry)}\n`);
    this.#entries = [...this.#entries, entry];
    this.#writeHead(entry);
  }

  #writeHead({ sequence, hash }: LedgerHead): void {
    replaceDurably(this.#headPath, `${JSON.stringify({ format: 1, sequence, hash })}\n`);
  }
}

/**
 * What was spent according to the ledger of a folder, for a display: the entries say what they cost, and are checked, but not computed
 * anew. A ledger that is damaged means infinity.
 *
 * @returns undefined where there is no ledger
 */
export function readSpending(folder: string): Spending | undefined {
  const path = join(folder, 'ledger.jsonl');
  if (!existsSync(path) && !existsSync(headPathOf(path))) return undefined;
  try {
    const entries = readLedger(path, { repair: false });
    const policy = entries.findLast(({ event }) => event.type === 'policy')?.event;
    if (policy?.type !== 'policy') return undefined;
    return spendingOf(entries, policy);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    return LOST_LEDGER;
  }
}

/** What rounds have cost and one more would cost; for a display. */
export interface PrivacyReport {
  /** Undefined where there is no ledger. */
  spending: Spending | undefined;
  /** Of everything, after one more round like the last; undefined before the first. */
  nextEpsilon: number | undefined;
  /** What was released, the latest first. */
  rounds: PublishedRound[];
}

export interface PublishedRound extends Pick<LedgerRelease, 'round' | 'mode' | 'noise' | 'rate' | 'dimension'> {
  /** When, as ISO 8601. */
  at: string;
  /** Of everything up to here. */
  epsilon: number;
}

/** What the ledger of a folder says of all rounds. What the next one would cost is computed, which can take a second. */
export function readPrivacy(folder: string): PrivacyReport {
  const spending = readSpending(folder);
  // Of a damaged ledger nothing more can be said.
  if (!spending || spending === LOST_LEDGER) return { spending, nextEpsilon: undefined, rounds: [] };
  const entries = readLedger(join(folder, 'ledger.jsonl'), { repair: false });
  const policy = entries.findLast(({ event }) => event.type === 'policy')?.event;
  const releases = releasesOf(entries);
  const last = releases.at(-1);
  const rounds = entries.flatMap(({ at, event }): PublishedRound[] => {
    if (event.type !== 'release') return [];
    const { round, mode, noise, rate, dimension, epsilon } = event;
    return [{ at, round, mode, noise, rate, dimension, epsilon: epsilon ?? Number.POSITIVE_INFINITY }];
  });
  const canGoOn = last && policy?.type === 'policy' && Number.isFinite(spending.epsilon);
  return {
    spending,
    nextEpsilon: canGoOn ? epsilonOfReleases([...releases, last], policy) : undefined,
    rounds: rounds.reverse(),
  };
}

/** Reads the spending of a folder, anew only after its ledger changed. */
export function spendingReader(folder: string): () => Spending | undefined {
  let seen = '';
  let spending: Spending | undefined;
  const stampOf = (path: string) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return `${stat?.mtimeMs} ${stat?.size} ${stat?.ino}`;
  };
  return () => {
    const path = join(folder, 'ledger.jsonl');
    const now = `${stampOf(path)} ${stampOf(headPathOf(path))}`;
    if (now !== seen) [seen, spending] = [now, readSpending(folder)];
    return spending;
  };
}

/** Of a ledger that is damaged. */
const LOST_LEDGER: Spending = {
  epsilon: Number.POSITIVE_INFINITY,
  ...{ budget: 0, delta: 0, adjacency: 'add_remove', unit: 'client', mode: 'unknown', rounds: 0 },
};

function spendingOf(entries: readonly Entry[], { epsilon: budget, delta, adjacency, unit }: Policy): Spending {
  const last = entries.findLast(({ event }) => event.type === 'release')?.event;
  const releases = releasesOf(entries);
  const modes = new Set(releases.map(({ mode }) => mode));
  const recorded = last?.type === 'release' ? (last.epsilon ?? Number.POSITIVE_INFINITY) : 0;
  return {
    epsilon: isUnaccounted(entries) ? Number.POSITIVE_INFINITY : recorded,
    ...{ budget, delta, unit },
    adjacency: modes.has('secure') && adjacency === 'add_remove' ? 'zero_out' : adjacency,
    mode: modes.size > 1 ? 'mixed' : ([...modes][0] ?? 'none'),
    rounds: releases.length,
  };
}

function releasesOf(entries: readonly Entry[]): LedgerRelease[] {
  return entries.flatMap(({ event }) => {
    if (event.type !== 'release') return [];
    const { type: _, epsilon: __, ...release } = event;
    return [release];
  });
}

function isUnaccounted(entries: readonly Entry[]): boolean {
  return entries.some(({ event }) => event.type === 'unaccounted');
}

/** Equal rounds together, and what their noise being whole numbers adds to delta. */
function epsilonOfReleases(releases: readonly LedgerRelease[], { delta, adjacency }: Policy): number {
  const groups = new Map<string, Release>();
  let distance = 0;
  for (const { mode, noise, rate, dimension, shares } of releases) {
    const key = `${mode} ${noise} ${rate}`;
    // Secure aggregation hides nothing of the sum itself: it costs what everybody's taking part costs.
    const group = groups.get(key) ?? { mode: mode === 'secure' ? 'full' : mode, noise, rate, rounds: 0 };
    groups.set(key, { ...group, rounds: group.rounds + 1 });
    distance += discretizationDistance(noise, dimension, 1, shares);
  }
  const { epsilon } = epsilonOf([...groups.values()], delta * (1 - DISCRETE_SHARE), { adjacency });
  return (1 + Math.exp(epsilon)) * distance <= delta * DISCRETE_SHARE ? epsilon : Number.POSITIVE_INFINITY;
}
