import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import sqlSkill from '../../../skills/sql/handler.ts';
import { InferRequest } from '../../../src/contract/index.ts';
import { readManifest } from '../../../src/manifest/index.ts';
import { type CallContext, SkillError } from '../../../src/skill/index.ts';
import { kindOf, type TargetDefinition } from '../target.ts';

const { config } = readManifest(join(import.meta.dirname, '../../../skills/sql/skill.yaml'));

// No RECURSIVE: a query without end is ended by who calls, together with the skill, which is not here.
const WORDS = [
  ...[
    'SELECT ',
    'INSERT INTO ',
    'UPDATE ',
    'DELETE FROM ',
    'REPLACE INTO ',
    ' FROM ',
    ' WHERE ',
    ' SET ',
    ' VALUES ',
    ' RETURNING *',
  ],
  ...[
    'CREATE TABLE ',
    'CREATE TEMP TABLE ',
    'CREATE INDEX x ON ',
    'CREATE TRIGGER x AFTER INSERT ON ',
    'CREATE TEMP TRIGGER x ',
  ],
  ...[
    'CREATE VIEW ',
    'CREATE TEMP VIEW ',
    'CREATE VIRTUAL TABLE x USING fts5(a)',
    'DROP TABLE ',
    'DROP INDEX ',
    'DROP VIEW ',
    'DROP TRIGGER ',
  ],
  ...[
    'ALTER TABLE ',
    ' RENAME TO ',
    ' RENAME COLUMN a TO c',
    ' ADD COLUMN z',
    ' DROP COLUMN b',
    'REINDEX ',
    'ANALYZE ',
    'VACUUM',
    'VACUUM INTO ',
  ],
  ...[
    "ATTACH '/tmp/x.db' AS x",
    'DETACH x',
    'PRAGMA ',
    'pragma_table_info',
    'user_version',
    'writable_schema',
    'journal_mode',
    ' = 1',
    '(1)',
  ],
  ...[
    'memory_fact',
    'memory_term',
    'memory_evil',
    'entity_memory',
    'sqlite_schema',
    'sqlite_stat1',
    'sqlite_sequence',
    'sqlite_temp_schema',
  ],
  ...[
    't',
    'u',
    'main.',
    'temp.',
    '"',
    '`',
    '[',
    ']',
    "'",
    '--',
    '/*',
    '*/',
    ';',
    '(',
    ')',
    ',',
    '?',
    '?1',
    ':a',
    '@a',
    '$a',
    '*',
    ' AS ',
  ],
  ...[
    'load_extension(',
    'randomblob(',
    'zeroblob(',
    'printf(',
    'writefile(',
    'readfile(',
    'json_each(',
    'hex(',
    'edit(',
    '1000000000',
    'x',
  ],
  ...[
    'BEGIN;',
    'COMMIT',
    'ROLLBACK',
    'SAVEPOINT s',
    'EXPLAIN ',
    ' UNION SELECT ',
    ' ON CONFLICT DO NOTHING',
    'WITH a AS (',
    'fts3_tokenizer(',
  ],
  ...['BEGIN DELETE FROM memory_fact; END'],
];

const GRANTS = ['schema', 'memory'] as const;

/** What a caller without rights must not be able to change. */
const PROTECTED = [
  'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name',
  'SELECT * FROM memory_fact',
  'SELECT * FROM memory_term',
  'SELECT * FROM sqlite_stat1',
  'SELECT * FROM sqlite_sequence',
  'PRAGMA user_version',
  'PRAGMA application_id',
  'PRAGMA journal_mode',
];
/** Nor one that may change the schema: what belongs to the memory. */
const OF_THE_MEMORY = [
  `SELECT type, name, tbl_name, sql FROM sqlite_schema
    WHERE lower(name) GLOB 'memory_*' OR lower(tbl_name) GLOB 'memory_*' OR lower(name) = 'entity_memory' ORDER BY name`,
  'SELECT * FROM memory_fact',
  'SELECT * FROM memory_term',
  'SELECT * FROM entity_memory',
];

interface Opened {
  handler: ReturnType<typeof sqlSkill>;
  watcher: DatabaseSync;
}

/** The first byte says with which rights, and whether as one statement, a stream or a transaction; the rest is the statement. */
export const sql: TargetDefinition = {
  name: 'sql',
  about: 'statements for the sql skill, without rights and with some',
  dictionary: WORDS,
  maxLength: 4096,
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-sql-'));
    let opened = await openSkill(folder);
    let expected = stateOf(opened.watcher);
    const reset = async () => {
      opened.watcher.close();
      await (await opened.handler).close?.();
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
      opened = await openSkill(folder);
      expected = stateOf(opened.watcher);
    };
    let runs = 0;
    return {
      run: async (input) => {
        const [flags = 0] = input;
        const grants = new Set(GRANTS.filter((_, bit) => (flags & (1 << bit)) !== 0));
        const statement = input.subarray(1).toString();
        const outcome = await call(opened, statement, grants, flags);
        // Nobody but the skill makes files, and it makes these.
        const files = readdirSync(folder).filter((name) => !/^main\.db(-wal|-shm)?$/.test(name));
        assert.deepEqual(files, [], 'there are other files');
        const temporary = await run(opened, 'SELECT name, tbl_name FROM sqlite_temp_schema', new Set(), 0);
        const now = stateOf(opened.watcher);
        const before = expected;
        if (now.all !== before.all || temporary !== '[]' || ++runs % 1000 === 0) await reset();
        if (!grants.has('memory')) {
          assert.equal(now.memory, before.memory, 'the memory was changed');
          assert.doesNotMatch(temporary ?? '', /"(memory_|entity_memory")/i, 'something temporary hides the memory');
        }
        if (!grants.has('schema')) assert.equal(temporary, '[]', 'there is something temporary');
        if (grants.size === 0) assert.equal(now.all, before.all, 'something was changed that needs a right');
        return `${[...grants].join('+')} ${outcome}`;
      },
      close: async () => {
        opened.watcher.close();
        await (await opened.handler).close?.();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

async function openSkill(dataDir: string): Promise<Opened> {
  const context = { name: 'sql', version: '1.0.0', dataDir, models: {}, mounts: {}, tmpDir: dataDir };
  const handler = sqlSkill({ ...context, config, log: () => undefined });
  const opened = { handler, watcher: new DatabaseSync(join(dataDir, 'main.db'), { readOnly: true }) };
  for (const statement of [
    'CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b)',
    'CREATE TABLE u (c TEXT UNIQUE)',
    'CREATE TABLE memory_fact (id INTEGER PRIMARY KEY, s TEXT)',
    'CREATE TABLE memory_term (id INTEGER PRIMARY KEY, key TEXT)',
    'CREATE INDEX memory_live_s ON memory_fact (s)',
    'CREATE VIEW entity_memory AS SELECT s FROM memory_fact',
    "INSERT INTO memory_fact VALUES (1, 'a'), (2, 'b')",
    "INSERT INTO memory_term VALUES (1, 'k')",
    "INSERT INTO t (b) VALUES (1), ('two'), (NULL)",
    "INSERT INTO u VALUES ('x')",
    'ANALYZE',
  ])
    await run(opened, statement, new Set(GRANTS), 0);
  return opened;
}

function stateOf(watcher: DatabaseSync): { all: string; memory: string } {
  const read = (statements: readonly string[]) =>
    statements
      .map((statement) => {
        try {
          return JSON.stringify(watcher.prepare(statement).all());
        } catch (error) {
          return `${statement}: ${(error as Error).message}`;
        }
      })
      .join('\n');
  // What callers may fill counts up.
  return { all: read(PROTECTED.filter((each) => !each.includes('sqlite_sequence'))), memory: read(OF_THE_MEMORY) };
}

async function call(opened: Opened, statement: string, grants: ReadonlySet<string>, flags: number): Promise<string> {
  try {
    await run(opened, statement, grants, flags);
    return `done ${flags >> 6}`;
  } catch (error) {
    if (!(error instanceof SkillError)) throw error;
    assert.notEqual(error.status, 'INTERNAL', error.message);
    assert.notEqual(error.status, 'DATA_LOSS', error.message);
    return `${error.status} ${kindOf(error.message)}`;
  }
}

async function run(
  { handler }: Opened,
  statement: string,
  grants: ReadonlySet<string>,
  flags: number,
): Promise<string | undefined> {
  const context = { deadline: performance.now() + 5000, signal: new AbortController().signal, grants } as CallContext;
  const skill = await handler;
  const way = flags >> 6;
  const transaction = way === 2 ? [{ sql: statement, rows: [], rowsJson: '' }] : [];
  const request = {
    ...InferRequest.decode(new Uint8Array()),
    prompt: way === 2 ? '' : statement,
    sql: { parameters: [], named: {}, rowsAsArrays: false, transaction },
  };
  if (way !== 1) {
    const answer = await skill.infer(request, context);
    return typeof answer === 'string' ? answer : answer.text;
  }
  let last: string | undefined;
  for await (const piece of skill.inferStream?.(request, context) ?? [])
    last = typeof piece === 'string' ? piece : piece.text;
  return last;
}
