/** Stores facts until it is killed, and prints each one after it was acknowledged: `storing-assistant.ts STATE_DIR ROUND`. */
import { join } from 'node:path';
import { EntityMemory, SkillSql } from '../../src/memory/index.ts';
import { availableRuntimes, createTestPool } from './pool.ts';

const [stateDir = '', round = ''] = process.argv.slice(2);
const [runtime = 'process'] = await availableRuntimes();
const { pool } = createTestPool(runtime, {}, stateDir);
const memory = new EntityMemory({ path: join(stateDir, 'memory.db'), remote: new SkillSql(pool) });
for (let n = 0; ; n++) {
  await memory.storeSvo('Ana', 'tiene', `${round}-${n}`);
  process.stdout.write(`${round}-${n}\n`);
}
