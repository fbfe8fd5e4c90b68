import { setImmediate } from 'node:timers/promises';
import { type CallContext, type SkillAnswer, SkillError } from 'phoenix/skill';
import type { InferRequest, SqlCall, SqlStatement, SqlValue } from '../../src/contract/gen/skills.ts';
import type { SqlConfig } from './config.ts';
import type { Database } from './database.ts';
import type { Prepared } from './statements.ts';
import { type Cell, readJsonRows, rowWriter, type SqlParts, toCell } from './values.ts';

/** One piece of a streamed answer has about this many characters. */
const PIECE_LENGTH = 65_536;
/** How many rows pass between two looks at the clock. */
const ROWS_PER_LOOK = 256;
const VACUUM = /^\s*vacuum\s*;?\s*$/i;

interface Outcome {
  changes: bigint;
  lastInsertRowid: bigint;
}

/** Runs the statement of a request and returns all its rows. */
export function execute(database: Database, request: InferRequest, call: CallContext, limits: SqlConfig): SkillAnswer {
  const sql = request.sql;
  if (sql && sql.transaction.length > 0) return executeTransaction(database, request.prompt, sql, call);
  if (VACUUM.test(request.prompt)) {
    database.vacuum();
    return answer(database, '[]', {});
  }
  const prepared = database.statements.get(request.prompt);
  const parameters = bind(prepared, (sql?.parameters ?? []).map(toCell), sql?.named ?? {});
  if (prepared.columns.length === 0) return answer(database, '[]', { ...run(prepared, parameters) });

  const write = rowWriter(prepared.columns, sql?.rowsAsArrays ?? false);
  const rows: string[] = [];
  let length = 2;
  for (const row of prepared.statement.iterate(...parameters) as Iterable<Cell[]>) {
    if (rows.length === limits.max_rows) {
      throw tooLarge(`more than ${limits.max_rows} rows`);
    }
    const text = write(row);
    length += text.length + 1;
    if (length > limits.max_answer_bytes) throw tooLarge(`more than ${limits.max_answer_bytes} bytes of rows`);
    rows.push(text);
    if (rows.length % ROWS_PER_LOOK === 0) checkDeadline(call);
  }
  return answer(database, `[${rows.join(',')}]`, {
    columns: prepared.columns,
    rowCount: BigInt(rows.length),
    ...(prepared.isReturning ? database.lastChange() : {}),
  });
}

/** Runs the statement and returns its rows in pieces, each a JSON array of its own. */
export async function* executeStream(
  database: Database,
  request: InferRequest,
  call: CallContext,
): AsyncGenerator<SkillAnswer> {
  const { sql } = request;
  if (sql && sql.transaction.length > 0) {
    yield executeTransaction(database, request.prompt, sql, call);
    return;
  }
  // Not from the cache: its cursor stays open while other calls run.
  const prepared = database.statements.prepare(request.prompt);
  const parameters = bind(prepared, (sql?.parameters ?? []).map(toCell), sql?.named ?? {});
  if (prepared.columns.length === 0) {
    yield answer(database, '[]', { ...run(prepared, parameters) });
    return;
  }
  const write = rowWriter(prepared.columns, sql?.rowsAsArrays ?? false);
  let rows: string[] = [];
  let length = 0;
  const piece = () => {
    const parts = { columns: prepared.columns, rowCount: BigInt(rows.length) };
    const text = `[${rows.join(',')}]`;
    rows = [];
    length = 0;
    return answer(database, text, parts);
  };
  const cursor = prepared.statement.iterate(...parameters) as IterableIterator<Cell[]>;
  for (const row of cursor) {
    const text = write(row);
    length += text.length;
    rows.push(text);
    if (length < PIECE_LENGTH) continue;
    yield piece();
    checkDeadline(call);
    call.signal.throwIfAborted();
    // Others get their turn between two pieces, with the rights of their own calls.
    await setImmediate();
    database.guard.grants = call.grants;
  }
  yield piece();
}

function executeTransaction(database: Database, prompt: string, sql: SqlCall, call: CallContext): SkillAnswer {
  if (prompt !== '') throw new SkillError('INVALID_ARGUMENT', 'the prompt must be empty when a transaction is sent');
  const total: Outcome = { changes: 0n, lastInsertRowid: 0n };
  database.transaction(() => {
    for (const statement of sql.transaction) {
      const outcome = runForEachRow(database, statement, call);
      total.changes += outcome.changes;
      total.lastInsertRowid = outcome.lastInsertRowid;
    }
  });
  return answer(database, '[]', { ...total });
}

function runForEachRow(database: Database, { sql, rows, rowsJson }: SqlStatement, call: CallContext): Outcome {
  const prepared = database.statements.get(sql);
  const total: Outcome = { changes: 0n, lastInsertRowid: 0n };
  const typed = rows.map(({ values }) => values.map(toCell));
  const all = rowsJson === '' ? typed : typed.concat(readJsonRows(rowsJson));
  if (rowsJson === '' && all.length === 0) all.push([]);
  for (const [at, cells] of all.entries()) {
    if (at % ROWS_PER_LOOK === ROWS_PER_LOOK - 1) checkDeadline(call);
    const outcome = run(prepared, bind(prepared, cells, {}));
    total.changes += outcome.changes;
    total.lastInsertRowid = outcome.lastInsertRowid;
  }
  return total;
}

function run({ statement }: Prepared, parameters: [Record<string, Cell>, ...Cell[]] | Cell[]): Outcome {
  const { changes, lastInsertRowid } = statement.run(...(parameters as Cell[]));
  return { changes: BigInt(changes), lastInsertRowid: BigInt(lastInsertRowid) };
}

function bind(prepared: Prepared, positional: Cell[], named: Record<string, SqlValue>): Cell[] {
  if (positional.length !== prepared.positional) {
    throw new SkillError(
      'INVALID_ARGUMENT',
      `the statement has ${prepared.positional} positional parameters (?), ${positional.length} values came`,
    );
  }
  const names = Object.keys(named);
  const unknown = names.find((name) => !prepared.named.has(name));
  if (unknown !== undefined) throw new SkillError('INVALID_ARGUMENT', `the statement has no parameter "${unknown}"`);
  const missing = [...prepared.named].find((name) => !Object.hasOwn(named, name));
  if (missing !== undefined) throw new SkillError('INVALID_ARGUMENT', `no value came for the parameter "${missing}"`);
  if (names.length === 0) return positional;
  const object = Object.fromEntries(Object.entries(named).map(([name, value]) => [name, toCell(value)]));
  return [object as unknown as Cell, ...positional];
}

function answer(database: Database, text: string, parts: Partial<SqlParts>): SkillAnswer {
  return {
    text,
    confidence: 1,
    model: database.engine,
    finishReason: 'stop',
    sql: { columns: [], rowCount: 0n, changes: 0n, lastInsertRowid: 0n, ...parts },
  };
}

function checkDeadline({ deadline }: CallContext): void {
  if (performance.now() > deadline)
    throw new SkillError('DEADLINE_EXCEEDED', 'the statement ran past the deadline of the call');
}

function tooLarge(what: string): SkillError {
  return new SkillError('RESOURCE_EXHAUSTED', `the answer has ${what}: add a LIMIT, or ask for a stream`);
}
