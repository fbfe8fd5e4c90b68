import type { ClientDuplexStream } from '@grpc/grpc-js';
import type {
  InferRequest,
  InferResponse,
  ServerHello,
  SessionCall,
  SessionReply,
  SessionRequest,
  SessionResponse,
  SkillServiceClient,
} from '../contract/index.ts';
import { PROTOCOL_VERSION } from '../skill/index.ts';

/** A message is split when its calls together are larger than this, in bytes of prompts. */
const MAX_BATCH_BYTES = 1024 ** 2;

/** The answer that the skill gave with a status other than OK. */
export class ReplyError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The connection ended before the answer came. `sent`: the skill may have seen the call. */
export class SessionBrokenError extends Error {
  readonly sent: boolean;

  constructor(sent: boolean, message: string) {
    super(message);
    this.sent = sent;
  }
}

export interface CallSettings {
  timeoutMs: number;
  grants: readonly string[];
}

interface OpenCall {
  sent: boolean;
  onReply(reply: SessionReply): void;
  onBroken(error: SessionBrokenError): void;
}

/**
 * Many calls over one gRPC stream. Calls of one turn of the event loop travel in one message.
 *
 * Knows no deadlines: who calls decides how long to wait, and cancels.
 */
export class SkillSession {
  readonly hello: Promise<ServerHello>;
  /** Resolves, with the reason, when no further call can be made. */
  readonly ended: Promise<string>;
  readonly #stream: ClientDuplexStream<SessionRequest, SessionResponse>;
  readonly #open = new Map<number, OpenCall>();
  #queue: SessionCall[] = [];
  #cancels: number[] = [];
  #flushScheduled = false;
  #nextId = 1;
  #draining = false;
  #broken: string | undefined;
  #endedResolve: (reason: string) => void = () => {};

  constructor(client: SkillServiceClient, ownerToken: string) {
    this.#stream = client.session();
    this.ended = new Promise((resolve) => {
      this.#endedResolve = resolve;
    });
    this.hello = new Promise((resolve, reject) => {
      this.#stream.on('data', (message: SessionResponse) => {
        if (message.hello) resolve(message.hello);
        if (message.draining) {
          this.#draining = true;
          this.#endedResolve('the skill is about to stop');
        }
        for (const reply of message.replies) this.#receive(reply);
      });
      void this.ended.then((reason) => reject(new Error(reason)));
    });
    this.hello.catch(() => {});
    this.#stream.on('error', (error) => this.#break(error.message));
    this.#stream.on('end', () => this.#break('the skill ended the session'));
    this.#stream.write({ hello: { protocolVersion: PROTOCOL_VERSION, ownerToken }, calls: [], cancel: [] });
  }

  /** Whether calls can be made. */
  get usable(): boolean {
    return this.#broken === undefined && !this.#draining;
  }

  /**
   * Starts a call. `onReply` gets every reply, the last one with `end`; or `onBroken` is called.
   *
   * @returns the id to cancel it by
   */
  start(
    request: InferRequest,
    { timeoutMs, grants }: CallSettings,
    stream: boolean,
    call: Omit<OpenCall, 'sent'>,
  ): number {
    const id = this.#nextId;
    this.#nextId = id >= 0xffff_ffff ? 1 : id + 1;
    const open: OpenCall = { ...call, sent: false };
    this.#open.set(id, open);
    this.#queue.push({ id, request, timeoutMs, stream, grants: grants as string[] });
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      process.nextTick(() => this.#flush());
    }
    return id;
  }

  /** One request, one answer. The promise rejects with ReplyError or SessionBrokenError. */
  infer(request: InferRequest, settings: CallSettings): { id: number; answer: Promise<InferResponse> } {
    let id = 0;
    const answer = new Promise<InferResponse>((resolve, reject) => {
      id = this.start(request, settings, false, {
        onReply: ({ response, code, error }) => (response ? resolve(response) : reject(new ReplyError(code, error))),
        onBroken: reject,
      });
    });
    return { id, answer };
  }

  /** Tells the skill that nobody waits for this answer any more; nothing further comes of the call. */
  cancel(id: number): void {
    if (!this.#open.delete(id)) return;
    this.#cancels.push(id);
    this.#flush();
  }

  /** Lets no further call in; those that are open end as broken. */
  close(): void {
    this.#stream.cancel();
    this.#break('the session was closed');
  }

  #receive(reply: SessionReply): void {
    const call = this.#open.get(reply.id);
    if (!call) return;
    if (reply.end) this.#open.delete(reply.id);
    call.onReply(reply);
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#broken !== undefined) {
      this.#failAll(this.#broken);
      return;
    }
    let calls: SessionCall[] = [];
    let bytes = 0;
    for (const call of this.#queue) {
      const open = this.#open.get(call.id);
      if (!open) continue;
      open.sent = true;
      calls.push(call);
      bytes += call.request?.prompt.length ?? 0;
      if (bytes > MAX_BATCH_BYTES) {
        this.#stream.write({ hello: undefined, calls, cancel: [] });
        calls = [];
        bytes = 0;
      }
    }
    this.#queue = [];
    const cancel = this.#cancels;
    this.#cancels = [];
    if (calls.length > 0 || cancel.length > 0) this.#stream.write({ hello: undefined, calls, cancel });
  }

  #break(reason: string): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    this.#endedResolve(reason);
    this.#failAll(reason);
  }

  #failAll(reason: string): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    this.#queue = [];
    for (const call of open) call.onBroken(new SessionBrokenError(call.sent, reason));
  }
}
