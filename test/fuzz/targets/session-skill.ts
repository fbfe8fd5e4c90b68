import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Server, ServerCredentials, type StatusObject } from '@grpc/grpc-js';
import { InferRequest, InferResponse, SessionResponse } from '../../../src/contract/index.ts';
import { CallMetrics } from '../../../src/skill/call-metrics.ts';
import { Dispatcher } from '../../../src/skill/dispatcher.ts';
import { DraftService } from '../../../src/skill/draft-service.ts';
import { type LaunchConfig, type SkillHandler, statusName } from '../../../src/skill/index.ts';
import { skillService } from '../../../src/skill/service-definition.ts';
import { SessionService } from '../../../src/skill/session-service.ts';
import { createUnaryService } from '../../../src/skill/unary-service.ts';
import { kindOf, type TargetDefinition } from '../target.ts';
import { framesOf, WIRE_WORDS } from './frames.ts';

const METHODS = ['Session', 'Session', 'Infer', 'InferStream', 'Draft', 'Check', 'GetMetrics'] as const;
const TOKEN = 'the-token-of-this-launch';
/** Longest time from the last message to the end of the stream. */
const END_MS = 2000;

const CONFIG = {
  ...{ format: 1, skill: 'echo', version: '1.0.0', fingerprint: 'f', instanceId: 'i', ownerToken: TOKEN },
  ...{ isolation: 'process', concurrency: 4, queue: 4, requestBytes: 65_536, requestTimeoutMs: 100 },
  ...{ drainTimeoutMs: 1000, streamIdleMs: 1000, leaseMs: 0 },
} as unknown as LaunchConfig;

const handler: SkillHandler = {
  infer({ prompt }, { signal, grants }) {
    if (prompt === 'throw') throw new Error('thrown');
    if (prompt === 'wait') return sleep(60_000, 'late', { signal });
    assert.ok(grants.size === 0 || prompt !== 'no grants');
    return prompt;
  },
  async *inferStream({ prompt }) {
    yield* prompt.slice(0, 5);
  },
  drafter: {
    ...{ model: 'm', vocabularyHash: 'v', vocabularySize: 100, contextSize: 64 },
    open: ({ prompt }, { propose }) => ({ commit: (tokens) => propose(prompt.length + tokens.length, [1]) }),
  },
};

const asIs = (bytes: Buffer) => bytes;

/** The first byte names the method; the rest are messages as they travel. */
export const sessionInSkill: TargetDefinition = {
  name: 'session-skill',
  about: 'messages that a skill receives, through every method of its service',
  dictionary: [...WIRE_WORDS, TOKEN],
  maxLength: 8192,
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-skill-'));
    const metrics = new CallMetrics();
    const dispatcher = new Dispatcher(handler, CONFIG, metrics);
    const sessions = new SessionService(dispatcher, CONFIG);
    const server = new Server({ 'grpc.max_receive_message_length': CONFIG.requestBytes + 65_536 });
    server.addService(skillService, {
      ...createUnaryService(dispatcher, CONFIG),
      session: sessions.handle,
      draft: new DraftService(() => handler, CONFIG, metrics).handle,
    } as never);
    const address = `unix:${folder}/s`;
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(address, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
    const client = new Client(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    const send = (method: string, messages: readonly Buffer[]) =>
      new Promise<{ status: StatusObject; replies: Buffer[] }>((resolve, reject) => {
        const path = `/sarai.skills.SkillService/${method}`;
        const call = client.makeBidiStreamRequest(path, asIs, asIs);
        const timer = setTimeout(() => reject(new Error(`${method} did not end within ${END_MS} ms`)), END_MS);
        const replies: Buffer[] = [];
        call.on('data', (reply: Buffer) => replies.push(reply));
        call.on('error', () => undefined);
        call.on('status', (status: StatusObject) => {
          clearTimeout(timer);
          resolve({ status, replies });
        });
        for (const message of messages) call.write(message);
        call.end();
      });
    let runs = 0;
    return {
      run: async (input) => {
        const method = METHODS[(input[0] ?? 0) % METHODS.length] ?? 'Session';
        const messages = framesOf(input.subarray(1));
        const { status, replies } = await send(method, messages);
        if (method === 'Session') assert.equal(sessionBegan(replies), replies.length > 0, 'the first reply is hello');
        for (let wait = 0; dispatcher.metrics().inFlight > 0 || sessions.ownerlessSince === undefined; wait++) {
          assert.ok(wait < 200, `${dispatcher.metrics().inFlight} calls are left of a session that has ended`);
          await sleep(5);
        }
        if (++runs % 100 === 0) {
          const request = InferRequest.encode({ ...InferRequest.decode(new Uint8Array()), prompt: 'alive' }).finish();
          const alive = await send('Infer', [Buffer.from(request)]);
          assert.equal(InferResponse.decode(alive.replies[0] ?? new Uint8Array()).text, 'alive');
        }
        return `${method} ${statusName(status.code)} ${kindOf(status.details)} ${outcomesOf(method, replies)}`;
      },
      close: () => {
        client.close();
        server.forceShutdown();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

function sessionBegan(replies: readonly Buffer[]): boolean {
  return replies[0] !== undefined && SessionResponse.decode(replies[0]).hello !== undefined;
}

function outcomesOf(method: string, replies: readonly Buffer[]): string {
  if (method !== 'Session') return `${Math.min(replies.length, 3)}`;
  const kinds = replies.flatMap((reply) =>
    SessionResponse.decode(reply).replies.map(({ code, error }) => `${code} ${kindOf(error)}`),
  );
  return [...new Set(kinds)].sort().join('; ').slice(0, 200);
}
