import { setTimeout as sleep } from 'node:timers/promises';
import { outsideRequests } from '../tracing/index.ts';
import { Changes, clearReplica, createIndexes, createReplica, dropIndexes, followHistory } from './changes.ts';
import type { Position } from './input.ts';
import type { LocalStore } from './local-store.ts';
import { type FactRow, factQuery, positionAfter, toTriple } from './queries.ts';
import type { RemoteSql, RemoteStatement } from './remote-sql.ts';
import { migrateReplica, paysToRebuild, SCHEMA_VERSION, VERSION_QUERY } from './schema.ts';

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 10_000;
const HISTORY_PAGE = 1000;
const TAKEN_AT_ONCE = 100;
/** With more facts than this, building an index would keep the skill from its other callers for seconds. */
const MAX_REBUILT = 2_000_000;
/** How long building an index may take. */
const INDEX_TIMEOUT_MS = 60_000;

interface Waiter {
  revision: number;
  settle(reached: boolean): void;
}

/**
 * Keeps the copy of the sql skill up to date: one transaction after the other, in the order of the changes.
 *
 * The copy itself says how far it is, in the same transaction as its facts. So a change that may or may not have arrived is
 * simply compared after the next connection, and none is lost or done twice.
 */
export class Replicator {
  readonly #store: LocalStore;
  readonly #remote: RemoteSql;
  readonly #timeoutMs: number;
  readonly #changes: Changes;
  #waiters: Waiter[] = [];
  /** How far the copy is; undefined while nobody knows. */
  #revision: number | undefined;
  /** The last revision that the copy is known to have had; undefined before the first connection. */
  #acknowledged: number | undefined;
  #generation = 0;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #closed = false;
  error: string | undefined;
  /** How often the copy came to know everything. */
  timesCurrent = 0;
  /** Changes that the copy took over. */
  sent = 0;

  constructor(store: LocalStore, remote: RemoteSql, timeoutMs: number) {
    this.#store = store;
    this.#remote = remote;
    this.#timeoutMs = timeoutMs;
    this.#changes = new Changes(store.reader);
    remote.onChange(() => {
      if (this.#closed) return;
      this.#generation++;
      this.#revision = undefined;
      if (remote.isAvailable) this.notify();
    });
  }

  /** The copy knows everything and can be asked. */
  get isCurrent(): boolean {
    return this.#revision === this.#store.revision && this.#remote.isAvailable;
  }

  /** Which copy that is: another number says that another instance of the skill, with other data, may answer. */
  get generation(): number {
    return this.#generation;
  }

  /** Changes that the copy does not know, as far as is known: while the skill does not run, by what it last said. */
  get pending(): number {
    return this.#store.revision - (this.#acknowledged ?? this.#store.confirmed);
  }

  /** There is something to do: changes, or a connection to make. */
  notify(): void {
    if (this.#closed || this.#running || this.#revision === this.#store.revision) return;
    clearTimeout(this.#retry);
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Something may have come after the last look.
      if (this.error === undefined) this.notify();
    });
  }

  /** Waits until the copy has a revision. @returns false when that did not work, or not in time */
  async reaches(revision: number, timeoutMs: number): Promise<boolean> {
    if (this.#revision !== undefined && this.#revision >= revision) return true;
    if (this.#closed) return false;
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => waiter.settle(false), timeoutMs);
      const waiter: Waiter = {
        revision,
        settle: (reached) => {
          clearTimeout(timer);
          this.#waiters = this.#waiters.filter((other) => other !== waiter);
          resolve(reached);
        },
      };
      this.#waiters.push(waiter);
      this.notify();
    });
  }

  /** The copy turned out not to be what it was taken for. */
  distrust(): void {
    this.#revision = undefined;
    this.notify();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await this.#running;
    for (const { settle } of this.#waiters) settle(false);
    // Only saves work: where it cannot be noted, on a full disk, the copy is asked again.
    if (this.#revision !== undefined) await this.#store.confirm(this.#revision).catch(() => {});
  }

  async #run(): Promise<void> {
    try {
      if (this.#revision === undefined) this.#advance(await this.#connect());
      // The connection itself may have started the skill; from here on another instance is another copy.
      const generation = this.#generation;
      while (!this.#closed && this.#revision !== undefined && this.#revision !== this.#store.revision) {
        const after = this.#revision;
        const { revision: latest } = this.#store;
        const fills = latest <= MAX_REBUILT && paysToRebuild(latest - after, after);
        const revision = fills ? await this.#fill(after, latest, generation) : await this.#send(after, generation);
        this.#advance(revision);
        if (this.#store.hasSettledNotes(revision)) await this.#store.confirm(revision);
      }
      this.error = undefined;
      this.#failures = 0;
    } catch (error) {
      this.#revision = undefined;
      this.error = error instanceof Error ? error.message : String(error);
      for (const { settle } of this.#waiters) settle(false);
      if (this.#closed) return;
      const delay = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
      this.#retry = outsideRequests(() => setTimeout(() => this.notify(), delay));
      this.#retry.unref();
    }
  }

  /** Sends the first changes after a revision. @returns how far the copy is now */
  async #send(after: number, generation: number): Promise<number> {
    const { statements, revision } = this.#changes.since(after, this.#store.revision);
    await this.#transaction(statements, this.#timeoutMs, generation);
    this.sent += revision - after;
    return revision;
  }

  /** Sends a large part of all facts to a copy without indexes, which are built then. @returns how far the copy is now */
  async #fill(after: number, until: number, generation: number): Promise<number> {
    await this.#transaction(dropIndexes(), this.#timeoutMs, generation);
    let revision = after;
    while (revision < until) {
      // Closed, it throws; what is missing then is made by the next connection.
      revision = await this.#send(revision, generation);
    }
    await this.#createIndexes(generation);
    return revision;
  }

  /** One transaction for each, so that other callers of the skill get their turn. */
  async #createIndexes(generation: number): Promise<void> {
    for (const statement of createIndexes()) {
      await this.#transaction([statement], Math.max(INDEX_TIMEOUT_MS, this.#timeoutMs), generation);
    }
  }

  async #transaction(statements: readonly RemoteStatement[], timeoutMs: number, generation: number): Promise<void> {
    await this.#write(statements, timeoutMs);
    if (generation !== this.#generation) throw new Error('the sql skill was restarted meanwhile');
  }

  /** The copy has a revision, whether it was just sent or had arrived before. */
  #advance(revision: number): void {
    this.#revision = revision;
    this.#acknowledged = revision;
    if (revision === this.#store.revision) this.timesCurrent++;
    for (const waiter of this.#waiters) if (waiter.revision <= revision) waiter.settle(true);
  }

  /** Prepares the copy and finds out how far it is. */
  async #connect(): Promise<number> {
    const { lineage, revision: latest, confirmed } = this.#store;
    await this.#migrate();
    await this.#write(createReplica(lineage.pathAfter()));
    // That may have started the skill; from here on another instance is another copy.
    await this.#createIndexes(this.#generation);
    const [row] = await this.#read('SELECT store_id, revision FROM memory_replica');
    const [followed, revision] = row as [string, number];
    const path = lineage.pathAfter(followed);
    const isKnown = lineage.includes(followed, revision) && revision <= latest;
    if (isKnown && revision >= confirmed) {
      if (followed !== path) await this.#write(followHistory(followed, path, revision));
      lineage.settle();
      return revision;
    }
    // Somebody lost something: an old backup, a new disk. What only the copy knows is taken over, then it is written anew.
    if (!isKnown) await this.#takeOver(lineage.endOf(followed));
    await this.#write(clearReplica(path));
    lineage.settle();
    return 0;
  }

  /** Brings the tables of the copy up to date. @throws Error when they are newer: nothing is written to them then */
  async #migrate(): Promise<void> {
    const [table] = await this.#read("SELECT 1 FROM sqlite_schema WHERE name = 'memory_replica'");
    const [row] = table ? await this.#read(VERSION_QUERY) : [];
    const version = Number(row?.[0] ?? SCHEMA_VERSION);
    if (version > SCHEMA_VERSION)
      throw new Error(
        `the memory's copy in the sql skill has format ${version}, this Phoenix knows ${SCHEMA_VERSION}: use the Phoenix that wrote it`,
      );
    if (version < SCHEMA_VERSION)
      await this.#write(
        migrateReplica(version).map((sql) => ({ sql })),
        INDEX_TIMEOUT_MS,
      );
  }

  /** @param since what this machine has of a later revision was told after everything in the copy */
  async #takeOver(since: number): Promise<void> {
    const first = factQuery('', 'history', 'key', false);
    const next = factQuery('', 'history', 'key', true);
    let size = HISTORY_PAGE;
    let position: Position | undefined;
    while (true) {
      const query = position ? next : first;
      let rows: FactRow[];
      try {
        rows = (await this.#read(query.sql, query.parameters([], 0, position, size))) as FactRow[];
      } catch (error) {
        // Long texts: fewer of them fit into one answer.
        if ((error as { code?: string }).code !== 'RESOURCE_EXHAUSTED' || size === 1) throw error;
        size = Math.ceil(size / 4);
        continue;
      }
      // In small steps, which take half of the time at most: operations need several turns. Taking a fact over twice changes nothing.
      for (let at = 0; at < rows.length; at += TAKEN_AT_ONCE) {
        const some = rows.slice(at, at + TAKEN_AT_ONCE);
        const started = performance.now();
        await this.#store.write((writer) => {
          for (const row of some) writer.merge(toTriple(row), since);
        });
        await sleep(performance.now() - started);
      }
      const last = rows.at(-1);
      if (!last || rows.length < size) return;
      position = positionAfter(last, 'history');
    }
  }

  async #write(statements: readonly RemoteStatement[], timeoutMs = this.#timeoutMs): Promise<void> {
    this.#checkOpen();
    await this.#remote.transaction(statements, timeoutMs);
  }

  async #read(sql: string, parameters: (string | number)[] = []): Promise<unknown[][]> {
    this.#checkOpen();
    return await this.#remote.query(sql, parameters, this.#timeoutMs);
  }

  /** Who closes the memory waits for one step, not for all of a long connection. @throws Error */
  #checkOpen(): void {
    if (this.#closed) throw new Error('the memory was closed');
  }
}
