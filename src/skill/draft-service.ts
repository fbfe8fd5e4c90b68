import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { DraftCommit, DraftOpen, DraftRequest, DraftResponse } from '../contract/index.ts';
import type { CallMetrics } from './call-metrics.ts';
import { type Drafter, type DraftSession, type DraftSettings, SkillError, type SkillHandler } from './handler.ts';
import type { LaunchConfig } from './launch-config.ts';
import { Unreadable } from './service-definition.ts';
import { STATUS_CODES, toSkillError } from './status.ts';

/** Tokens that a client may ask to be proposed beyond those that are certain. */
const MAX_RUN_AHEAD = 64;

type Stream = ServerDuplexStream<DraftRequest, DraftResponse>;

/**
 * The drafting streams of this skill. They take none of the slots of calls, because they last as long as a generation, and have no
 * deadline but a limit of silence. Who drafts is not needed for the generation to go on: when the skill stops or is reloaded they are
 * ended and not waited for.
 */
export class DraftService {
  readonly #handler: () => SkillHandler;
  readonly #config: Pick<LaunchConfig, 'skill' | 'concurrency' | 'streamIdleMs'>;
  readonly #metrics: CallMetrics;
  readonly #open = new Set<Draft>();
  #stopping = false;

  constructor(
    handler: () => SkillHandler,
    config: Pick<LaunchConfig, 'skill' | 'concurrency' | 'streamIdleMs'>,
    metrics: CallMetrics,
  ) {
    this.#handler = handler;
    this.#config = config;
    this.#metrics = metrics;
  }

  readonly handle = (stream: Stream): void => {
    const { skill, concurrency, streamIdleMs } = this.#config;
    this.#metrics.draftBegins();
    const { drafter } = this.#handler();
    const draft = new Draft(stream, drafter, streamIdleMs, this.#metrics, (status) => {
      this.#open.delete(draft);
      this.#metrics.draftEnds(status);
    });
    this.#open.add(draft);
    if (this.#stopping) {
      draft.fail(new SkillError('UNAVAILABLE', 'the skill is about to stop and takes no further streams'));
    } else if (!drafter) {
      draft.fail(new SkillError('UNIMPLEMENTED', `the skill ${skill} does not draft`));
    } else if (this.#open.size > concurrency) {
      draft.fail(
        new SkillError('RESOURCE_EXHAUSTED', `${concurrency} drafting streams are open, which is the limit; try later`),
      );
    }
  };

  /** Ends every stream and takes no further ones. */
  stop(): void {
    this.#stopping = true;
    this.endAll('the skill stops; the generation goes on without it');
  }

  /** Ends every stream; the clients go on without them. */
  endAll(why: string): void {
    for (const draft of [...this.#open]) draft.fail(new SkillError('UNAVAILABLE', why));
  }
}

/** One stream. What comes in is checked here, so that a drafter sees only what makes sense. */
class Draft {
  readonly #stream: Stream;
  readonly #drafter: Drafter | undefined;
  readonly #metrics: CallMetrics;
  readonly #onEnd: (status: string | undefined) => void;
  readonly #ending = new AbortController();
  readonly #idleMs: number;
  readonly #idleTimer: NodeJS.Timeout;
  #session: DraftSession | undefined;
  /** Tokens that are certain. */
  #certain = 0;

  constructor(
    stream: Stream,
    drafter: Drafter | undefined,
    idleMs: number,
    metrics: CallMetrics,
    onEnd: (status: string | undefined) => void,
  ) {
    this.#stream = stream;
    this.#drafter = drafter;
    this.#metrics = metrics;
    this.#onEnd = onEnd;
    this.#idleMs = idleMs;
    this.#idleTimer = setTimeout(() => this.#fallSilent(), idleMs);
    stream.on('data', (request: DraftRequest | Unreadable) => this.#receive(request));
    stream.on('end', () => this.#end(undefined) && stream.end());
    stream.on('drain', () => stream.resume());
    for (const event of ['cancelled', 'error', 'close']) stream.on(event, () => this.#end('CANCELLED'));
  }

  /** Ends the stream with an error. */
  fail(error: unknown): void {
    const { status, message } = toSkillError(error);
    if (!this.#end(status)) return;
    // Not destroy(), which would end the stream without telling the client.
    this.#stream.emit('error', Object.assign(new Error(message), { code: STATUS_CODES[status], details: message }));
  }

  /** @returns whether it had not ended yet */
  #end(status: string | undefined): boolean {
    if (this.#ending.signal.aborted) return false;
    clearTimeout(this.#idleTimer);
    this.#ending.abort(new SkillError('CANCELLED', 'the drafting stream has ended'));
    this.#onEnd(status);
    return true;
  }

  #fallSilent(): void {
    this.fail(
      new SkillError('DEADLINE_EXCEEDED', `the client of the drafting stream was silent for ${this.#idleMs} ms`),
    );
  }

  #receive(request: DraftRequest | Unreadable): void {
    if (this.#ending.signal.aborted || !this.#drafter) return;
    this.#idleTimer.refresh();
    if (request instanceof Unreadable) return this.fail(new SkillError('INVALID_ARGUMENT', request.message));
    const { open, commit } = request;
    try {
      if (open && !this.#session) this.#begin(this.#drafter, open);
      else if (commit && this.#session) this.#commit(this.#drafter, this.#session, commit);
      else throw new SkillError('INVALID_ARGUMENT', 'the first message, and no other, must carry "open"');
    } catch (error) {
      this.fail(error);
    }
  }

  #begin(drafter: Drafter, open: DraftOpen): void {
    const settings = readSettings(drafter, open);
    const { model, vocabularyHash, vocabularySize, contextSize } = drafter;
    this.#certain = settings.prompt.length;
    this.#session = drafter.open(settings, {
      signal: this.#ending.signal,
      propose: (position, tokens) => this.#propose(position, tokens),
      fail: (error) => this.fail(error),
    });
    this.#write({ opened: { model, vocabularyHash, vocabularySize, contextSize }, proposal: undefined });
  }

  #commit(drafter: Drafter, session: DraftSession, { position, tokens }: DraftCommit): void {
    if (position !== this.#certain) {
      throw new SkillError('INVALID_ARGUMENT', `a commit at position ${position}, where ${this.#certain} is next`);
    }
    checkTokens(drafter, tokens, this.#certain);
    this.#certain += tokens.length;
    session.commit(tokens);
  }

  #propose(position: number, tokens: readonly number[]): void {
    if (!this.#session) throw new SkillError('INTERNAL', 'the drafter proposed before its stream was open');
    this.#metrics.proposed(tokens.length);
    this.#write({ opened: undefined, proposal: { basis: this.#certain, position, tokens: tokens as number[] } });
  }

  #write(response: DraftResponse): void {
    if (this.#ending.signal.aborted) return;
    // A client that does not read what it gets is not read either; without commits the drafting comes to its limit.
    if (!this.#stream.write(response)) this.#stream.pause();
  }
}

/** @throws SkillError */
function readSettings(drafter: Drafter, open: DraftOpen): DraftSettings {
  const { vocabularyHash, prompt, seed, temperature, topK, topP, minP, runAhead } = open;
  if (vocabularyHash !== drafter.vocabularyHash) {
    throw new SkillError(
      'FAILED_PRECONDITION',
      `the vocabulary is another one: ${drafter.model} has ${drafter.vocabularyHash}, the client ${vocabularyHash || 'none'}`,
    );
  }
  if (prompt.length === 0) throw new SkillError('INVALID_ARGUMENT', 'the prompt has no tokens');
  checkTokens(drafter, prompt, 0);
  const settings = { prompt, seed: Number(seed), temperature, topK, topP, minP, runAhead };
  checkRange('seed', settings.seed, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  checkRange('temperature', temperature, 0, 100);
  checkRange('top_k', topK, 1, Number.POSITIVE_INFINITY);
  checkRange('top_p', topP, 0, 1);
  checkRange('min_p', minP, 0, 1);
  checkRange('run_ahead', runAhead, 1, MAX_RUN_AHEAD);
  return settings;
}

function checkRange(name: string, value: number, from: number, to: number): void {
  if (value >= from && value <= to) return;
  throw new SkillError('INVALID_ARGUMENT', `${name} must be from ${from} to ${to}, not ${value}`);
}

function checkTokens(drafter: Drafter, tokens: readonly number[], position: number): void {
  const { vocabularySize, contextSize } = drafter;
  if (position + tokens.length > contextSize) {
    throw new SkillError(
      'OUT_OF_RANGE',
      `${position + tokens.length} tokens do not fit into the draft's context of ${contextSize}`,
    );
  }
  const bad = tokens.find((token) => token >= vocabularySize);
  if (bad === undefined) return;
  throw new SkillError('INVALID_ARGUMENT', `${bad} is no token: the vocabulary has ${vocabularySize}`);
}
