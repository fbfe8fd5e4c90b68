/** An assistant that starts a skill and waits to be killed: `owner.ts RUNTIME STATE_DIR LEASE_MS`. */
import type { RuntimeName } from '../../src/runtimes/index.ts';
import { createTestPool } from './pool.ts';

const [runtime = 'process', stateDir, leaseMs] = process.argv.slice(2);
const { pool } = createTestPool(runtime as RuntimeName, { leaseMs: Number(leaseMs) }, stateDir);
await pool.getSkillClient('echo');
process.stdout.write('started\n');
setInterval(() => {}, 1000);
