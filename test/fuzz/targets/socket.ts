import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { socketPath } from '../../../src/runtimes/local/paths.ts';
import { availableRuntimes, createTestPool } from '../../support/pool.ts';
import type { TargetDefinition } from '../target.ts';

const SKILL = 'stateless';
/** How long an answer is waited for; what says nothing is read on. */
const QUIET_MS = 4;
const RUNS_PER_CHECK = 25;
const MAX_MEMORY_BYTES = 200e6;

/** Frames of HTTP/2 (RFC 9113, section 4.1): length, type, flags, stream. */
const frame = (type: number, flags: number, stream: number, payload = '') => {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head.toString('latin1') + payload;
};

/** The input is what somebody writes to the socket of a skill that runs. */
export const socket: TargetDefinition = {
  name: 'socket',
  about: 'bytes on the socket of a skill that runs',
  dictionary: [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((type) => frame(type, 0x4, 1, '\0\0\0\0')),
    ...[frame(4, 0, 0), frame(4, 1, 0), frame(6, 0, 0, '12345678'), frame(9, 4, 1, 'x'.repeat(50)), frame(1, 5, 3)],
    ...[
      'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
      '/sarai.skills.SkillService/Session',
      'application/grpc',
      'te',
      'trailers',
    ],
  ],
  open: async () => {
    const [runtime = 'process'] = await availableRuntimes();
    const { pool, paths, cleanUp } = createTestPool(runtime);
    const client = await pool.getSkillClient(SKILL);
    const path = socketPath(paths, SKILL);
    assert.ok(existsSync(path), path);
    const instanceOf = async () => (await pool.status(SKILL))[0];
    const first = await instanceOf();
    let runs = 0;
    return {
      run: async (input) => {
        const outcome = await send(path, input);
        if (++runs % RUNS_PER_CHECK === 0) {
          await client.infer({ prompt: 'alive' });
          const now = await instanceOf();
          assert.equal(now?.instanceId, first?.instanceId, 'the skill was restarted');
          assert.ok((now?.memoryBytes ?? 0) < MAX_MEMORY_BYTES, `the skill takes ${now?.memoryBytes} bytes`);
        }
        return outcome;
      },
      close: cleanUp,
    };
  },
};

function send(path: string, input: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const connection = connect(path);
    let answer = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (how: string) => {
      clearTimeout(timer);
      connection.destroy();
      // In powers of two: how much is said tells what was understood.
      resolve(`${how} ${answer === 0 ? 0 : Math.ceil(Math.log2(answer))}`);
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => finish('open'), QUIET_MS);
    };
    connection.on('connect', () => connection.write(input, wait));
    connection.on('data', (data) => {
      answer += data.length;
      wait();
    });
    connection.on('error', () => finish('reset'));
    connection.on('close', () => finish('closed'));
  });
}
