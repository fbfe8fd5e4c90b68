/** An assistant that starts a skill, with spares, and waits to be killed: `owner.ts RUNTIME STATE_DIR LEASE_MS [SKILL [SPARES]]`. */
import type { RuntimeName } from '../../src/runtimes/index.ts';
import { createTestPool, untilSpares } from './pool.ts';

const [runtime = 'process', stateDir, leaseMs, skill = 'echo', spares = '0'] = process.argv.slice(2);
const options = { leaseMs: Number(leaseMs), skills: { [skill]: { warm: Number(spares) } } };
const { pool } = createTestPool(runtime as RuntimeName, options, stateDir);
await pool.getSkillClient(skill);
await untilSpares(pool, skill, Number(spares));
process.stdout.write('started\n');
setInterval(() => {}, 1000);
