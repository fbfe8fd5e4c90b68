/** What the system says that it knows, beside what it was told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FoundFact, FoundRow, Ledger } from './ledger.ts';
import { found, type Page } from './load.ts';
import { type Noise, now } from './noise.ts';
import type { ChaosSystem } from './system.ts';
import type { Violation } from './violation.ts';

/** What recovery may take, in milliseconds. */
export const RECOVERY_MS = 5000;
/** After this, in milliseconds, it will not come any more. */
const GIVE_UP_MS = 30_000;
const PROBE_MS = 1500;
const ASK_MS = 10_000;
const PAGE = 5000;

let probes = 0;

/**
 * Waits until everything works: a fact is stored, in the skill too, and recalled from there, and both skills answer.
 *
 * @returns milliseconds, without those that the machine took
 * @throws Error when it does not come back
 */
export async function untilRecovered(system: ChaosSystem, noise: Noise, patienceMs = GIVE_UP_MS): Promise<number> {
  const started = now();
  let problem: unknown;
  while (now() - started < patienceMs) {
    try {
      await probe(system);
      const ended = now();
      return ended - started - noise.between(started, ended);
    } catch (error) {
      problem = error;
      await sleep(25);
    }
  }
  const memory = await system.askText('/api/memory/stats', ASK_MS).catch((error: Error) => error.message);
  throw new Error(
    `it does not work again after ${patienceMs} ms: ${(problem as Error).message}; the memory: ${memory}`,
  );
}

async function probe(system: ChaosSystem): Promise<void> {
  if (system.url === '') throw new Error('the assistant does not listen');
  const fact = { subject: 'probe', verb: 'tiene', object: `probe ${probes++}` };
  await system.ask('POST', '/api/memory', fact, PROBE_MS);
  const { triples, from } = await system.ask<Page>(
    'GET',
    `/api/memory?${new URLSearchParams({ object: fact.object })}`,
    undefined,
    PROBE_MS,
  );
  if (triples.length !== 1 || from !== 'skill') throw new Error(`${triples.length} facts come from ${from}`);
  await callSkill(system, 'echo', 'hello', PROBE_MS);
  await callSkill(system, 'sql', 'SELECT 1', PROBE_MS);
}

async function callSkill(system: ChaosSystem, skill: string, prompt: string, timeoutMs = ASK_MS): Promise<string> {
  const body = { prompt, timeoutMs, grants: ['schema'] };
  return (await system.ask<{ text: string }>('POST', `/api/skills/${skill}/call`, body, timeoutMs)).text;
}

/** Makes the table that rows are written to. */
export async function prepareRows(system: ChaosSystem): Promise<void> {
  await callSkill(system, 'sql', 'CREATE TABLE IF NOT EXISTS chaos_row (n INTEGER NOT NULL)');
}

/** Waits until both copies of the memory are the same. */
export async function untilSynchronized(system: ChaosSystem): Promise<void> {
  for (const started = now(); now() - started < GIVE_UP_MS; await sleep(25)) {
    const { synchronized } = await system.ask<{ synchronized: boolean }>('GET', '/api/memory/stats', undefined, ASK_MS);
    if (synchronized) return;
    // Whoever asks has it looked after.
    await system.ask('GET', '/api/memory?limit=1', undefined, ASK_MS);
  }
  throw new Error('the two copies of the memory do not become the same');
}

/** The facts of one round, as the assistant and as the skill have them. */
export async function checkRound(system: ChaosSystem, ledger: Ledger, subject: string): Promise<Violation[]> {
  const query = new URLSearchParams({ subject, limit: '10000' });
  const page = await system.ask<Page>('GET', `/api/memory/history?${query}`, undefined, ASK_MS);
  return [
    ...ledger.checkFacts(found(page), 'the assistant', [subject]),
    ...ledger.checkFacts(await factsOfSkill(system, `subject = '${subject}'`), 'the copy in the skill', [subject]),
  ];
}

/** Everything, in both copies. */
export async function checkAll(system: ChaosSystem, ledger: Ledger): Promise<Violation[]> {
  return [
    ...ledger.checkFacts(await factsOfAssistant(system), 'the local copy'),
    ...ledger.checkFacts(await factsOfSkill(system, 'TRUE'), 'the copy in the skill'),
    ...ledger.checkRows(await rowsOfSkill(system)),
  ];
}

async function factsOfAssistant(system: ChaosSystem): Promise<FoundFact[]> {
  const lines = (await system.askText('/api/memory/export', ASK_MS)).trimEnd().split('\n').slice(1);
  return found({ triples: lines.map((line) => JSON.parse(line) as Page['triples'][number]) });
}

async function factsOfSkill(system: ChaosSystem, where: string): Promise<FoundFact[]> {
  const facts: FoundFact[] = [];
  for (let last = 0; ; ) {
    const sql = `SELECT id, subject, object, count, valid_to IS NULL AS present FROM memory_fact
      WHERE id > ${last} AND ${where} ORDER BY id LIMIT ${PAGE}`;
    const rows = JSON.parse(await callSkill(system, 'sql', sql)) as (FoundFact & { id: number; present: number })[];
    facts.push(...rows.map(({ present, ...fact }) => ({ ...fact, isPresent: present === 1 })));
    last = rows.at(-1)?.id ?? 0;
    if (rows.length < PAGE) return facts;
  }
}

async function rowsOfSkill(system: ChaosSystem): Promise<FoundRow[]> {
  const rows: FoundRow[] = [];
  for (let last = -1; ; ) {
    const sql = `SELECT n, count(*) AS times FROM chaos_row WHERE n > ${last} GROUP BY n ORDER BY n LIMIT ${PAGE}`;
    const page = JSON.parse(await callSkill(system, 'sql', sql)) as FoundRow[];
    rows.push(...page);
    last = page.at(-1)?.n ?? 0;
    if (page.length < PAGE) return rows;
  }
}
