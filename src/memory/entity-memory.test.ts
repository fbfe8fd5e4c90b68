import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { EntityMemory, fold, MemoryInputError, type NewFact, type Pattern, type RecallQuery } from './index.ts';

let folder: string;
let memory: EntityMemory;
const open = () => new EntityMemory({ path: join(folder, 'memory.db') });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phoenix-memory-'));
  memory = open();
});
afterEach(async () => {
  await memory.close();
  rmSync(folder, { recursive: true });
});

async function recallAll(query: RecallQuery = {}) {
  const found = [];
  let cursor: string | undefined;
  do {
    const page = await memory.recall({ ...query, cursor });
    found.push(...page.triples);
    cursor = page.cursor;
  } while (cursor);
  return found;
}
const objects = async (query: RecallQuery) => (await memory.recall(query)).triples.map(({ object }) => object);
async function* linesOf(lines: Iterable<string>) {
  yield* lines;
}

describe('EntityMemory: the clock', () => {
  const HOUR_MS = 3_600_000;

  it('takes what is told without a time for the latest, also when the clock was set back', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 10 * HOUR_MS });
    await memory.storeSvo('Ana', 'vive_en', 'Madrid');
    t.mock.timers.setTime(9 * HOUR_MS);
    for (const city of ['Roma', 'Madrid', 'Roma', 'Lugo']) {
      await memory.storeSvo('Ana', 'vive_en', city);
      assert.deepEqual(await objects({ subject: 'Ana' }), [city]);
    }
    assert.equal((await memory.history({ subject: 'Ana' })).triples.length, 5);
  });

  it('takes what is told again for true again, also when it ended after what the clock says now', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: 10 * HOUR_MS });
    await memory.storeSvo('Ana', 'le_gusta', 'té');
    await memory.retract({ object: 'té' });
    t.mock.timers.setTime(9 * HOUR_MS);
    await memory.storeSvo('Ana', 'le_gusta', 'té');
    assert.deepEqual(await objects({ subject: 'Ana' }), ['té']);
  });
});

describe('EntityMemory: store and recall', () => {
  it('returns the spelling that was told, and matches without case, accents and underscores', async () => {
    await memory.storeSvo('Mi Hermána', 'vive_en', 'Málaga', { confidence: 0.9, at: 1000 });
    const { triples } = await memory.recall({ subject: 'mi hermana', verb: 'VIVE EN' });
    assert.deepEqual(triples, [
      {
        subject: 'Mi Hermána',
        verb: 'vive_en',
        object: 'Málaga',
        confidence: 0.9,
        source: 'user_input',
        firstSeen: 1000,
        lastSeen: 1000,
        count: 1,
        validFrom: 1000,
        validTo: null,
      },
    ]);
  });

  it('knows more of a fact that is told again, in one row', async () => {
    await memory.storeSvo('Ana', 'le_gusta', 'té', { confidence: 0.5, source: 'rag', at: 2000 });
    await memory.storeSvo('ana', 'le gusta', 'TE', { confidence: 0.5, at: 1000 });
    const [fact, ...rest] = (await memory.recall({ subject: 'Ana' })).triples;
    assert.equal(rest.length, 0);
    assert.deepEqual(
      [fact?.confidence, fact?.count, fact?.firstSeen, fact?.lastSeen, fact?.source, fact?.object],
      [0.75, 2, 1000, 2000, 'user_input', 'té'],
    );
  });

  it('stores nasty texts exactly, or refuses them and changes nothing', async () => {
    const nasty = [
      "O'Brien",
      `"quoted"`,
      "'); DROP TABLE memory_fact; --",
      '👩‍👩‍👧‍👦 🏳️‍🌈',
      'שלום עולם',
      '\u202Eevil',
      '%_%',
      'a\nb\tc',
      'é',
      'e\u0301',
      '𝕏',
    ];
    nasty.push('x'.repeat(65_536), '\u0000bad', 'half \ud83d', '', '   ', 'é'.repeat(32_769));
    for (const text of nasty) {
      const before = memory.stats();
      try {
        await memory.storeSvo(text, 'es', text);
      } catch (error) {
        assert.ok(error instanceof MemoryInputError, String(error));
        assert.deepEqual(memory.stats(), before);
        continue;
      }
      assert.ok((await objects({ subject: text })).includes(text) || fold(text) === fold('é'), text.slice(0, 50));
    }
    assert.equal(memory.stats().facts, 10 + 1);
  });

  it('refuses what makes no sense', async () => {
    const refused: [Partial<NewFact>, RegExp][] = [
      [{ confidence: 1.1 }, /confidence/],
      [{ confidence: Number.NaN }, /confidence/],
      [{ source: 'rumour' as never }, /source/],
      [{ at: Number.POSITIVE_INFINITY }, /at/],
      [{ subject: 5 as never }, /subject/],
    ];
    for (const [fact, message] of refused) {
      await assert.rejects(
        memory.storeMany([
          { subject: 'a', verb: 'b', object: 'c' },
          { subject: 'a', verb: 'b', object: 'c', ...fact },
        ]),
        message,
      );
    }
    for (const query of [
      { limit: 0 },
      { limit: 10_001 },
      { limit: 1.5 },
      { cursor: 'x' },
      { subject: '' },
      { asOf: Number.NaN },
    ]) {
      await assert.rejects(memory.recall(query), MemoryInputError);
    }
    assert.equal(memory.stats().facts, 0);
  });

  it('pages through everything, best first', async () => {
    const facts = Array.from({ length: 250 }, (_, i) => ({
      subject: 's',
      verb: 'v',
      object: `o${i}`,
      confidence: (i % 5) / 5,
      at: i % 40,
    }));
    await memory.storeMany(facts);
    const all = await recallAll({ subject: 's' });
    assert.equal(new Set(all.map(({ object }) => object)).size, 250);
    const ranks = all.map(({ confidence, lastSeen }) => confidence * 1e6 + lastSeen);
    assert.deepEqual(
      ranks,
      ranks.toSorted((a, b) => b - a),
    );
    const { cursor } = await memory.recall({ subject: 's', limit: 10 });
    await assert.rejects(memory.recall({ subject: 'other', cursor }), /cursor/);
  });

  it('says the same as a list that is searched by hand', async () => {
    const text = fc.constantFrom('Ana', 'ANA', 'ána', 'Luis', 'le_gusta', 'tiene', 'té', 'gato');
    const fact = fc.record({ subject: text, verb: text, object: text, at: fc.integer({ min: 0, max: 9 }) });
    const pattern = fc.record({ subject: text, verb: text, object: text }, { requiredKeys: [] });
    const matches = (p: Pattern) => (f: NewFact) =>
      (['subject', 'verb', 'object'] as const).every(
        (part) => p[part] === undefined || fold(p[part]) === fold(f[part]),
      );
    const keyOf = (f: NewFact) => [f.subject, f.verb, f.object].map(fold).join('|');
    await fc.assert(
      fc.asyncProperty(fc.array(fact, { maxLength: 30 }), pattern, pattern, async (facts, forgotten, asked) => {
        await memory.forget({}, { everything: true });
        await memory.storeMany(facts);
        const isForgetting = Object.keys(forgotten).length > 0;
        if (isForgetting) await memory.forget(forgotten);
        const expected = facts.filter((f) => !(isForgetting && matches(forgotten)(f))).filter(matches(asked));
        assert.deepEqual((await recallAll(asked)).map(keyOf).sort(), [...new Set(expected.map(keyOf))].sort());
        for (const { count, ...f } of await recallAll(asked))
          assert.equal(count, expected.filter((e) => keyOf(e) === keyOf(f)).length);
      }),
      { numRuns: 60 },
    );
  });
});

describe('EntityMemory: change over time', () => {
  it('ends what a new fact replaces, and still knows what was true', async () => {
    await memory.storeSvo('hermana', 'vive_en', 'Madrid', { at: 1000 });
    await memory.storeSvo('hermana', 'vive_en', 'Berlín', { at: 5000 });
    assert.deepEqual(await objects({ subject: 'hermana' }), ['Berlín']);
    assert.deepEqual(await objects({ subject: 'hermana', asOf: 4999 }), ['Madrid']);
    assert.deepEqual(await objects({ subject: 'hermana', asOf: 5000 }), ['Berlín']);
    assert.deepEqual(await objects({ subject: 'hermana', asOf: 999 }), []);
    const { triples } = await memory.history({ subject: 'hermana' });
    assert.deepEqual(
      triples.map(({ object, validFrom, validTo }) => [object, validFrom, validTo]),
      [
        ['Berlín', 5000, null],
        ['Madrid', 1000, 5000],
      ],
    );
  });

  it('keeps the present when something old is told late', async () => {
    await memory.storeSvo('hermana', 'vive_en', 'Berlín', { at: 5000 });
    await memory.storeSvo('hermana', 'vive_en', 'Madrid', { at: 1000 });
    assert.deepEqual(await objects({ subject: 'hermana' }), ['Berlín']);
    assert.deepEqual(await objects({ subject: 'hermana', asOf: 2000 }), ['Madrid']);
  });

  it('lets verbs with many objects have many', async () => {
    for (const object of ['té', 'café', 'agua']) await memory.storeSvo('Ana', 'le_gusta', object);
    assert.equal((await memory.recall({ subject: 'Ana' })).triples.length, 3);
  });

  it('retracts, and forgets', async () => {
    await memory.storeSvo('Ana', 'le_gusta', 'té', { at: 1000 });
    assert.equal(await memory.retract({ subject: 'Ana', object: 'té' }), 1);
    assert.deepEqual(await objects({ subject: 'Ana' }), []);
    assert.deepEqual(await objects({ subject: 'Ana', asOf: 2000 }), ['té']);
    await assert.rejects(memory.forget({}), /names nothing/);
    await assert.rejects(memory.retract({}), /names nothing/);
    assert.equal(await memory.forget({ subject: 'ana' }), 1);
    assert.deepEqual((await memory.history({})).triples, []);
    // What was forgotten can be told again.
    await memory.storeSvo('Ana', 'le_gusta', 'té');
    assert.deepEqual(await objects({ subject: 'Ana' }), ['té']);
  });

  it('rotates out what was not seen for long', async () => {
    const day = 86_400_000;
    await memory.storeSvo('a', 'b', 'old', { at: Date.now() - 10 * day });
    await memory.storeSvo('a', 'b', 'new', { at: Date.now() - 2 * day });
    assert.equal(await memory.rotate(5), 1);
    assert.deepEqual(await objects({}), ['new']);
    await assert.rejects(memory.rotate(0), MemoryInputError);
    await memory.vacuum();
    assert.equal(memory.stats().terms, 3);
  });
});

describe('EntityMemory: files', () => {
  it('comes back with everything after it was closed', async () => {
    await memory.storeSvo('Ana', 'vive_en', 'Madrid');
    await memory.close();
    memory = open();
    assert.deepEqual(await objects({ subject: 'Ana' }), ['Madrid']);
  });

  it('exports and imports; twice is the same as once', async () => {
    await memory.storeSvo('hermana', 'vive_en', 'Madrid', { at: 1000, confidence: 0.4 });
    await memory.storeSvo('hermana', 'vive_en', 'Berlín', { at: 5000 });
    await memory.storeMany(['té', 'té', 'agua'].map((object) => ({ subject: 'Ana', verb: 'le_gusta', object, at: 7 })));
    const lines = await Array.fromAsync(memory.export());
    await memory.forget({}, { everything: true });
    for (const _ of ['once', 'twice']) {
      assert.equal(await memory.import(linesOf(lines)), 4);
      assert.deepEqual((await Array.fromAsync(memory.export())).sort(), lines.toSorted());
    }
  });

  it('lets others have their turn while it exports', async () => {
    const facts = Array.from({ length: 5000 }, (_, n) => ({ subject: 'Ana', verb: 'tiene', object: `${n}` }));
    await memory.storeMany(facts);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    for await (const _ of memory.export());
    clearInterval(timer);
    assert.ok(turns > 5, `${turns} turns`);
  });

  it('refuses a broken import by its line and stores nothing of it', async () => {
    const [head = '', ...rest] = ['{"format":"phoenix-memory","version":1}', '{"subject":"a"}'];
    await assert.rejects(memory.import(linesOf([head, ...rest])), /line 2/);
    await assert.rejects(memory.import(linesOf(['{"format":"phoenix-memory","version":2}'])), /line 1/);
    await assert.rejects(memory.import(linesOf([head, '{nonsense'])), /line 2: is no JSON/);
    await assert.rejects(memory.import(linesOf([])), /nothing to import/);
    assert.equal(memory.stats().facts, 0);
  });

  it('puts a damaged file aside and goes on', async () => {
    await memory.close();
    for (const name of readdirSync(folder)) writeFileSync(join(folder, name), 'this is no database'.repeat(1000));
    memory = open();
    assert.match(memory.stats().quarantined ?? '', /memory\.db\.corrupt-/);
    await memory.storeSvo('a', 'b', 'c');
    assert.deepEqual(await objects({}), ['c']);
  });

  it('notices damage also where it was closed before', async () => {
    await memory.storeSvo('Ana', 'vive_en', 'Madrid');
    await memory.close();
    const path = join(folder, 'memory.db');
    const file = openSync(path, 'r+');
    writeSync(file, Buffer.alloc(4096, 'noise'), 0, 4096, 4096);
    closeSync(file);
    memory = open();
    assert.match(memory.stats().quarantined ?? '', /memory\.db\.corrupt-/);
    assert.deepEqual(await objects({}), []);
  });

  it('stores a large number of facts in one piece while others are served', async () => {
    await memory.storeSvo('a', 'b', 'c');
    const facts = Array.from({ length: 60_000 }, (_, i) => ({ subject: `s${i % 5000}`, verb: 'v', object: `o${i}` }));
    const storing = memory.storeMany(facts);
    const other = memory.storeSvo('x', 'y', 'z');
    await new Promise(setImmediate);
    assert.deepEqual(await objects({ subject: 'a' }), ['c']);
    await Promise.all([storing, other]);
    assert.equal(memory.stats().facts, 60_002);
    assert.equal((await memory.recall({ subject: 's1', verb: 'v' })).triples.length, 12);
  });
});
