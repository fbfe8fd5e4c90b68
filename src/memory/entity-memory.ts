import { EventEmitter } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { currentRequest, traced } from '../tracing/index.ts';
import type { FactWriter } from './fact-writer.ts';
import { fold } from './fold.ts';
import { checkFact, checkLimit, checkPattern, checkText, checkTime, MemoryInputError, readCursor } from './input.ts';
import { type CheckedQuery, LocalStore, toPage } from './local-store.ts';
import { combinationOf, type FactRow, factQuery, type Mode, modeOf } from './queries.ts';
import type { RemoteSql } from './remote-sql.ts';
import { Replicator } from './replicator.ts';
import { searchFacts } from './search.ts';
import { exportLines, importLines } from './transfer.ts';
import type {
  Correction,
  MemoryFailure,
  MemoryGauges,
  MemoryObservation,
  MemoryReport,
  NewFact,
  Pattern,
  RecallPage,
  RecallQuery,
  Stored,
} from './types.ts';

/** A recall waits no longer for the skill: the local copy knows the same. */
const RECALL_TIMEOUT_MS = 1000;
const DAY_MS = 86_400_000;

/** https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md#memory */
const SPAN_NAMES: Record<MemoryObservation['operation'], string> = {
  store: 'upsert_memory',
  import: 'upsert_memory',
  recall: 'search_memory',
  search: 'search_memory',
  history: 'search_memory',
  correct: 'update_memory',
  retract: 'update_memory',
  forget: 'delete_memory',
  rotate: 'delete_memory',
};

export interface EntityMemoryOptions {
  /** Path of the local file. */
  path: string;
  /** The sql skill; without it the memory is local. */
  remote?: RemoteSql;
  /** How long a store waits for the skill before the local journal is enough, in milliseconds. */
  timeoutMs?: number;
  /** Verbs that have one object at a time, beside the built-in ones. */
  singleValued?: readonly string[];
}

/**
 * What the assistant knows: facts as subject, verb and object.
 *
 * Every change is on the disk of this machine before it is acknowledged, and is then brought to the sql skill. Recall asks the
 * skill while that knows everything, and the local copy otherwise. The event `operation` tells of each operation that succeeded,
 * `failure` of each that failed.
 */
export class EntityMemory extends EventEmitter<{ operation: [MemoryObservation]; failure: [MemoryFailure] }> {
  readonly #store: LocalStore;
  readonly #remote: RemoteSql | undefined;
  readonly #replicator: Replicator | undefined;
  readonly #timeoutMs: number;
  /** `timesCurrent` when the local copy last did what the skill should have done. */
  #fellBackAt = -1;

  /** @throws MemoryFileError */
  constructor({ path, remote, timeoutMs = 5000, singleValued = [] }: EntityMemoryOptions) {
    super();
    this.#store = new LocalStore(path, singleValued);
    this.#remote = remote;
    this.#replicator = remote && new Replicator(this.#store, remote, timeoutMs);
    this.#timeoutMs = timeoutMs;
  }

  /** Stores one fact; the same fact again raises what is known about it. @throws MemoryInputError */
  async storeSvo(
    subject: string,
    verb: string,
    object: string,
    more: Omit<NewFact, 'subject' | 'verb' | 'object'> = {},
  ): Promise<Stored> {
    return await this.storeMany([{ ...more, subject, verb, object }]);
  }

  /**
   * Stores facts, in their order: all of them or, after an error, none.
   *
   * @throws MemoryInputError
   */
  async storeMany(facts: readonly NewFact[]): Promise<Stored> {
    const now = Date.now();
    const checked = facts.map((fact) => checkFact(fact, now));
    return await this.#observed('store', async () => {
      await this.#store.writeAll(checked, (writer, fact) => writer.store(fact));
      const durable = await this.#untilReplicated();
      return [{ stored: checked.length, durable }, durable, checked.length];
    });
  }

  /** What is true now, or was at `asOf`: best first, by confidence, then by time. @throws MemoryInputError */
  async recall(query: RecallQuery = {}): Promise<RecallPage> {
    if (query.text !== undefined) return await this.#search(query.text, query);
    return await this.#read('recall', query, modeOf(query));
  }

  /** Everything that was ever true, the latest first. @throws MemoryInputError */
  async history(query: Omit<RecallQuery, 'asOf'> = {}): Promise<RecallPage> {
    return await this.#read('history', query, 'history');
  }

  /**
   * Replaces a fact by another, both or neither.
   *
   * @returns false when there is no such fact now; nothing was changed then
   * @throws MemoryInputError
   */
  async correct({ from, to, wasWrong }: Correction): Promise<boolean> {
    const old = checkPattern(from);
    const fact = checkFact(to, Date.now());
    return (await this.#change('correct', (writer) => writer.correct(old, fact, wasWrong))) > 0;
  }

  /** Ends, now, the validity of what matches; it stays in the history. @returns how many @throws MemoryInputError */
  async retract(pattern: Pattern): Promise<number> {
    const checked = checkPattern(pattern);
    if (combinationOf(checked) === '') throw new MemoryInputError('pattern', 'names nothing');
    return await this.#change('retract', (writer) => writer.retract(checked, Date.now()));
  }

  /**
   * Deletes what matches, history included.
   *
   * @param everything must be true for a pattern that names nothing
   * @returns how many
   * @throws MemoryInputError
   */
  async forget(pattern: Pattern, { everything = false }: { everything?: boolean } = {}): Promise<number> {
    const checked = checkPattern(pattern);
    if (combinationOf(checked) !== '') return await this.#change('forget', (writer) => writer.forget(checked));
    if (!everything) throw new MemoryInputError('pattern', 'names nothing: to forget everything, say so');
    const { facts, history } = this.#store.stats();
    const forgotten = facts + history;
    await this.#change('forget', (writer) => {
      writer.clear();
      return forgotten;
    });
    await this.vacuum();
    return forgotten;
  }

  /** Deletes what was last seen more than some days ago. @returns how many @throws MemoryInputError */
  async rotate(days: number): Promise<number> {
    if (!(days > 0)) throw new MemoryInputError('days', 'must be a number above 0');
    return await this.#change('rotate', (writer) => writer.rotate(Date.now() - days * DAY_MS));
  }

  /** Gives free space back, here and at the skill, and removes texts that no fact uses any more. */
  async vacuum(): Promise<void> {
    await setImmediate();
    this.#store.vacuum();
    if (this.#replicator?.isCurrent) await this.#remote?.vacuum(this.#timeoutMs);
  }

  stats(): MemoryReport {
    return {
      ...this.#store.stats(),
      backend: this.#remote ? 'skill' : 'local',
      synchronized: this.#replicator?.isCurrent ?? false,
      pending: this.#replicator?.pending ?? 0,
      error: this.#replicator?.error,
      quarantined: this.#store.quarantined,
    };
  }

  /** Everything as JSON Lines, version 1. */
  export(): AsyncIterable<string> {
    return exportLines(this.#store);
  }

  /** Takes over an export. @returns how many facts it had @throws MemoryInputError that names the line; nothing was changed */
  async import(lines: AsyncIterable<string>): Promise<number> {
    return await this.#observed('import', async () => {
      const imported = await importLines(this.#store, lines);
      return [imported, await this.#untilReplicated(), imported];
    });
  }

  /** Brings what the skill has not seen yet to it. */
  synchronize(): void {
    this.#replicator?.notify();
  }

  /** Waits until the skill knows everything. @returns false when there is none, or it does not come to that in time */
  async untilSynchronized(): Promise<boolean> {
    return (await this.#untilReplicated()) === 'skill';
  }

  async close(): Promise<void> {
    await this.#replicator?.close();
    await this.#store.close();
  }

  /** What changes all the time, for metrics: reading it is cheap. */
  gauges(): MemoryGauges {
    return {
      facts: this.#store.recentFacts(),
      pending: this.#replicator?.pending ?? 0,
      replicated: this.#replicator?.sent ?? 0,
      fallback: this.#replicator?.timesCurrent === this.#fellBackAt,
    };
  }

  /** Tells of an operation: how long it took, who did it, and to how many facts. */
  async #observed<T>(
    operation: MemoryObservation['operation'],
    run: () => Promise<[result: T, from: Stored['durable'], facts: number]>,
  ): Promise<T> {
    const started = performance.now();
    const name = SPAN_NAMES[operation];
    const attributes = { 'gen_ai.operation.name': name, 'sarai.memory.operation': operation };
    return await traced(name, { attributes }, async (span) => {
      const [result, from, facts] = await run().catch((error: unknown) => {
        if (!(error instanceof MemoryInputError)) this.emit('failure', { operation, error });
        throw error;
      });
      span?.set({ 'sarai.memory.from': from, 'gen_ai.memory.record.count': facts });
      const seconds = (performance.now() - started) / 1000;
      const request = currentRequest();
      request?.noteMemory(operation, seconds * 1000);
      if (from === 'skill') {
        // Its change may have travelled with another's.
        if (request) request.usedSkill = true;
        // The local copy searches while the skill is there, too: that is no fallback.
      } else if (this.#replicator && operation !== 'search') this.#fellBackAt = this.#replicator.timesCurrent;
      const traceId = span?.isSampled ? span.traceId : undefined;
      this.emit('operation', { operation, from, seconds, traceId });
      return result;
    });
  }

  /** @param change returns how many facts it changed */
  async #change(operation: MemoryObservation['operation'], change: (writer: FactWriter) => number): Promise<number> {
    return await this.#observed(operation, async () => {
      const changed = await this.#store.write(change);
      return [changed, await this.#untilReplicated(), changed];
    });
  }

  async #untilReplicated(): Promise<'skill' | 'local'> {
    const reached = await this.#replicator?.reaches(this.#store.revision, this.#timeoutMs);
    return reached ? 'skill' : 'local';
  }

  async #search(text: string, { limit, ...others }: RecallQuery): Promise<RecallPage> {
    const alone = Object.entries(others).every(([name, value]) => name === 'text' || value === undefined);
    if (!alone) throw new MemoryInputError('text', 'stands alone, beside limit');
    const checked = checkText('text', text);
    const most = checkLimit(limit);
    return await this.#observed('search', async () => {
      const triples = await searchFacts(this.#store.reader, checked, most);
      return [{ triples, cursor: undefined, from: 'local' }, 'local', triples.length];
    });
  }

  async #read(operation: 'recall' | 'history', query: RecallQuery, mode: Mode): Promise<RecallPage> {
    const checked: CheckedQuery = {
      query: { ...query, ...checkPattern(query) },
      mode,
      limit: checkLimit(query.limit),
      position: readCursor(query),
    };
    if (query.asOf !== undefined) checkTime('asOf', query.asOf);
    return await this.#observed(operation, async () => {
      const page = await this.#readChecked(checked);
      return [page, page.from, page.triples.length];
    });
  }

  async #readChecked(checked: CheckedQuery): Promise<RecallPage> {
    if (this.#remote && this.#replicator?.isCurrent) {
      const { generation } = this.#replicator;
      try {
        const rows = await this.#readRemote(this.#remote, checked);
        // Had it been restarted meanwhile, its data might be older: nobody has looked yet.
        if (generation === this.#replicator.generation) return { ...toPage(checked, rows), from: 'skill' };
      } catch {
        // The local copy answers; the replicator finds out what is wrong.
        this.#replicator.distrust();
      }
    }
    this.#replicator?.notify();
    return { ...this.#store.read(checked), from: 'local' };
  }

  async #readRemote(remote: RemoteSql, { query, mode, limit, position }: CheckedQuery): Promise<FactRow[]> {
    const facts = factQuery(combinationOf(query), mode, 'key', position !== undefined);
    const keys = [query.subject, query.verb, query.object].filter((text) => text !== undefined).map(fold);
    const parameters = facts.parameters(keys, query.asOf ?? 0, position, limit + 1);
    return (await remote.query(facts.sql, parameters, RECALL_TIMEOUT_MS)) as FactRow[];
  }
}
