/** kill -9 of the skill and of the assistant under load: what was acknowledged is there afterwards, once. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EntityMemory, SkillSql } from '../src/memory/index.ts';
import { localPaths } from '../src/runtimes/index.ts';
import { killSkill } from './support/kill.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';

const SKILL_KILLS = 100;
const ASSISTANT_KILLS = 20;
const [runtime = 'process'] = await availableRuntimes();

async function untilSynchronized(memory: EntityMemory): Promise<void> {
  for (let i = 0; i < 400 && !memory.stats().synchronized; i++) {
    memory.synchronize();
    await sleep(25);
  }
  assert.equal(memory.stats().synchronized, true, memory.stats().error);
}

/** Every fact is there, told once, here and in the skill. */
async function assertAllOnce(memory: EntityMemory, pool: ReturnType<typeof createTestPool>['pool'], objects: string[]) {
  await untilSynchronized(memory);
  const client = await pool.getSkillClient('sql');
  const pieces: { object: string; count: number }[] = [];
  for await (const { text } of client.inferStream({ prompt: 'SELECT object, count FROM memory_fact ORDER BY id' })) {
    if (text) pieces.push(...(JSON.parse(text) as typeof pieces));
  }
  const inSkill = new Map(pieces.map(({ object, count }) => [object, count]));
  assert.equal(pieces.length, inSkill.size, 'the skill has a fact twice');
  for (const object of objects) {
    assert.equal(inSkill.get(object), 1, `${object} in the skill`);
    const { triples } = await memory.recall({ subject: 'Ana', object });
    assert.deepEqual(
      triples.map(({ count }) => count),
      [1],
      object,
    );
  }
}

describe('kill -9', () => {
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'phoenix-kill-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it(`of the sql skill, ${SKILL_KILLS} times under load`, async (t) => {
    const test = createTestPool(runtime, { backoff: { initialMs: 5, maxMs: 20, circuitFailures: 1000 } });
    const memory = new EntityMemory({
      path: join(folder, 'skill.db'),
      remote: new SkillSql(test.pool),
      timeoutMs: 2000,
    });
    let isDone = false;
    t.after(async () => {
      isDone = true;
      await memory.close();
      await test.cleanUp();
    });
    const stored: string[] = [];
    const answeredBy = { skill: 0, local: 0 };
    const durable = { skill: 0, local: 0 };
    const load = Array.from({ length: 4 }, async (_, worker) => {
      for (let n = 0; !isDone; n++) {
        const object = `${worker}-${n}`;
        durable[(await memory.storeSvo('Ana', 'tiene', object)).durable]++;
        stored.push(object);
        // Calls go on, and see what was acknowledged a moment ago.
        const { triples, from } = await memory.recall({ subject: 'Ana', object });
        assert.equal(triples.length, 1, object);
        answeredBy[from]++;
      }
    });
    let kills = 0;
    while (kills < SKILL_KILLS) {
      // At every moment of a life: while it starts, while it is filled, while it answers.
      await sleep((kills % 10) * 40);
      // However slow the machine is: now and then it lives until it has answered.
      const { skill } = answeredBy;
      while (kills % 10 === 9 && answeredBy.skill === skill) await sleep(10);
      if (killSkill(test.paths, 'sql', kills % 5 === 0 ? 'outermost' : 'innermost')) kills++;
    }
    isDone = true;
    await Promise.all(load);
    // The last one killed may not have been missed yet.
    await (await test.pool.getSkillClient('sql')).infer({ prompt: 'SELECT 1' }, { idempotent: true });
    assert.ok(stored.length > SKILL_KILLS);
    assert.ok(durable.skill > 0 && durable.local > 0 && answeredBy.skill > 0 && answeredBy.local > 0);
    await assertAllOnce(memory, test.pool, stored);
  });

  it(`of the assistant, ${ASSISTANT_KILLS} times under load`, async () => {
    const stateDir = join(folder, 'state');
    const acknowledged: string[] = [];
    for (let kill = 0; kill < ASSISTANT_KILLS; kill++) {
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, 'support/storing-assistant.ts'), stateDir, String(kill)],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      await readUntil(child, 5 + kill * 3, acknowledged);
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    const again = createTestPool(runtime, {}, stateDir);
    const memory = new EntityMemory({ path: join(stateDir, 'memory.db'), remote: new SkillSql(again.pool) });
    assert.ok(acknowledged.length >= ASSISTANT_KILLS * 5);
    await assertAllOnce(memory, again.pool, acknowledged);
    await memory.close();
    await again.cleanUp();
    assert.equal(killSkill(localPaths(stateDir), 'sql', 'outermost'), false, 'a skill was left behind');
  });
});

/** Collects what the child says it has stored, until there are some. */
async function readUntil(child: ChildProcess, count: number, into: string[]): Promise<void> {
  let seen = 0;
  if (!child.stdout) throw new Error('the child has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    into.push(line);
    if (++seen >= count) return;
  }
  throw new Error('the assistant ended by itself');
}
