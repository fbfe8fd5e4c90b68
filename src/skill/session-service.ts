import { timingSafeEqual } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { InferResponse, SessionCall, SessionReply, SessionRequest, SessionResponse } from '../contract/index.ts';
import { Call, type Dispatcher } from './dispatcher.ts';
import { SkillError } from './handler.ts';
import type { LaunchConfig } from './launch-config.ts';
import { Unreadable } from './service-definition.ts';
import { STATUS_CODES, toSkillError } from './status.ts';

/** The version of the session protocol that this host speaks. */
export const PROTOCOL_VERSION = 1;

const NO_GRANTS: ReadonlySet<string> = new Set();

type SessionStream = ServerDuplexStream<SessionRequest, SessionResponse>;

/** The sessions of this skill: many calls over one stream each. Knows whether an owner is connected. */
export class SessionService {
  readonly #dispatcher: Dispatcher;
  readonly #config: LaunchConfig;
  readonly #sessions = new Set<Session>();
  /** performance.now() when the last owner left, whatever happens to the wall clock; undefined while one is connected. */
  #ownerlessSince: number | undefined = performance.now();

  constructor(dispatcher: Dispatcher, config: LaunchConfig) {
    this.#dispatcher = dispatcher;
    this.#config = config;
  }

  get ownerlessSince(): number | undefined {
    return this.#ownerlessSince;
  }

  readonly handle = (stream: SessionStream): void => {
    const session = new Session(stream, this.#dispatcher, this.#config, () => this.#updateOwner());
    this.#sessions.add(session);
    stream.once('close', () => {
      this.#sessions.delete(session);
      session.abandon();
      this.#updateOwner();
    });
  };

  /** Tells every client to send no further calls. */
  announceDrain(): void {
    for (const session of this.#sessions) session.announceDrain();
  }

  /** Ends every stream once its replies are written. */
  end(): void {
    for (const session of this.#sessions) session.end();
  }

  #updateOwner(): void {
    const owned = [...this.#sessions].some((session) => session.owner);
    if (owned) this.#ownerlessSince = undefined;
    else this.#ownerlessSince ??= performance.now();
  }
}

class Session {
  owner = false;
  readonly #stream: SessionStream;
  readonly #dispatcher: Dispatcher;
  readonly #config: LaunchConfig;
  readonly #onHello: () => void;
  readonly #open = new Map<number, Call>();
  #greeted = false;
  #refused = false;
  #replies: SessionReply[] = [];
  #flushScheduled = false;

  constructor(stream: SessionStream, dispatcher: Dispatcher, config: LaunchConfig, onHello: () => void) {
    this.#stream = stream;
    this.#dispatcher = dispatcher;
    this.#config = config;
    this.#onHello = onHello;
    stream.on('data', (message: SessionRequest | Unreadable) => this.#receive(message));
    stream.on('end', () => this.end());
    stream.on('error', () => this.abandon());
  }

  announceDrain(): void {
    this.#write({ hello: undefined, replies: [], draining: true });
  }

  end(): void {
    this.#flush();
    if (!this.#stream.destroyed) this.#stream.end();
  }

  /** The client is gone: nobody waits for these answers. */
  abandon(): void {
    for (const call of this.#open.values()) this.#dispatcher.cancel(call);
    this.#open.clear();
  }

  #receive(message: SessionRequest | Unreadable): void {
    if (this.#refused) return;
    if (message instanceof Unreadable) return this.#refuse('INVALID_ARGUMENT', message.message);
    if (!this.#greeted) {
      this.#greet(message);
      if (!this.#greeted) return;
    }
    for (const id of message.cancel) {
      const call = this.#open.get(id);
      if (call) this.#dispatcher.cancel(call);
    }
    for (const call of message.calls) this.#start(call);
  }

  #greet({ hello }: SessionRequest): void {
    if (!hello) return this.#refuse('INVALID_ARGUMENT', 'the first message of a session must carry hello');
    if (hello.protocolVersion !== PROTOCOL_VERSION) {
      return this.#refuse(
        'FAILED_PRECONDITION',
        `session protocol ${hello.protocolVersion} is not spoken here; this skill speaks ${PROTOCOL_VERSION}`,
      );
    }
    if (hello.ownerToken !== '') {
      if (!sameSecret(hello.ownerToken, this.#config.ownerToken)) {
        return this.#refuse('UNAUTHENTICATED', 'the owner token is not the one of this launch');
      }
      this.owner = true;
    }
    this.#greeted = true;
    const { skill, version, fingerprint, instanceId, isolation, concurrency } = this.#config;
    this.#write({
      hello: {
        protocolVersion: PROTOCOL_VERSION,
        skill,
        version,
        fingerprint,
        instanceId,
        isolation,
        maxConcurrency: concurrency,
      },
      replies: [],
      draining: false,
    });
    this.#onHello();
  }

  #start({ id, request, timeoutMs, stream, grants }: SessionCall): void {
    if (this.#open.has(id)) return this.#fail(id, new SkillError('INVALID_ARGUMENT', `call id ${id} is already open`));
    if (!request) return this.#fail(id, new SkillError('INVALID_ARGUMENT', `call ${id} has no request`));
    if (grants.length > 0 && !this.owner) {
      return this.#fail(
        id,
        new SkillError('PERMISSION_DENIED', 'only the owner of a skill may use grants: send its token in hello'),
      );
    }
    const call = new Call({
      request,
      timeoutMs: timeoutMs || this.#config.requestTimeoutMs,
      grants: grants.length > 0 ? new Set(grants) : NO_GRANTS,
    });
    if (stream) {
      this.#open.set(id, call);
      void this.#pump(id, call);
      return;
    }
    try {
      const answer = this.#dispatcher.run(call);
      if (!(answer instanceof Promise)) return this.#reply(id, answer);
      this.#open.set(id, call);
      answer.then(
        (response) => this.#open.delete(id) && this.#reply(id, response),
        (error) => this.#open.delete(id) && this.#fail(id, error),
      );
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Sends the pieces of a streaming call, no faster than the client reads. */
  async #pump(id: number, call: Call): Promise<void> {
    try {
      for await (const response of this.#dispatcher.stream(call)) {
        this.#replies.push({ id, response, end: false, code: 0, error: '' });
        if (!this.#flush()) await new Promise((resolve) => this.#stream.once('drain', resolve).once('close', resolve));
      }
      this.#replies.push({ id, response: undefined, end: true, code: 0, error: '' });
      this.#scheduleFlush();
    } catch (error) {
      this.#fail(id, error);
    } finally {
      this.#open.delete(id);
    }
  }

  #reply(id: number, response: InferResponse): void {
    this.#replies.push({ id, response, end: true, code: 0, error: '' });
    this.#scheduleFlush();
  }

  #fail(id: number, error: unknown): void {
    const { status, message } = toSkillError(error);
    this.#replies.push({ id, response: undefined, end: true, code: STATUS_CODES[status], error: message });
    this.#scheduleFlush();
  }

  /** Replies that become ready in the same turn travel in one message. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    process.nextTick(() => this.#flush());
  }

  #flush(): boolean {
    this.#flushScheduled = false;
    if (this.#replies.length === 0) return true;
    const replies = this.#replies;
    this.#replies = [];
    return this.#write({ hello: undefined, replies, draining: false });
  }

  #write(message: SessionResponse): boolean {
    if (this.#stream.destroyed || this.#stream.writableEnded) return true;
    return this.#stream.write(message);
  }

  #refuse(status: SkillError['status'] | 'UNAUTHENTICATED', message: string): void {
    this.#refused = true;
    // Not destroy(), which would end the stream without telling the client.
    this.#stream.emit('error', Object.assign(new Error(message), { code: STATUS_CODES[status], details: message }));
  }
}

function sameSecret(given: string, expected: string): boolean {
  const a = Buffer.from(given);
  const b = Buffer.from(expected);
  return a.length === b.length && timingSafeEqual(a, b);
}
