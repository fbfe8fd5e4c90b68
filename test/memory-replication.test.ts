/** The memory with the real sql skill: who answers, what happens in an outage, and what comes back after a loss. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EntityMemory, type RemoteSql, SkillSql } from '../src/memory/index.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { until } from './support/scoped-pool.ts';

const [runtime = 'process'] = await availableRuntimes();

/** The skill behind a switch: while it is off nothing arrives, or it arrives and the answer is lost. */
class Cable implements RemoteSql {
  state: 'on' | 'off' | 'answers lost' = 'on';
  /** Happens while the next query is on its way. */
  meanwhile: (() => Promise<void>) | undefined;
  readonly #sql: RemoteSql;

  constructor(sql: RemoteSql) {
    this.#sql = sql;
  }
  get isAvailable() {
    return this.state === 'on' && this.#sql.isAvailable;
  }
  async transaction(...call: Parameters<RemoteSql['transaction']>) {
    if (this.state === 'off') throw new Error('the cable is cut');
    await this.#sql.transaction(...call);
    if (this.state === 'answers lost') throw new Error('the answer was lost');
  }
  async query(...call: Parameters<RemoteSql['query']>) {
    if (this.state !== 'on') throw new Error('the cable is cut');
    const { meanwhile } = this;
    this.meanwhile = undefined;
    await meanwhile?.();
    return await this.#sql.query(...call);
  }
  vacuum(timeoutMs: number) {
    return this.#sql.vacuum(timeoutMs);
  }
  onChange(listener: () => void) {
    this.#sql.onChange(listener);
  }
}

describe('EntityMemory with the sql skill', () => {
  let test: ReturnType<typeof createTestPool>;
  let folder: string;
  let cable: Cable;
  let memory: EntityMemory;
  const open = (path = join(folder, 'memory.db')) => new EntityMemory({ path, remote: cable, timeoutMs: 3000 });
  const skillData = () => test.paths.data('sql');

  beforeEach(() => {
    test = createTestPool(runtime);
    folder = mkdtempSync(join(tmpdir(), 'phoenix-memory-'));
    cable = new Cable(new SkillSql(test.pool));
    memory = open();
  });
  afterEach(async () => {
    await memory.close();
    await test.cleanUp();
    rmSync(folder, { recursive: true });
  });

  async function factsOfSkill(): Promise<{ subject: string; object: string; count: number }[]> {
    const client = await test.pool.getSkillClient('sql');
    const prompt = 'SELECT subject, object, count FROM memory_fact WHERE valid_to IS NULL ORDER BY id';
    return JSON.parse((await client.infer({ prompt })).text);
  }
  async function untilSynchronized(): Promise<void> {
    for (let i = 0; i < 200 && !memory.stats().synchronized; i++) {
      memory.synchronize();
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    assert.equal(memory.stats().synchronized, true, memory.stats().error);
  }
  const tell = (object: string, subject = 'Ana') => memory.storeSvo(subject, 'le_gusta', object);

  it('does not believe a skill that was restarted with older data while it was asked', async () => {
    await tell('té');
    await test.pool.stop('sql');
    const older = join(folder, 'older');
    cpSync(skillData(), older, { recursive: true });
    await tell('café');
    await untilSynchronized();
    cable.meanwhile = async () => {
      await test.pool.stop('sql');
      rmSync(skillData(), { recursive: true });
      cpSync(older, skillData(), { recursive: true });
      await test.pool.getSkillClient('sql');
    };
    const { triples } = await memory.recall({ subject: 'Ana' });
    assert.deepEqual(triples.map(({ object }) => object).sort(), ['café', 'té']);
    assert.equal(cable.meanwhile, undefined);
  });

  it('stores in the skill, which answers the recall', async () => {
    assert.deepEqual(await tell('té'), { stored: 1, durable: 'skill' });
    const { triples, from } = await memory.recall({ subject: 'ANA', verb: 'le gusta', object: 'TÉ' });
    assert.deepEqual([from, triples[0]?.object, triples.length], ['skill', 'té', 1]);
    assert.deepEqual(await factsOfSkill(), [{ subject: 'Ana', object: 'té', count: 1 }]);
  });

  it('says the same through the skill as from the local copy, for every combination and page', async () => {
    const facts = ['Ana', 'Luis', 'usuario'].flatMap((subject) =>
      ['le_gusta', 'vive_en'].flatMap((verb) =>
        Array.from({ length: 6 }, (_, n) => ({ subject, verb, object: `o${n % 4}`, confidence: n / 6, at: 1000 + n })),
      ),
    );
    await memory.storeMany(facts);
    for (const subject of [undefined, 'ana']) {
      for (const verb of [undefined, 'LE GUSTA', 'vive en']) {
        for (const object of [undefined, 'O1', 'nothing']) {
          const query = { subject, verb, object, limit: 3 };
          const remote = await memory.recall(query);
          const [remotePast, remoteThen] = [await memory.history(query), await memory.recall({ ...query, asOf: 1003 })];
          assert.equal(remote.from, 'skill');
          cable.state = 'off';
          const local = await memory.recall(query);
          assert.equal(local.from, 'local');
          assert.deepEqual(local.triples, remote.triples);
          assert.equal(local.cursor, remote.cursor);
          assert.deepEqual((await memory.history(query)).triples, remotePast.triples);
          assert.deepEqual((await memory.recall({ ...query, asOf: 1003 })).triples, remoteThen.triples);
          cable.state = 'on';
          await untilSynchronized();
        }
      }
    }
  });

  it('falls back in an outage, from the first operation that needs the skill until that has caught up', async () => {
    const now = () => {
      const { pending, fallback } = memory.gauges();
      return { isPending: pending > 0, fallback };
    };
    assert.deepEqual(now(), { isPending: false, fallback: false });
    await tell('before');
    assert.deepEqual(now(), { isPending: false, fallback: false });
    cable.state = 'off';
    assert.equal(now().fallback, false, 'nobody has asked');
    await memory.recall({});
    assert.equal(now().fallback, true);
    await tell('during');
    assert.deepEqual(now(), { isPending: true, fallback: true });
    cable.state = 'on';
    await untilSynchronized();
    assert.deepEqual(now(), { isPending: false, fallback: false });
    await test.pool.stop('sql');
    assert.deepEqual(now(), { isPending: false, fallback: false }, 'a skill that nobody needs is missed by nobody');
    await until('both facts are counted', () => memory.gauges().facts === 2);
  });

  it('goes on in an outage, recalls both, and brings the skill up to date, once', async () => {
    await tell('before');
    cable.state = 'off';
    assert.deepEqual(await tell('during'), { stored: 1, durable: 'local' });
    await tell('before');
    const { from, triples } = await memory.recall({ subject: 'Ana' });
    assert.equal(from, 'local');
    assert.deepEqual(triples.map(({ object }) => object).sort(), ['before', 'during']);
    assert.ok(memory.stats().pending > 0);
    cable.state = 'answers lost';
    await tell('lost answer');
    cable.state = 'on';
    await untilSynchronized();
    assert.deepEqual(await factsOfSkill(), [
      { subject: 'Ana', object: 'before', count: 2 },
      { subject: 'Ana', object: 'during', count: 1 },
      { subject: 'Ana', object: 'lost answer', count: 1 },
    ]);
  });

  it('brings what was journalled before a restart', async () => {
    await tell('before');
    cable.state = 'off';
    await tell('during');
    await memory.forget({ object: 'before' });
    await memory.close();
    cable.state = 'on';
    memory = open();
    await untilSynchronized();
    assert.deepEqual(await factsOfSkill(), [{ subject: 'Ana', object: 'during', count: 1 }]);
  });

  it('waits for no answer that has come before: the skill knows everything already', async () => {
    await tell('before');
    await memory.close();
    memory = open();
    assert.deepEqual(await memory.storeMany([]), { stored: 0, durable: 'skill' });
  });

  it('fills a skill that lost its data', async () => {
    await memory.storeMany(
      Array.from({ length: 9000 }, (_, n) => ({ subject: 'Ana', verb: 'tiene', object: `o${n}` })),
    );
    await untilSynchronized();
    await test.pool.stop('sql');
    for (const name of readdirSync(skillData())) rmSync(join(skillData(), name));
    await tell('after');
    await untilSynchronized();
    assert.equal((await factsOfSkill()).length, 9001);
  });

  it('fills a skill without indexes, which are all there afterwards, also when that was interrupted', async () => {
    const indexes = async () => {
      const client = await test.pool.getSkillClient('sql');
      const prompt = "SELECT count(*) AS n FROM sqlite_schema WHERE type = 'index' AND name LIKE 'memory_%'";
      return JSON.parse((await client.infer({ prompt })).text)[0].n as number;
    };
    await tell('before');
    const all = await indexes();
    const facts = Array.from({ length: 45_000 }, (_, n) => ({ subject: 'Ana', verb: 'tiene', object: `o${n}` }));
    const storing = memory.storeMany(facts);
    await until('the indexes are gone', async () => (await indexes()) === 0);
    cable.state = 'answers lost';
    assert.deepEqual(await storing, { stored: 45_000, durable: 'local' });
    assert.equal(await indexes(), 0);
    cable.state = 'on';
    await untilSynchronized();
    assert.equal(await indexes(), all);
    const { from, triples } = await memory.recall({ object: 'o44999' });
    assert.deepEqual([from, triples.length], ['skill', 1]);
    const client = await test.pool.getSkillClient('sql');
    const { text } = await client.infer({ prompt: 'SELECT count(*) AS n, sum(count) AS told FROM memory_fact' });
    assert.equal(text, '[{"n":45001,"told":45001}]');
  });

  it('puts a damaged database of the skill aside and fills a new one', async () => {
    await tell('before');
    await test.pool.stop('sql');
    writeFileSync(join(skillData(), 'main.db'), 'this is no database'.repeat(1000));
    await tell('after');
    await untilSynchronized();
    assert.deepEqual(
      (await factsOfSkill()).map(({ object }) => object),
      ['before', 'after'],
    );
    assert.ok(readdirSync(skillData()).some((name) => name.startsWith('main.db.corrupt-')));
    const { message } = await (await test.pool.getSkillClient('sql')).check();
    assert.match(message, /put aside: main\.db\.corrupt-/);
  });

  it('takes back what only the skill has when this machine has told others by the same revisions since', async () => {
    const path = join(folder, 'memory.db');
    await tell('before');
    await memory.close();
    cpSync(path, `${path}.backup`);
    memory = open();
    await tell('lost');
    await memory.close();
    renameSync(`${path}.backup`, path);
    cable.state = 'off';
    memory = open();
    for (const object of ['other', 'one more', 'the last']) await tell(object);
    cable.state = 'on';
    await untilSynchronized();
    const all = ['before', 'lost', 'one more', 'other', 'the last'];
    assert.deepEqual((await factsOfSkill()).map(({ object }) => object).sort(), all);
    cable.state = 'off';
    const { from, triples } = await memory.recall({ subject: 'Ana' });
    assert.deepEqual([from, triples.map(({ object }) => object).sort()], ['local', all]);
  });

  it('writes nothing anew after a restart without a loss', async () => {
    await memory.storeMany(['a', 'b', 'c'].map((object) => ({ subject: 'Ana', verb: 'tiene', object })));
    for (let restart = 0; restart < 3; restart++) {
      await memory.close();
      memory = open();
      await untilSynchronized();
      assert.equal(memory.gauges().replicated, 0);
    }
  });

  it('takes back from the skill what this machine lost', async () => {
    await memory.storeSvo('hermana', 'vive_en', 'Madrid', { at: 1000 });
    await memory.storeSvo('hermana', 'vive_en', 'Berlín', { at: 2000 });
    await memory.close();
    memory = open(join(folder, 'new.db'));
    await memory.storeSvo('Ana', 'le_gusta', 'té');
    await untilSynchronized();
    cable.state = 'off';
    const now = await memory.recall({ subject: 'hermana' });
    const then = await memory.recall({ subject: 'hermana', asOf: 1500 });
    assert.deepEqual([now.from, now.triples[0]?.object, then.triples[0]?.object], ['local', 'Berlín', 'Madrid']);
    assert.deepEqual((await factsOfSkill()).map(({ object }) => object).sort(), ['Berlín', 'té']);
  });

  it('believes what was told after a loss, also when the clock was ahead before it', async () => {
    const ahead = Date.now() + 86_400_000;
    await memory.storeSvo('hermana', 'vive_en', 'Madrid', { at: ahead });
    await memory.close();
    cable.state = 'off';
    memory = open(join(folder, 'new.db'));
    await memory.storeSvo('hermana', 'vive_en', 'Berlín');
    // In the run after the loss, or in the next one.
    await memory.close();
    memory = open(join(folder, 'new.db'));
    cable.state = 'on';
    await untilSynchronized();
    for (const state of ['on', 'off'] as const) {
      cable.state = state;
      const { triples } = await memory.recall({ subject: 'hermana' });
      assert.deepEqual(
        triples.map(({ object, validTo }) => [object, validTo]),
        [['Berlín', null]],
        state,
      );
      const then = await memory.recall({ subject: 'hermana', asOf: ahead });
      assert.deepEqual(
        then.triples.map(({ object }) => object),
        ['Madrid'],
      );
    }
  });

  it('forgets everywhere', async () => {
    await memory.storeMany([
      { subject: 'Ana', verb: 'es', object: 'alta' },
      { subject: 'Luis', verb: 'es', object: 'alto' },
    ]);
    assert.equal(await memory.forget({}, { everything: true }), 2);
    await untilSynchronized();
    assert.deepEqual(await factsOfSkill(), []);
    await tell('té');
    assert.deepEqual(
      (await factsOfSkill()).map(({ object }) => object),
      ['té'],
    );
  });

  it('carries long and strange texts', async () => {
    const texts = ['x'.repeat(65_536), "'); DROP TABLE memory_fact; --", '👩‍👩‍👧 🏳️‍🌈', 'שלום', 'a\nb'];
    await memory.storeMany(texts.map((object) => ({ subject: 'Ana', verb: 'dice', object })));
    for (const object of texts) {
      const { from, triples } = await memory.recall({ object });
      assert.deepEqual([from, triples.map((triple) => triple.object)], ['skill', [object]]);
    }
  });
});
