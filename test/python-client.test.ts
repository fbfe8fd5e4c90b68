/** A stock Python client, its stubs generated from our .proto by grpcio-tools, against the sql skill and one that drafts. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { chainNext, VOCABULARY } from './fixtures/skills/chain-draft/chain-model.ts';
import { availableRuntimes, createTestPool } from './support/pool.ts';
import { isMissing } from './support/requirements.ts';

const PYTHON = '/usr/bin/python3';
const ROOT = join(import.meta.dirname, '..');

function hasGrpcio(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import grpc, grpc_tools'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('a stock Python client', { skip: isMissing('python3-grpcio and python3-grpc-tools', hasGrpcio()) }, () => {
  const stubs = mkdtempSync(join(tmpdir(), 'phoenix-stubs-'));
  let test: ReturnType<typeof createTestPool>;
  let socket: string;

  before(async () => {
    const protos = ['skills.proto', 'grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto'];
    const out = [`--python_out=${stubs}`, `--grpc_python_out=${stubs}`];
    execFileSync(PYTHON, ['-m', 'grpc_tools.protoc', `-I${join(ROOT, 'proto')}`, ...out, ...protos]);
    const [runtime = 'process'] = await availableRuntimes();
    test = createTestPool(runtime);
    await test.pool.getSkillClient('sql');
    socket = join(test.paths.socketDir('sql'), 'skill.sock');
  });
  after(async () => {
    await test.cleanUp();
    rmSync(stubs, { recursive: true });
  });

  it('calls Infer, both kinds of Check, Watch, GetMetrics and reflection, and gets errors as statuses', () => {
    const script = join(import.meta.dirname, 'support/stock_client.py');
    const output = execFileSync(PYTHON, [script, socket, stubs], { encoding: 'utf8' });
    const answer = JSON.parse(output) as Record<string, unknown>;
    assert.deepEqual(answer.infer, [{ one: 1, name: "O'Neil" }]);
    assert.match(String(answer.model), /^sqlite 3\./);
    assert.equal(answer.check, 'SERVING');
    assert.equal(answer.health, 'SERVING');
    assert.equal(answer.unknown_service, 'NOT_FOUND');
    assert.equal(answer.watch, 'SERVING');
    assert.deepEqual(answer.streamed, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.deepEqual(answer.denied, ['PERMISSION_DENIED', 'changing the schema needs the grant "schema"']);
    assert.deepEqual(answer.services, [
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'sarai.skills.SkillService',
    ]);
    assert.ok(Number(answer.requests) >= 2);
  });

  it('calls Draft, says what is certain and gets what may follow', async () => {
    await test.pool.getSkillClient('chain-draft');
    const script = join(import.meta.dirname, 'support/draft_client.py');
    const draftSocket = join(test.paths.socketDir('chain-draft'), 'skill.sock');
    const output = execFileSync(PYTHON, [script, draftSocket, stubs, VOCABULARY.vocabularyHash], { encoding: 'utf8' });
    const answer = JSON.parse(output) as Record<'proposed' | 'certain' | 'proposed_then' | 'refused', number[]>;
    const chain = (tokens: number[]) => {
      const all = tokens.slice();
      for (let n = 0; n < 4; n++) all.push(chainNext(all, 11));
      return all.slice(tokens.length);
    };
    assert.deepEqual(answer, {
      opened: ['chain', VOCABULARY.vocabularyHash, VOCABULARY.vocabularySize, 512],
      proposed: chain([1, 2, 3]),
      certain: answer.certain,
      proposed_then: chain(answer.certain),
      left: 0,
      code: 'OK',
      refused: ['FAILED_PRECONDITION', answer.refused[1]],
    });
    assert.equal(answer.certain.length, 6);
    assert.match(String(answer.refused[1]), /the vocabulary is another one/);
  });
});
