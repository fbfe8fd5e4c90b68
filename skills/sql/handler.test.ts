import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { InferRequest, SqlValue } from '../../src/contract/index.ts';
import { type TestedSkill, testSkill } from '../../src/testing/index.ts';

const OWNER = { grants: ['schema', 'memory'] };
const sql = (call: Partial<NonNullable<InferRequest['sql']>>) => ({
  sql: { parameters: [], named: {}, transaction: [], rowsAsArrays: false, ...call },
});
const text = (value: string): SqlValue => ({ text: value });
const integer = (value: bigint): SqlValue => ({ integer: value });

async function withTable(columns: string): Promise<TestedSkill> {
  const skill = await testSkill(import.meta.dirname);
  await skill.infer({ prompt: `CREATE TABLE t (${columns})` }, OWNER);
  return skill;
}

describe('sql skill: values', () => {
  it('answers in JSON and says who answered', async () => {
    await using skill = await testSkill(import.meta.dirname);
    const answer = await skill.infer({
      prompt: 'SELECT 1 AS one, NULL AS missing, 2.0 AS real, ? AS text',
      ...sql({ parameters: [text("O'Neil")] }),
    });
    assert.equal(answer.text, `[{"one":1,"missing":null,"real":2.0,"text":"O'Neil"}]`);
    assert.match(answer.model, /^sqlite 3\./);
    assert.deepEqual(answer.sql?.columns, ['one', 'missing', 'real', 'text']);
    assert.equal(answer.sql?.rowCount, 1n);
  });

  it('keeps all digits, blobs, and columns with equal names', async () => {
    await using skill = await testSkill(import.meta.dirname);
    const parameters = [
      integer(9_007_199_254_740_993n),
      { blob: Buffer.from([0, 255]) },
      { real: Number.POSITIVE_INFINITY },
    ];
    const answer = await skill.infer({
      prompt: 'SELECT ? AS a, ? AS a, ? AS a',
      ...sql({ parameters, rowsAsArrays: true }),
    });
    assert.equal(answer.text, '[[9007199254740993,{"$blob":"AP8="},{"$real":"Infinity"}]]');
  });

  it('returns every text and integer as it was stored', async () => {
    await using skill = await withTable('id INTEGER PRIMARY KEY, s TEXT, n INTEGER');
    const anyText = fc.string({ unit: 'binary', maxLength: 200 }).filter((s) => s.isWellFormed());
    let id = 0n;
    await fc.assert(
      fc.asyncProperty(anyText, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async (s, n) => {
        const parameters = [integer(++id), text(s), integer(n)];
        await skill.infer({ prompt: 'INSERT INTO t VALUES (?, ?, ?)', ...sql({ parameters }) });
        const answer = await skill.infer({
          prompt: 'SELECT s, n FROM t WHERE id = :id',
          ...sql({ named: { id: integer(id) }, rowsAsArrays: true }),
        });
        assert.equal(answer.text, `[[${JSON.stringify(s)},${n}]]`);
      }),
      { numRuns: 200 },
    );
  });
});

describe('sql skill: guard', () => {
  const denied: [string, string][] = [
    ['CREATE TABLE x (a)', 'schema'],
    ["ATTACH '/tmp/x.db' AS x", 'attaching'],
    ["SELECT load_extension('x')", 'load_extension'],
    ['PRAGMA journal_mode = DELETE', 'PRAGMA journal_mode'],
    ['PRAGMA writable_schema = ON', 'writable_schema'],
    ['BEGIN', 'transaction'],
    ['SAVEPOINT x', 'not allowed'],
    ['VACUUM', 'VACUUM'],
    ["VACUUM INTO '/tmp/x.db'", 'attaching'],
    ['INSERT INTO memory_x VALUES (1)', 'entity memory'],
    ["UPDATE sqlite_schema SET sql = ''", ''],
  ];
  it('denies what a caller without rights may not do, and says why', async () => {
    await using skill = await testSkill(import.meta.dirname);
    await skill.infer({ prompt: 'CREATE TABLE memory_x (a)' }, OWNER);
    for (const [prompt, reason] of denied) {
      await assert.rejects(skill.infer({ prompt }), (error: Error & { code: string }) => {
        assert.ok(['PERMISSION_DENIED', 'INVALID_ARGUMENT'].includes(error.code), `${prompt}: ${error.code}`);
        assert.ok(error.message.includes(reason), `${prompt}: ${error.message}`);
        return true;
      });
    }
    await assert.rejects(skill.infer({ prompt: "VACUUM INTO '/data/x.db'" }, OWNER), { code: 'PERMISSION_DENIED' });
    await assert.rejects(skill.infer({ prompt: "ATTACH '/data/main.db' AS x" }, OWNER), { code: 'PERMISSION_DENIED' });
    await skill.infer({ prompt: 'VACUUM' }, OWNER);
    await skill.infer({ prompt: 'INSERT INTO memory_x VALUES (1)' }, OWNER);
    // The same statement again, without the right: what was prepared for somebody else is no way around.
    await assert.rejects(skill.infer({ prompt: 'INSERT INTO memory_x VALUES (1)' }), { code: 'PERMISSION_DENIED' });
    assert.equal((await skill.infer({ prompt: 'SELECT count(*) AS n FROM memory_x' })).text, '[{"n":1}]');
  });

  it('keeps the memory from callers that may change the schema, and what SQLite keeps for itself from all others', async () => {
    await using skill = await testSkill(import.meta.dirname);
    for (const prompt of [
      'CREATE TABLE memory_x (a)',
      'CREATE INDEX memory_x_a ON memory_x (a)',
      'CREATE VIEW entity_memory AS SELECT a FROM memory_x',
      'CREATE TABLE t (a)',
      'ANALYZE',
    ])
      await skill.infer({ prompt }, OWNER);
    for (const prompt of [
      'DROP TABLE memory_x',
      'DROP INDEX memory_x_a',
      'DROP VIEW entity_memory',
      'ALTER TABLE memory_x ADD COLUMN b',
      'ALTER TABLE memory_x RENAME TO t2',
      'ALTER TABLE t RENAME TO "Memory_fact"',
      'CREATE TRIGGER x AFTER INSERT ON memory_x BEGIN DELETE FROM memory_x; END',
      'CREATE TEMP TABLE memory_x (a)',
      'CREATE TEMP VIEW entity_memory AS SELECT 1',
      'CREATE UNIQUE INDEX x ON memory_x (a)',
      'CREATE TABLE y (a REFERENCES memory_x (a))',
    ]) {
      await assert.rejects(skill.infer({ prompt }, { grants: ['schema'] }), { code: 'PERMISSION_DENIED' }, prompt);
    }
    await skill.infer({ prompt: 'ALTER TABLE t RENAME TO u' }, { grants: ['schema'] });
    await assert.rejects(skill.infer({ prompt: 'DELETE FROM sqlite_stat1' }), { code: 'PERMISSION_DENIED' });
  });

  it('takes exactly one statement and exactly its parameters', async () => {
    await using skill = await testSkill(import.meta.dirname);
    for (const prompt of [
      '',
      '-- nothing',
      'SELECT 1; SELECT 2',
      'SELECT 1; DROP TABLE x',
      'SELEC 1',
      'SELECT \0 1',
      'SELECT ?',
    ]) {
      await assert.rejects(skill.infer({ prompt }), { code: 'INVALID_ARGUMENT' }, prompt);
    }
    await assert.rejects(skill.infer({ prompt: 'SELECT :a', ...sql({ named: { b: text('') } }) }), /no parameter "b"/);
    await assert.rejects(skill.infer({ prompt: 'SELECT 1', ...sql({ parameters: [text('')] }) }), {
      code: 'INVALID_ARGUMENT',
    });
    const { text: answer } = await skill.infer({ prompt: "SELECT '?;:a' AS q; -- ? the end\n ;" });
    assert.equal(answer, '[{"q":"?;:a"}]');
  });

  it('refuses answers that are too large and streams them', async () => {
    await using skill = await testSkill(import.meta.dirname);
    for (const large of [
      'zeroblob(1000000000)',
      "printf('%1000000000d', 1)",
      "replace(hex(zeroblob(9999999)), '0', 'aaaaaaaa')",
    ])
      await assert.rejects(skill.infer({ prompt: `SELECT ${large}` }), { code: 'RESOURCE_EXHAUSTED' });
    const prompt = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) SELECT i FROM n';
    await assert.rejects(skill.infer({ prompt }), { code: 'RESOURCE_EXHAUSTED' });
    let pieces = 0;
    let next = 1;
    for await (const piece of skill.inferStream({ prompt })) {
      pieces++;
      for (const { i } of JSON.parse(piece.text) as { i: number }[]) assert.equal(i, next++);
    }
    assert.equal(next, 30_001);
    assert.ok(pieces > 3);
  });
});

describe('sql skill: transactions and errors', () => {
  it('does all of a transaction or nothing', async () => {
    await using skill = await withTable('a INTEGER PRIMARY KEY');
    const insert = (...values: bigint[]) => ({
      sql: 'INSERT INTO t VALUES (?)',
      rows: values.map((v) => ({ values: [integer(v)] })),
      rowsJson: '',
    });
    const plain = (statement: string) => ({ sql: statement, rows: [], rowsJson: '' });
    const done = await skill.infer(sql({ transaction: [insert(1n, 2n), plain('DELETE FROM t WHERE a = 1')] }));
    assert.equal(done.sql?.changes, 3n);
    await assert.rejects(skill.infer(sql({ transaction: [insert(3n), insert(2n)] })), { code: 'ALREADY_EXISTS' });
    await assert.rejects(skill.infer(sql({ transaction: [insert(3n), plain('COMMIT')] })), {
      code: 'PERMISSION_DENIED',
    });
    assert.equal((await skill.infer({ prompt: 'SELECT group_concat(a) AS a FROM t' })).text, '[{"a":"2"}]');
  });

  it('takes rows as JSON, with the types that they have there, or refuses all of them', async () => {
    await using skill = await withTable('a, b, c, d');
    const insert = (rowsJson: string) =>
      sql({ transaction: [{ sql: 'INSERT INTO t VALUES (?, ?, ?, ?)', rows: [], rowsJson }] });
    const row = ["O'Neil 👩‍👩‍👧", 9_007_199_254_740_991, 0.1, null];
    const done = await skill.infer(insert(JSON.stringify([row, [1, 1, 1e300, '']])));
    assert.equal(done.sql?.changes, 2n);
    const prompt = 'SELECT *, typeof(b) AS t FROM t ORDER BY rowid';
    assert.equal(
      (await skill.infer({ prompt, ...sql({ rowsAsArrays: true }) })).text,
      `[${JSON.stringify([...row, 'integer'])},[1,1,1e+300,"","integer"]]`,
    );
    for (const rows of [
      '{nonsense',
      '{}',
      '[1]',
      '[[1,2,3]]',
      '[[1,2,3,[]]]',
      '[[1,2,3,true]]',
      `[${JSON.stringify(row)},[]]`,
    ]) {
      await assert.rejects(skill.infer(insert(rows)), { code: 'INVALID_ARGUMENT' }, rows);
    }
    assert.equal((await skill.infer(insert('[]'))).sql?.changes, 0n);
    assert.equal((await skill.infer({ prompt: 'SELECT count(*) AS n FROM t' })).text, '[{"n":2}]');
  });

  it('tells apart what went wrong', async () => {
    await using skill = await withTable('a INTEGER PRIMARY KEY, b TEXT NOT NULL CHECK (length(b) < 5)');
    await assert.rejects(skill.infer({ prompt: 'SELECT * FROM nowhere' }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(skill.infer({ prompt: 'INSERT INTO t VALUES (1, NULL)' }), { code: 'FAILED_PRECONDITION' });
    await assert.rejects(skill.infer({ prompt: "INSERT INTO t VALUES (1, 'too long')" }), {
      code: 'FAILED_PRECONDITION',
    });
    const answer = await skill.infer({ prompt: "INSERT INTO t VALUES (7, 'x') RETURNING a" });
    assert.deepEqual([answer.text, answer.sql?.changes, answer.sql?.lastInsertRowid], ['[{"a":7}]', 1n, 7n]);
    await assert.rejects(skill.infer({ prompt: "INSERT INTO t VALUES (7, 'y')" }), { code: 'ALREADY_EXISTS' });
  });
});
