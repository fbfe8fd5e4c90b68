import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import type { DraftRequest, DraftResponse } from '../contract/index.ts';
import { STATUS_CODES } from '../skill/index.ts';
import type { SkillConnection } from './connection.ts';
import { ReplyError, SessionBrokenError } from './session.ts';

/** How long a skill may take to end a stream that was closed, in milliseconds, until it is cut. */
const CLOSE_GRACE_MS = 1000;

/** Is told what comes of a drafting stream, until that has ended. */
export interface DraftListener {
  onResponse(response: DraftResponse): void;
  /** After `send` returned false: it takes requests again. */
  onDrain(): void;
  /** Nothing further comes and nothing can be sent. Not called after `close` or `cut`. */
  onEnd(): void;
}

/** How the end is accounted for. */
interface Accounting {
  /** Of the trace that it is part of. */
  traceparent: string | undefined;
  done(): void;
  /** @returns the error with the skill's name and what became of it */
  failed(error: Error): Promise<Error>;
}

/** One drafting stream to one instance of a skill. */
export class DraftLine {
  /** Why it ended; undefined when that was no failure. */
  readonly ended: Promise<Error | undefined>;
  readonly #stream: ClientDuplexStream<DraftRequest, DraftResponse>;
  readonly #connection: SkillConnection;
  readonly #listener: DraftListener;
  readonly #accounting: Accounting;
  readonly #end = Promise.withResolvers<Error | undefined>();
  #isOpen = true;

  constructor(connection: SkillConnection, listener: DraftListener, accounting: Accounting) {
    this.ended = this.#end.promise;
    this.#connection = connection;
    this.#listener = listener;
    this.#accounting = accounting;
    this.#stream = connection.draft(accounting.traceparent);
    this.#stream.on('data', (response: DraftResponse) => {
      if (this.#isOpen) listener.onResponse(response);
    });
    this.#stream.on('drain', () => {
      if (this.#isOpen) listener.onDrain();
    });
    this.#stream.on('error', (error: ServiceError) => void this.#fail(error));
    this.#stream.on('end', () => {
      if (!this.#settle()) return;
      listener.onEnd();
      this.#accounting.done();
      this.#end.resolve(undefined);
    });
  }

  /** @returns false when what is sent waits for the skill to read: no more before `onDrain` */
  send(request: DraftRequest): boolean {
    return this.#isOpen ? this.#stream.write(request) : false;
  }

  /** The generation is over. */
  close(): void {
    if (!this.#settle()) return;
    this.#stream.end();
    // A skill that hangs, or goes on sending, does not end it.
    const timer = setTimeout(() => this.#stream.cancel(), CLOSE_GRACE_MS).unref();
    this.#stream.on('status', () => clearTimeout(timer));
    this.#accounting.done();
    this.#end.resolve(undefined);
  }

  /** Ends it at once, because of what the skill did. */
  cut(status: 'DATA_LOSS', message: string): void {
    if (!this.#settle()) return;
    this.#stream.cancel();
    void this.#account(new ReplyError(STATUS_CODES[status], message));
  }

  async #fail(error: ServiceError): Promise<void> {
    if (!this.#settle()) return;
    this.#listener.onEnd();
    // An instance that dies takes its session with it: that may be noticed after this.
    await new Promise(setImmediate);
    // Or before: then the connection was closed here, which cancels this stream.
    const isLost = error.code === STATUS_CODES.UNAVAILABLE || error.code === STATUS_CODES.CANCELLED;
    const isBroken = isLost && !this.#connection.session.usable;
    const why = error.details || error.message;
    await this.#account(isBroken ? new SessionBrokenError(true, why) : new ReplyError(error.code, why));
  }

  async #account(error: Error): Promise<void> {
    this.#end.resolve(await this.#accounting.failed(error));
  }

  #settle(): boolean {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    return wasOpen;
  }
}
