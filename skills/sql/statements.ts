import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { SkillError } from 'phoenix/skill';
import type { Guard } from './guard.ts';

const CACHE_SIZE = 256;

/** Text in quotes, comments, and what parameters look like. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\?\d*|[:@$][\p{L}_$][\p{L}\p{N}_$]*/gu;

/** A prepared statement and what is known about it. */
export interface Prepared {
  statement: StatementSync;
  columns: string[];
  /** How many positional parameters it has. */
  positional: number;
  /** Names of its named parameters, without the sigil. */
  named: ReadonlySet<string>;
  /** It writes although it returns rows. */
  isReturning: boolean;
}

/** Prepares statements under the guard; the most recently used ones are kept. */
export class Statements {
  readonly #database: DatabaseSync;
  readonly #guard: Guard;
  readonly #maxBytes: number;
  readonly #cache = new Map<string, Prepared>();

  constructor(database: DatabaseSync, guard: Guard, maxBytes: number) {
    this.#database = database;
    this.#guard = guard;
    this.#maxBytes = maxBytes;
  }

  /** The statement, prepared before or now. The guard decides for the rights of the call, so they are part of the key. */
  get(sql: string): Prepared {
    const key = `${[...this.#guard.grants].sort().join(',')}\n${sql}`;
    const cached = this.#cache.get(key);
    if (cached) {
      // SQLite prepares it again when the schema has changed.
      this.#guard.statement = sql;
      this.#cache.delete(key);
      this.#cache.set(key, cached);
      return cached;
    }
    const prepared = this.prepare(sql);
    this.#cache.set(key, prepared);
    if (this.#cache.size > CACHE_SIZE) this.#cache.delete(this.#cache.keys().next().value ?? '');
    return prepared;
  }

  /** A statement of its own, for a cursor that stays open. @throws SkillError when it is not exactly one statement */
  prepare(sql: string): Prepared {
    if (sql.length > this.#maxBytes) {
      throw new SkillError(
        'INVALID_ARGUMENT',
        `the statement has more than ${this.#maxBytes} characters: pass values as parameters`,
      );
    }
    if (sql.includes('\0'))
      throw new SkillError('INVALID_ARGUMENT', 'the statement contains a NUL character: pass values as parameters');
    this.#guard.statement = sql;
    const statement = this.#database.prepare(sql);
    const rest = sql.slice(statement.sourceSQL.length);
    if (rest.replaceAll(TOKENS, (token) => (/^(--|\/\*)/.test(token) ? '' : token)).replaceAll(/[\s;]+/g, '') !== '') {
      throw new SkillError('INVALID_ARGUMENT', 'exactly one statement is allowed; send several as one "transaction"');
    }
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return {
      statement,
      columns: statement.columns().map(({ name }) => name),
      ...parametersOf(sql),
      isReturning: /\breturning\b/i.test(sql),
    };
  }
}

/** Counted here because SQLite silently takes NULL for a parameter that is not given. */
function parametersOf(sql: string): Pick<Prepared, 'positional' | 'named'> {
  const named = new Set<string>();
  let positional = 0;
  for (const [token] of sql.matchAll(TOKENS)) {
    if (token === '?') positional++;
    else if (token.startsWith('?')) positional = Math.max(positional, Number(token.slice(1)));
    else if (/^[:@$]/.test(token)) named.add(token.slice(1));
  }
  return { positional, named };
}
