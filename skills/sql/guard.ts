import { constants, type DatabaseSync } from 'node:sqlite';
import { SkillError } from 'phoenix/skill';

/** Rights beyond the default: `schema` creates, changes and drops tables; `memory` writes to the tables of the memory. */
export type Grant = 'schema' | 'memory';

/** Tables of the entity memory: everybody reads them, the memory alone writes them. */
const MEMORY_TABLE = /^memory_/i;
/** In a statement that changes the schema: a table, index or view of the memory. The authorizer is not told every name, such as a new one. */
const NAMES_MEMORY = /memory_|entity_memory/i;
/** What SQLite keeps for itself: statistics, counters. */
const INTERNAL_TABLE = /^sqlite_/i;

/** Pragmas that only tell something. */
const READING_PRAGMAS = new Set([
  'collation_list',
  'compile_options',
  'data_version',
  'foreign_key_check',
  'foreign_key_list',
  'freelist_count',
  'function_list',
  'index_info',
  'index_list',
  'index_xinfo',
  'integrity_check',
  'page_count',
  'page_size',
  'quick_check',
  'table_info',
  'table_list',
  'table_xinfo',
]);
const SCHEMA_PRAGMAS = new Set(['optimize', 'user_version', 'wal_checkpoint']);
const FORBIDDEN_FUNCTIONS = new Set(['load_extension', 'fts3_tokenizer']);

const c = constants;
const READING = new Set([c.SQLITE_SELECT, c.SQLITE_READ, c.SQLITE_RECURSIVE]);
const WRITING = new Set([c.SQLITE_INSERT, c.SQLITE_UPDATE, c.SQLITE_DELETE]);
const SCHEMA = new Set([
  c.SQLITE_CREATE_INDEX,
  c.SQLITE_CREATE_TABLE,
  c.SQLITE_CREATE_TEMP_INDEX,
  c.SQLITE_CREATE_TEMP_TABLE,
  c.SQLITE_CREATE_TEMP_TRIGGER,
  c.SQLITE_CREATE_TEMP_VIEW,
  c.SQLITE_CREATE_TRIGGER,
  c.SQLITE_CREATE_VIEW,
  c.SQLITE_CREATE_VTABLE,
  c.SQLITE_DROP_INDEX,
  c.SQLITE_DROP_TABLE,
  c.SQLITE_DROP_TEMP_INDEX,
  c.SQLITE_DROP_TEMP_TABLE,
  c.SQLITE_DROP_TEMP_TRIGGER,
  c.SQLITE_DROP_TEMP_VIEW,
  c.SQLITE_DROP_TRIGGER,
  c.SQLITE_DROP_VIEW,
  c.SQLITE_DROP_VTABLE,
  c.SQLITE_ALTER_TABLE,
  c.SQLITE_REINDEX,
  c.SQLITE_ANALYZE,
]);

/**
 * Decides about everything that a statement would do, before it does it (https://www.sqlite.org/c3ref/set_authorizer.html).
 * What it does not know it denies.
 */
export class Guard {
  /** Rights of the call that runs. */
  grants: ReadonlySet<string> = new Set();
  /** The statement that is being prepared. */
  statement = '';
  #reason: string | undefined;
  #isOwner = false;

  constructor(database: DatabaseSync) {
    database.setAuthorizer((action, first, second) => {
      const reason = this.#isOwner ? undefined : this.#refuse(action, first ?? '', second);
      if (reason === undefined) return c.SQLITE_OK;
      this.#reason ??= reason;
      return c.SQLITE_DENY;
    });
  }

  /** Why the last statement was denied. */
  takeReason(): string | undefined {
    const reason = this.#reason;
    this.#reason = undefined;
    return reason;
  }

  /** @throws SkillError when the call that runs has not the right */
  require(grant: Grant, what: string): void {
    const reason = this.#need(grant, what);
    if (reason !== undefined) throw new SkillError('PERMISSION_DENIED', reason);
  }

  /** Runs statements of the skill itself, unguarded. */
  asOwner<T>(run: () => T): T {
    this.#isOwner = true;
    try {
      return run();
    } finally {
      this.#isOwner = false;
    }
  }

  #refuse(action: number, first: string, second: string | null): string | undefined {
    if (READING.has(action)) return undefined;
    if (WRITING.has(action)) {
      return MEMORY_TABLE.test(first) && !this.grants.has('memory')
        ? `the table ${first} belongs to the entity memory: reading is allowed, writing is not`
        : INTERNAL_TABLE.test(first)
          ? this.#need('schema', 'changing the schema')
          : undefined;
    }
    if (SCHEMA.has(action)) {
      return NAMES_MEMORY.test(this.statement) && !this.grants.has('memory')
        ? 'the statement changes the schema and names a table of the entity memory, which nobody else may'
        : this.#need('schema', 'changing the schema');
    }
    switch (action) {
      case c.SQLITE_FUNCTION:
        return FORBIDDEN_FUNCTIONS.has((second ?? '').toLowerCase())
          ? `the function ${second} is not allowed`
          : undefined;
      case c.SQLITE_PRAGMA: {
        const name = first.toLowerCase();
        if (READING_PRAGMAS.has(name)) return undefined;
        if (SCHEMA_PRAGMAS.has(name)) return this.#need('schema', `PRAGMA ${name}`);
        return `PRAGMA ${name} is not allowed; allowed are: ${[...READING_PRAGMAS].join(', ')}`;
      }
      case c.SQLITE_TRANSACTION:
      case c.SQLITE_SAVEPOINT:
        return `${first || 'a transaction'} is not allowed as a statement: send the statements as one "transaction"`;
      default:
        return action === c.SQLITE_ATTACH ? 'attaching files is not allowed' : 'this statement is not allowed';
    }
  }

  #need(grant: Grant, what: string): string | undefined {
    return this.grants.has(grant) ? undefined : `${what} needs the grant "${grant}"`;
  }
}
