import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Engine } from '../runtimes/index.ts';
import type { ServiceState } from './containers.ts';
import { DeployError } from './error.ts';
import { failure } from './health.ts';

const POLL_MS = 200;
const REQUEST_MS = 5000;
const skillsSchema = z.object({
  skills: z.array(z.object({ name: z.string(), state: z.string(), error: z.string().optional() })),
});

/** Waits until the assistant answers on its address and is connected to every skill. @throws DeployError with its last log lines */
export async function untilSkillsReady(
  engine: Engine,
  assistant: ServiceState,
  url: string,
  token: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  let problem = 'it was not asked yet';
  while (true) {
    try {
      const skills = await listSkills(url, token);
      const waiting = names.map((name) => skills.find((skill) => skill.name === name) ?? { name, state: 'missing' });
      const late = waiting.find(({ state }) => state !== 'ready');
      if (!late) return;
      problem = `skill ${late.name} is ${late.state}${'error' in late && late.error ? `: ${late.error}` : ''}`;
      if (late.state === 'stopped') await startSkill(url, token, late.name);
    } catch (error) {
      problem = `${url} does not answer: ${((error as Error).cause as Error | undefined)?.message ?? (error as Error).message}`;
    }
    if (signal.aborted) throw new DeployError(await failure(engine, assistant, problem));
    await sleep(POLL_MS);
  }
}

async function listSkills(url: string, token: string): Promise<z.output<typeof skillsSchema>['skills']> {
  const response = await fetch(`${url}/api/skills`, request(token));
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return skillsSchema.parse(await response.json()).skills;
}

/** The assistant connects to a skill when it is needed; here it is needed. */
async function startSkill(url: string, token: string, name: string): Promise<void> {
  const init = { ...request(token), method: 'POST', body: '{}' };
  await (await fetch(`${url}/api/skills/${name}/start`, init)).arrayBuffer();
}

function request(token: string): RequestInit {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return { headers, signal: AbortSignal.timeout(REQUEST_MS) };
}
