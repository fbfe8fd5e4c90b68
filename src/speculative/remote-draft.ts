import type { DraftOpened, DraftProposal, DraftRequest, DraftResponse } from '../contract/index.ts';
import type { DraftLine, SkillClient } from '../pool/index.ts';
import type { Draft, DraftOptions, DraftStream } from './draft.ts';
import { Progress } from './progress.ts';

/** Where drafting streams are opened: the client of a skill that drafts. */
export interface DraftSource {
  readonly skill: string;
  draft(...parameters: Parameters<SkillClient['draft']>): Promise<Pick<DraftLine, 'send' | 'close' | 'cut' | 'ended'>>;
}

export interface RemoteDraftOptions {
  /** Tokens beyond those that are certain that the skill may propose, 1 to 64: twice what is verified at once. Default 16. */
  runAhead?: number;
  /** How long a generation lets the skill be launched, in milliseconds; meanwhile it goes on alone. Default 60 seconds. */
  launchTimeoutMs?: number;
}

/** A skill that drafts, over one stream for each generation. The skill is launched when it does not run. */
export class RemoteDraft implements Draft {
  readonly name: string;
  readonly #source: DraftSource;
  readonly #runAhead: number;
  readonly #launchTimeoutMs: number;

  constructor(source: DraftSource, { runAhead = 16, launchTimeoutMs = 60_000 }: RemoteDraftOptions = {}) {
    this.name = source.skill;
    this.#source = source;
    this.#runAhead = runAhead;
    this.#launchTimeoutMs = launchTimeoutMs;
  }

  open(prompt: readonly number[], options: DraftOptions): RemoteDraftStream {
    return new RemoteDraftStream(this.#source, prompt, options, this.#runAhead, this.#launchTimeoutMs);
  }
}

/**
 * One generation. It mirrors what the skill knows: a proposal counts when it continues what is certain, and is dropped when it was
 * made before the skill knew of a token that turned out different. What makes no sense ends the stream.
 */
export class RemoteDraftStream implements DraftStream {
  readonly #options: DraftOptions;
  readonly #runAhead: number;
  readonly #closing = new AbortController();
  readonly #progress = new Progress();
  readonly #tokens: number[];
  /** Proposed tokens that follow what is certain. */
  #proposed: number[] = [];
  #line: Awaited<ReturnType<DraftSource['draft']>> | undefined;
  #opened: DraftOpened | undefined;
  /** How many of the certain tokens were sent. */
  #sent = 0;
  #isWritable = false;
  /** How many certain tokens the skill knew when it last proposed. */
  #basis = 0;
  /** Proposals that were made with fewer certain tokens than this continue something else. */
  #staleBelow = 0;
  /** The end of the last proposal that counted. */
  #end = 0;
  /** How many tokens may still be proposed. A skill that makes sense never comes to its end. */
  #allowance = 0;
  #isAlive = true;
  #reason: string | undefined;

  constructor(
    source: DraftSource,
    prompt: readonly number[],
    options: DraftOptions,
    runAhead: number,
    launchTimeoutMs: number,
  ) {
    this.#options = options;
    this.#runAhead = runAhead;
    this.#tokens = prompt.slice();
    void this.#connect(source, launchTimeoutMs);
  }

  get alive(): boolean {
    return this.#isAlive;
  }

  /** Why it is not alive; undefined while it is, and after `close`. */
  get reason(): string | undefined {
    return this.#reason;
  }

  commit(tokens: readonly number[]): void {
    const from = this.#tokens.length;
    for (const token of tokens) this.#tokens.push(token);
    const wrong = tokens.findIndex((token, n) => n < this.#proposed.length && this.#proposed[n] !== token);
    if (wrong < 0) this.#proposed.splice(0, tokens.length);
    else this.#discard(from + wrong);
    if (this.#isWritable) this.#sendCommit();
  }

  async propose(count: number, waitMs: number): Promise<readonly number[]> {
    const deadline = performance.now() + waitMs;
    const wanted = Math.min(count, this.#runAhead);
    while (this.#isAlive && this.#proposed.length < wanted && performance.now() < deadline) {
      await this.#progress.until(deadline);
    }
    return this.#isAlive ? this.#proposed.slice(0, count) : [];
  }

  close(): void {
    this.#die(undefined);
    this.#line?.close();
  }

  async #connect(source: DraftSource, timeoutMs: number): Promise<void> {
    try {
      const line = await source.draft(
        {
          onResponse: (response) => this.#receive(response),
          onDrain: () => this.#sendCommit(),
          onEnd: () => this.#die('the skill ended the drafting stream'),
        },
        { signal: this.#closing.signal, timeoutMs },
      );
      this.#line = line;
      if (!this.#isAlive) return line.close();
      void line.ended.then((error) => {
        if (error) this.#reason = error.message;
      });
      this.#open();
    } catch (error) {
      this.#die((error as Error).message);
    }
  }

  /** The prompt is what is certain by now. */
  #open(): void {
    const { seed, temperature, topK, topP, minP, vocabularyHash } = this.#options;
    const prompt = this.#tokens.slice();
    this.#sent = prompt.length;
    this.#basis = prompt.length;
    this.#end = prompt.length;
    this.#allowance = this.#runAhead;
    const settings = { vocabularyHash, seed: BigInt(seed), temperature, topK, topP, minP, runAhead: this.#runAhead };
    this.#send({ open: { ...settings, prompt }, commit: undefined });
  }

  /** Everything that is certain and was not sent. While the skill does not read it gathers here, in one message. */
  #sendCommit(): void {
    this.#isWritable = true;
    const tokens = this.#tokens.slice(this.#sent);
    if (tokens.length === 0) return;
    const position = this.#sent;
    this.#sent = this.#tokens.length;
    this.#allowance += tokens.length + this.#runAhead;
    this.#send({ open: undefined, commit: { position, tokens } });
  }

  #send(request: DraftRequest): void {
    this.#isWritable = this.#line?.send(request) ?? false;
  }

  #receive({ opened, proposal }: DraftResponse): void {
    if (!this.#isAlive) return;
    if (opened && !this.#opened) {
      if (opened.vocabularyHash !== this.#options.vocabularyHash) return this.#cut('it has another vocabulary');
      this.#opened = opened;
      return;
    }
    if (!proposal || !this.#opened || !this.#makesSense(proposal, this.#opened)) {
      return this.#cut(`it sent what makes no sense: ${describe(proposal)}`);
    }
    this.#basis = proposal.basis;
    this.#allowance -= proposal.tokens.length;
    if (proposal.basis >= this.#staleBelow) this.#take(proposal);
  }

  /** Whether a skill that follows the contract can have sent it. */
  #makesSense({ basis, position, tokens }: DraftProposal, { vocabularySize }: DraftOpened): boolean {
    const isKnown = basis >= this.#basis && basis <= this.#sent;
    const isInRange = position >= basis && tokens.length > 0 && position + tokens.length <= basis + this.#runAhead;
    if (!isKnown || !isInRange || tokens.length > this.#allowance) return false;
    if (tokens.some((token) => token >= vocabularySize)) return false;
    // One that is not stale continues what came before, or what is certain by now.
    const isStale = basis < this.#staleBelow;
    return isStale || (position >= this.#end && position <= Math.max(this.#end, this.#tokens.length));
  }

  #take({ position, tokens }: DraftProposal): void {
    const certain = this.#tokens.length;
    // It may have been on its way while these became certain.
    for (let at = position; at < Math.min(certain, position + tokens.length); at++) {
      if (tokens[at - position] !== this.#tokens[at]) return this.#discard(at);
    }
    this.#end = position + tokens.length;
    for (const token of tokens.slice(Math.max(0, certain - position))) this.#proposed.push(token);
    this.#progress.report();
  }

  /** What was proposed for this position, which is certain now, was wrong: so is all that follows it. */
  #discard(position: number): void {
    this.#proposed = [];
    this.#staleBelow = position + 1;
    this.#end = position + 1;
  }

  #cut(message: string): void {
    this.#die(message);
    this.#line?.cut('DATA_LOSS', message);
  }

  #die(reason: string | undefined): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#isWritable = false;
    this.#reason = reason;
    this.#proposed = [];
    this.#closing.abort();
    this.#progress.report();
  }
}

function describe(proposal: DraftProposal | undefined): string {
  if (!proposal) return 'neither the one "opened" nor a proposal after it';
  const { basis, position, tokens } = proposal;
  return `${tokens.length} tokens at ${position}, knowing ${basis}: ${tokens.slice(0, 8)}`;
}
