/** Patch #3: the entity memory through the sql skill, and without it. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { readCatalog } from '../manifest/index.ts';
import { EntityMemory, SkillSql } from '../memory/index.ts';
import { ModelPool } from '../pool/index.ts';
import { type Check, fail, type Outcome, pass, type VerifyContext } from './check.ts';

const TIMEOUT_MS = 10_000;

async function withMemory<T>(path: string, remote: SkillSql, use: (memory: EntityMemory) => Promise<T>): Promise<T> {
  const memory = new EntityMemory({ path, remote, timeoutMs: TIMEOUT_MS });
  try {
    return await use(memory);
  } finally {
    await memory.close();
  }
}

async function storeViaSkill({ folder, pool }: VerifyContext): Promise<Outcome> {
  return await withMemory(join(folder, 'memory.db'), new SkillSql(pool), async (memory) => {
    const { durable } = await memory.storeSvo('hermana', 'vive_en', 'Madrid', { confidence: 0.9 });
    const { triples, from } = await memory.recall({ subject: 'hermana' });
    const objects = triples.map(({ object }) => object).join(', ');
    if (triples.length !== 1 || objects !== 'Madrid') return fail(`recall found ${triples.length}: ${objects}`);
    if (durable !== 'skill' || from !== 'skill') return fail(`stored by: ${durable}, recalled from: ${from}`);
    return pass('(hermana, vive_en, Madrid) is stored in the skill and recalled from it');
  });
}

/** The skill is stopped, and nothing can start it: its pool is closed. Then it comes back. */
async function fallback({ folder, pool, home, skillState }: VerifyContext): Promise<Outcome> {
  const path = join(folder, 'fallback.db');
  // Another one each time that this is run.
  const subject = `test ${randomUUID()}`;
  const gone = new ModelPool({
    catalog: readCatalog([join(home, 'skills')]),
    runtime: pool.runtime,
    bundleDir: join(skillState, 'cache', 'bundles'),
  });
  const unreachable = new SkillSql(gone);
  await pool.stop('sql');
  await gone.close();
  const without = await withMemory(path, unreachable, async (memory) => {
    await memory.storeSvo(subject, 'is', 'working');
    return await memory.recall({ subject });
  });
  if (without.from !== 'local' || without.triples.length !== 1)
    return fail(`without the skill, recall found ${without.triples.length} from: ${without.from}`);
  return await withMemory(path, new SkillSql(pool), async (memory) => {
    memory.synchronize();
    await memory.storeSvo(subject, 'is', 'back');
    const { triples, from } = await memory.recall({ subject });
    return triples.length === 2 && from === 'skill'
      ? pass(
          'stored and recalled locally while the skill was stopped; when it was back, it had what was stored meanwhile',
        )
      : fail(`after the skill was back, recall found ${triples.length} from: ${from}`);
  });
}

export const memoryTests: Check[] = [
  {
    id: 'test_store_svo_via_skill',
    line: 'test_store_svo_via_skill: a triple is stored and recalled through the container',
    run: storeViaSkill,
  },
  {
    id: 'test_fallback_to_local_if_skill_unavailable',
    line: 'test_fallback_to_local_if_skill_unavailable: works the same while the skill is stopped',
    run: fallback,
  },
];

export const memoryCheck: Check = {
  id: 'patch-3',
  line: 'Patch #3: the tests of the entity memory with its skill pass',
  async run(context) {
    for (const { line, run } of memoryTests) {
      const outcome = await run(context);
      if (outcome.result !== 'pass') return { ...outcome, detail: `${line}: ${outcome.detail}` };
    }
    return pass(`${memoryTests.length} of ${memoryTests.length} pass`);
  },
};
