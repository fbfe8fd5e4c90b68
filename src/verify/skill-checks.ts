/** Patch #1: `getSkillClient` launches a skill, and reuses it. */
import { connectEngine } from '../deploy/index.ts';
import { type Check, fail, impossible, pass } from './check.ts';

const SKILL = 'sql';
const SERVING = 1;

export const clientCheck: Check = {
  id: 'patch-1',
  line: `Patch #1: pool.getSkillClient('${SKILL}') hands out a client, and it answers`,
  async run({ pool, signal }) {
    const client = await pool.getSkillClient(SKILL, { signal });
    const { text, model } = await client.infer({ prompt: 'SELECT 1 AS one' }, { signal });
    return text === '[{"one":1}]' ? pass(`SELECT 1 -> ${text} (${model})`) : fail(`SELECT 1 answered ${text}`);
  },
};

export const launchTests: Check[] = [
  {
    id: 'test_get_skill_client_launches_container/up',
    line: 'test_get_skill_client_launches_container: `docker ps` shows the container as "Up"',
    async run({ pool, signal }) {
      await pool.getSkillClient(SKILL, { signal });
      const [status] = await pool.status(SKILL);
      if (status?.runtime !== 'docker')
        return impossible(`skills run in the ${status?.isolation} here, because no container engine answers`);
      const engine = await connectEngine();
      const query = encodeURIComponent(
        JSON.stringify({ label: [`sarai.skill=${SKILL}`, `sarai.instance=${status.instanceId}`] }),
      );
      const found = await engine.json<{ Names: string[]; Status: string }[]>(
        'GET',
        `/containers/json?filters=${query}`,
      );
      const [container] = found;
      const seen = `${container?.Names[0]?.slice(1)}: ${container?.Status}`;
      return container?.Status.startsWith('Up')
        ? pass(seen)
        : fail(`the engine shows ${found.length} of them; ${seen}`);
    },
  },
  {
    id: 'test_get_skill_client_launches_container/health',
    line: 'test_get_skill_client_launches_container: client.Check(HealthCheckRequest()) is SERVING',
    async run({ pool, signal }) {
      const { status, message } = await (await pool.getSkillClient(SKILL, { signal })).check();
      const [{ isolation, runtime } = { isolation: undefined, runtime: undefined }] = await pool.status(SKILL);
      return status === SERVING
        ? pass(`SERVING (${runtime}, isolation: ${isolation})`)
        : fail(`status ${status}: ${message}`);
    },
  },
  {
    id: 'test_get_skill_client_reuses_existing',
    line: 'test_get_skill_client_reuses_existing: the second client is the first one, nothing is launched twice',
    async run({ pool, signal }) {
      const before = (await pool.status(SKILL))[0];
      const [first, second] = await Promise.all([1, 2].map(() => pool.getSkillClient(SKILL, { signal })));
      const after = (await pool.status(SKILL))[0];
      if (first !== second) return fail('two callers got two clients');
      if (before?.instanceId !== after?.instanceId) return fail(`another instance runs: ${after?.instanceId}`);
      return pass(`one client, one instance (${after?.instanceId}), ${after?.restarts} restarts`);
    },
  },
];
