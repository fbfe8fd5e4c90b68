/** What is asked of the assistant while things break: arrivals are open, so that what hangs does not slow the load down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { randomNumbers } from '../../src/random.ts';
import { type CallTrace, StatusError } from './client.ts';
import type { FoundFact, Ledger, Outcome } from './ledger.ts';
import { type Noise, now } from './noise.ts';
import { type ChaosSystem, MEMORY_TIMEOUT_MS } from './system.ts';
import type { Violation } from './violation.ts';

/** What a call may take beyond its deadline, in milliseconds. */
export const GRACE_MS = 100;
/** After so much more, in milliseconds, nobody waits for it. */
const PATIENCE_MS = 3000;
/** Of what a machine with too much to do takes from a call, about half is seen: the skill waits for a processor, too. */
const NOISE_FACTOR = 2;
const MOVERS = 12;
const DEADLINES_MS = [200, 500, 1000];

export interface Page {
  from: 'skill' | 'local';
  triples: { subject: string; object: string; count: number; validTo: number | null }[];
}

export const found = ({ triples }: Pick<Page, 'triples'>): FoundFact[] =>
  triples.map(({ validTo, ...fact }) => ({ ...fact, isPresent: validTo === null }));

export interface LoadCounts {
  calls: number;
  answered: number;
  failed: number;
  /** Longest time beyond a deadline that the machine did not cause, in milliseconds. */
  worstOverrunMs: number;
}

interface LoadOptions {
  system: ChaosSystem;
  ledger: Ledger;
  noise: Noise;
  seed: number;
  onViolation: (violation: Violation) => void;
}

export class Load {
  readonly counts: LoadCounts = { calls: 0, answered: 0, failed: 0, worstOverrunMs: 0 };
  /** Subject of the facts that are stored now. */
  subject = 'load 0';
  /** The local copy was damaged: what it answers until the skill has been asked may lack facts. */
  factsMayBeMissing = false;
  /** The assistant may accept no connection: a call over a new one has perhaps not begun. */
  connectionsMayWait = false;
  readonly #options: LoadOptions;
  readonly #random: () => number;
  readonly #open = new Set<Promise<void>>();
  readonly #moving = new Set<string>();
  #isPaused = true;
  #isEnded = false;
  #n = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#random = randomNumbers(options.seed);
    this.#arrive(12, () => this.#store());
    this.#arrive(15, () => this.#recall());
    this.#arrive(5, () => this.#move());
    this.#arrive(15, () => this.#call());
    this.#arrive(5, () => this.#callTooLong());
    this.#arrive(8, () => this.#sql());
    this.#arrive(6, () => this.#insert());
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Resolves when nothing is under way. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.pause();
  }

  /** Calls at random times, so many in a second: a Poisson process. */
  #arrive(rate: number, run: () => Promise<void>): void {
    const next = () => {
      if (this.#isEnded) return;
      const gap = (-Math.log(1 - this.#random()) / rate) * 1000;
      setTimeout(() => {
        if (!this.#isPaused) {
          const one = run().finally(() => this.#open.delete(one));
          this.#open.add(one);
        }
        next();
      }, gap);
    };
    next();
  }

  /** Asks, and looks at how long that took. @returns undefined when there was no answer, or an error */
  async #ask<T>(deadlineMs: number, method: string, path: string, body?: object): Promise<T | undefined> {
    const { system, noise, onViolation } = this.#options;
    this.counts.calls++;
    const started = now();
    const trace: CallTrace = {};
    const mayWait = this.connectionsMayWait;
    try {
      const answer = await system.ask<T>(method, path, body, deadlineMs + PATIENCE_MS, trace);
      this.counts.answered++;
      return answer;
    } catch (error) {
      this.counts.failed++;
      this.#checkError(error, path);
      return undefined;
    } finally {
      const ended = now();
      const late = ended - started - deadlineMs;
      // The delay itself is noted when it is over.
      if (late > GRACE_MS) await sleep(30);
      const isAccepted = trace.isReused || !(mayWait || this.connectionsMayWait);
      const overrun = isAccepted ? late - NOISE_FACTOR * noise.between(started, ended) : 0;
      this.counts.worstOverrunMs = Math.max(this.counts.worstOverrunMs, overrun);
      if (overrun > GRACE_MS) {
        const detail = `${method} ${path} took ${Math.round(ended - started)} ms, ${Math.round(overrun)} beyond its deadline`;
        onViolation({ invariant: 'late', detail });
      }
    }
  }

  /** An error that does not say what happened is a wrong answer, too. */
  #checkError(error: unknown, path: string): void {
    if (error instanceof StatusError && error.status === 500)
      this.#options.onViolation({ invariant: 'wrong', detail: `${path} answers ${error.message}` });
  }

  async #tell(subject: string, verb: string, object: string): Promise<Outcome> {
    const fact = { subject, verb, object };
    const answer = await this.#ask<{ stored: number }>(MEMORY_TIMEOUT_MS, 'POST', '/api/memory', fact);
    return answer?.stored === 1 ? 'acknowledged' : 'unknown';
  }

  async #store(): Promise<void> {
    const { subject } = this;
    const object = `cosa ${this.#n++}`;
    this.#options.ledger.fact(subject, object, await this.#tell(subject, 'tiene', object));
  }

  async #move(): Promise<void> {
    const subject = `mover ${Math.floor(this.#random() * MOVERS)}`;
    // Of two at once nobody could say which is the last.
    if (this.#moving.has(subject)) return;
    this.#moving.add(subject);
    const object = `sitio ${this.#n++}`;
    const outcome = await this.#tell(subject, 'vive_en', object);
    // While the copies are being put together, what is the latest is told by times, and the clock may have jumped.
    const isOrdered = outcome === 'acknowledged' && !this.factsMayBeMissing;
    this.#options.ledger.move(subject, object, isOrdered ? 'acknowledged' : 'unknown');
    if (isOrdered) await this.#checkMove(subject, object);
    this.#moving.delete(subject);
  }

  async #checkMove(subject: string, object: string): Promise<void> {
    const page = await this.#askFacts({ subject, verb: 'vive_en' });
    if (!page || this.#isIncomplete(page)) return;
    if (page.triples.length === 1 && page.triples[0]?.object === object) return;
    const detail = `${subject} was told to be in ${object}, is in ${JSON.stringify(page.triples)}`;
    this.#options.onViolation({ invariant: 'wrong', detail });
  }

  async #recall(): Promise<void> {
    const { ledger, onViolation } = this.#options;
    const fact = ledger.known[Math.floor(this.#random() * ledger.known.length)];
    const isKnown = fact !== undefined && this.#random() < 0.9;
    const page = await this.#askFacts(isKnown ? fact : { subject: 'nobody', object: `nothing ${this.#n++}` });
    if (!page || this.#isIncomplete(page)) return;
    const isRight = isKnown
      ? page.triples.length === 1 && page.triples[0]?.object === fact.object && page.triples[0].count === 1
      : page.triples.length === 0;
    if (isRight) return;
    const detail = `recall of ${JSON.stringify(fact)}: ${JSON.stringify(page)}`;
    onViolation({ invariant: page.triples.length === 0 ? 'lost' : 'wrong', detail });
  }

  #isIncomplete({ from }: Page): boolean {
    return this.factsMayBeMissing && from === 'local';
  }

  async #askFacts(query: Record<string, string>): Promise<Page | undefined> {
    return await this.#ask<Page>(1000, 'GET', `/api/memory?${new URLSearchParams(query)}`);
  }

  async #skill(skill: string, body: { prompt: string; parameters?: unknown[] }): Promise<string | undefined> {
    const timeoutMs = DEADLINES_MS[Math.floor(this.#random() * DEADLINES_MS.length)] ?? 0;
    const call = { ...body, timeoutMs };
    return (await this.#ask<{ text: string }>(timeoutMs, 'POST', `/api/skills/${skill}/call`, call))?.text;
  }

  async #call(): Promise<void> {
    const prompt = `${this.#random()} ${'x'.repeat(2 ** (this.#random() * 14))}`;
    this.#expect('echo', prompt, await this.#skill('echo', { prompt }));
  }

  async #callTooLong(): Promise<void> {
    const ms = Math.floor(this.#random() * 1500);
    this.#expect('echo', `slept ${ms}`, await this.#skill('echo', { prompt: `sleep:${ms}` }));
  }

  async #sql(): Promise<void> {
    const n = this.#n++;
    this.#expect(
      'sql',
      `[{"twice":${n * 2}}]`,
      await this.#skill('sql', { prompt: 'SELECT ? * 2 AS twice', parameters: [n] }),
    );
  }

  async #insert(): Promise<void> {
    const n = this.#n++;
    const answer = await this.#skill('sql', { prompt: 'INSERT INTO chaos_row VALUES (?)', parameters: [n] });
    this.#options.ledger.row(n, answer === '[]' ? 'acknowledged' : 'unknown');
  }

  #expect(skill: string, expected: string, answer: string | undefined): void {
    if (answer === undefined || answer === expected) return;
    const detail = `${skill} answers ${answer.slice(0, 100)}, not ${expected.slice(0, 100)}`;
    this.#options.onViolation({ invariant: 'wrong', detail });
  }
}
