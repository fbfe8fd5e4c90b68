/** The entity memory at a million triples: locally, through the sql skill, and beside a plain SQLite table. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { EntityMemory, type NewFact, type RecallQuery, SkillSql } from '../src/memory/index.ts';
import { randomNumbers } from '../src/random.ts';
import { createTestPool } from '../test/support/pool.ts';
import { Figures, percentile, report, timesOf } from './measure.ts';
import { benchCatalog, benchRuntime } from './pool.ts';

const PATTERNS: Record<string, (fact: NewFact) => RecallQuery> = {
  'subject and verb': ({ subject, verb }) => ({ subject, verb }),
  subject: ({ subject }) => ({ subject }),
  'verb and object': ({ verb, object }) => ({ verb, object }),
  object: ({ object }) => ({ object }),
  'subject, verb and object': ({ subject, verb, object }) => ({ subject, verb, object }),
  'verb (100 of 5,000)': ({ verb }) => ({ verb }),
};

export async function benchMemory({ quick }: { quick: boolean }): Promise<Figures> {
  const size = quick ? 20_000 : 1_000_000;
  const uniform = randomNumbers(1);
  const random = (below: number) => Math.floor(uniform() * below);
  const facts = Array.from({ length: size }, () => ({
    subject: `persona ${random(size / 10)}`,
    verb: `verbo ${random(200)}`,
    object: `objeto número ${random(size / 5)}`,
    confidence: (random(100) + 1) / 100,
  }));
  const figures = new Figures();
  const folder = mkdtempSync(join(tmpdir(), 'phoenix-bench-'));
  const { pool, cleanUp } = createTestPool(await benchRuntime(), { catalog: benchCatalog() });
  const local = new EntityMemory({ path: join(folder, 'local.db') });
  const both = new EntityMemory({ path: join(folder, 'both.db'), remote: new SkillSql(pool), timeoutMs: 600_000 });
  try {
    const rounds = quick ? 1 : 3;
    for (let round = 0; round < rounds; round++) {
      const rate = plainTable(join(folder, `plain-${round}.db`), facts);
      figures.add('plain table without indexes, one transaction', 'triples/s', rate);
      if (round === rounds - 1) break;
      const another = new EntityMemory({ path: join(folder, `local-${round}.db`) });
      await storeAll(another, 'local', facts, figures);
      await another.close();
    }
    await measureStore(local, 'local', facts, figures);
    await measureStore(both, 'through the skill', facts, figures);
    while (!both.stats().synchronized) await sleep(50);
    for (const [path, memory] of [
      ['local', local],
      ['through the skill', both],
    ] as const) {
      const runs = quick ? 200 : 2000;
      for (const [name, toQuery] of Object.entries(PATTERNS)) {
        const ask = async () => {
          const { from, triples } = await memory.recall(
            toQuery(facts[random(size)] ?? { subject: '', verb: '', object: '' }),
          );
          if (triples.length === 0 || (from === 'local') !== (path === 'local'))
            throw new Error(`${path}: ${name} went wrong`);
        };
        await timesOf(runs / 4, ask);
        const times = await timesOf(runs, ask);
        figures.add(`recall by ${name}, ${path}, p50`, 'us', percentile(times, 0.5));
        figures.add(`recall by ${name}, ${path}, p99`, 'us', percentile(times, 0.99));
      }
    }
  } finally {
    await both.close();
    await local.close();
    await cleanUp();
    rmSync(folder, { recursive: true });
  }
  process.stdout.write(report(`entity memory at ${size.toLocaleString('en')} triples`, figures.all()));
  return figures;
}

async function measureStore(memory: EntityMemory, path: string, facts: NewFact[], figures: Figures): Promise<void> {
  await storeAll(memory, path, facts, figures);
  // One after the other: what the first ones leave to do, the next ones wait for.
  for (let round = 0; round < 5; round++) {
    const more = facts.slice(0, 10_000).map((fact) => ({ ...fact, subject: `${fact.subject}, otra ${round}` }));
    const again = performance.now();
    await memory.storeMany(more);
    figures.add(`storeMany of 10,000 more, ${path}`, 'triples/s', more.length / ((performance.now() - again) / 1000));
  }
  const times = await timesOf(200, (n) => memory.storeSvo('usuario', 'le_gusta', `cosa ${n}`));
  figures.add(`storeSvo, ${path}, p50`, 'us', percentile(times, 0.5));
}

async function storeAll(memory: EntityMemory, path: string, facts: NewFact[], figures: Figures): Promise<void> {
  const started = performance.now();
  await memory.storeMany(facts);
  figures.add(`storeMany of all, ${path}`, 'triples/s', facts.length / ((performance.now() - started) / 1000));
}

/** What SQLite does when nothing has to be found again. */
function plainTable(path: string, facts: readonly NewFact[]): number {
  const database = new DatabaseSync(path);
  database.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE t (subject TEXT, verb TEXT, object TEXT, confidence REAL); BEGIN',
  );
  const insert = database.prepare('INSERT INTO t VALUES (?, ?, ?, ?)');
  const started = performance.now();
  for (const { subject, verb, object, confidence = 1 } of facts) insert.run(subject, verb, object, confidence);
  database.exec('COMMIT');
  const seconds = (performance.now() - started) / 1000;
  database.close();
  return facts.length / seconds;
}
