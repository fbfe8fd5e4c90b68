import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type handleBidiStreamingCall, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { health, InferRequest, SkillServiceService } from '../../../src/contract/index.ts';
import { SkillConnection } from '../../../src/pool/connection.ts';
import { ReplyError, SessionBrokenError } from '../../../src/pool/session.ts';
import type { Instance } from '../../../src/runtimes/index.ts';
import { kindOf, type TargetDefinition } from '../target.ts';
import { framesOf, WIRE_WORDS } from './frames.ts';

/** From the end of the stream to the end of every call. */
const SETTLE_MS = 2000;
const { SERVING } = health.HealthCheckResponse_ServingStatus;

/** The input is what a skill answers in its session: messages as they travel. Three calls wait for it. */
export const sessionInPool: TargetDefinition = {
  name: 'session-pool',
  about: 'messages that the pool receives from a skill',
  dictionary: [...WIRE_WORDS, 'evil', 'instance', 'print'],
  maxLength: 8192,
  open: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'phoenix-fuzz-pool-'));
    const path = join(folder, 's');
    let messages: readonly Buffer[] = [];
    const session: handleBidiStreamingCall<unknown, Buffer> = (stream) => {
      let isAnswered = false;
      stream.on('data', () => {
        if (isAnswered) return;
        isAnswered = true;
        for (const message of messages) stream.write(message);
        // Once the calls, which begin with the hello, are sent.
        setTimeout(() => stream.end(), 2);
      });
      stream.on('error', () => undefined);
    };
    const server = new Server();
    const raw = { ...SkillServiceService.session, responseSerialize: (bytes: Buffer) => bytes };
    server.addService({ session: raw } as never, { session } as never);
    server.addService(
      { watch: health.HealthService.watch } as never,
      {
        watch: (call: ServerWritableStream<unknown, health.HealthCheckResponse>) => call.write({ status: SERVING }),
      } as never,
    );
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (e) => (e ? reject(e) : resolve())),
    );
    const instance = {
      ...{ skill: 'evil', fingerprint: 'print', instanceId: 'instance', ownerToken: 'token' },
      endpoint: { kind: 'unix', path },
    } as Instance;
    return {
      run: async (input) => {
        messages = framesOf(input);
        const connection = await open(instance);
        if (typeof connection === 'string') return connection;
        const request = { ...InferRequest.decode(new Uint8Array()), prompt: 'x' };
        const settings = { timeoutMs: 1000, grants: [] };
        const unary = [1, 2].map(() => connection.session.infer(request, settings).answer);
        const streamed = new Promise<string>((resolve, reject) => {
          let pieces = 0;
          connection.session.start(request, settings, true, {
            onReply: ({ end, response }) => {
              if (response) pieces++;
              if (end) resolve(`${Math.min(pieces, 3)} pieces`);
            },
            onBroken: reject,
          });
        });
        const all = Promise.allSettled([...unary.map((answer) => answer.then(checked)), streamed]);
        const late = new Promise<never>((_, reject) =>
          setTimeout(() => reject(new Error('a call hangs after the end of its session')), SETTLE_MS).unref(),
        );
        try {
          const outcomes = (await Promise.race([all, late])).map((result) => {
            if (result.status === 'fulfilled') return result.value;
            const { reason } = result;
            assert.ok(reason instanceof ReplyError || reason instanceof SessionBrokenError, String(reason));
            return `${reason.name} ${kindOf(reason.message)}`;
          });
          return outcomes.join(', ');
        } finally {
          connection.close();
        }
      },
      close: () => {
        server.forceShutdown();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

async function open(instance: Instance): Promise<SkillConnection | string> {
  try {
    return await SkillConnection.open(instance, AbortSignal.timeout(SETTLE_MS));
  } catch (error) {
    assert.ok(error instanceof Error && error.name !== 'TimeoutError', `the connection hangs: ${error}`);
    return kindOf(error.message);
  }
}

function checked(response: unknown): string {
  const { text, model, finishReason } = response as Record<string, unknown>;
  for (const each of [text, model, finishReason]) assert.equal(typeof each, 'string');
  return 'answer';
}
