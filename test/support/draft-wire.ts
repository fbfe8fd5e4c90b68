/** Drafting streams without a network: the client's end and the skill's end in one process, with as much delay as a test likes. */
import { Duplex } from 'node:stream';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { DraftRequest, DraftResponse } from '../../src/contract/index.ts';
import type { DraftListener } from '../../src/pool/index.ts';
import type { DraftSource } from '../../src/speculative/index.ts';

type Line = Awaited<ReturnType<DraftSource['draft']>>;

/** A source of which the test plays the skill. */
export class ScriptedSource implements DraftSource {
  readonly skill = 'scripted';
  readonly sent: DraftRequest[] = [];
  readonly line: Line;
  listener: DraftListener | undefined;
  /** `close`, or what it was cut for. */
  end: string | undefined;
  isWritable = true;

  constructor() {
    this.line = {
      send: (request) => {
        this.sent.push(request);
        return this.isWritable;
      },
      close: () => {
        this.end ??= 'close';
      },
      cut: (_, message) => {
        this.end ??= message;
      },
      ended: new Promise(() => {}),
    };
  }

  draft(listener: DraftListener): Promise<Line> {
    this.listener = listener;
    return Promise.resolve(this.line);
  }
}

/** A source whose streams end in `handle`, which is what a skill serves Draft with. Messages take `turns()` turns of the event loop. */
export function wiredSource(
  handle: (stream: ServerDuplexStream<DraftRequest, DraftResponse>) => void,
  turns: () => number,
) {
  return {
    skill: 'wired',
    draft: (listener: DraftListener): Promise<Line> => {
      const ended = Promise.withResolvers<Error | undefined>();
      const toSkill = new Delayed<DraftRequest | undefined>(turns, (request) => skill.push(request ?? null));
      const toClient = new Delayed<DraftResponse>(turns, (response) => listener.onResponse(response));
      const skill = new Duplex({
        objectMode: true,
        read: () => {},
        write: (response: DraftResponse, _, callback) => {
          toClient.send(response);
          callback();
        },
      });
      skill.on('error', (error) => {
        listener.onEnd();
        ended.resolve(error);
      });
      handle(skill as unknown as ServerDuplexStream<DraftRequest, DraftResponse>);
      return Promise.resolve({
        send: (request: DraftRequest) => {
          toSkill.send(request);
          return true;
        },
        close: () => toSkill.send(undefined),
        cut: () => skill.destroy(),
        ended: ended.promise,
      });
    },
  } satisfies DraftSource;
}

/** Delivers in order, some turns of the event loop later. */
class Delayed<T> {
  readonly #turns: () => number;
  readonly #deliver: (message: T) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(turns: () => number, deliver: (message: T) => void) {
    this.#turns = turns;
    this.#deliver = deliver;
  }

  send(message: T): void {
    const before = this.#last;
    this.#last = (async () => {
      for (let n = this.#turns(); n > 0; n--) await new Promise(setImmediate);
      await before;
      this.#deliver(message);
    })();
  }
}
