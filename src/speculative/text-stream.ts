/** What bytes become that are no whole character; a text may hold it, too. */
const INCOMPLETE = '\uFFFD';

/** Turns tokens into text piece by piece, and finds stop sequences in it, wherever the borders of the tokens are. */
export class TextStream {
  readonly #detokenize: (tokens: readonly number[], before: readonly number[]) => string;
  readonly #stops: readonly string[];
  /** Tokens whose bytes are no whole character yet. */
  #open: number[] = [];
  #before: readonly number[] = [];
  /** Text that may be the beginning of a stop sequence. */
  #held = '';

  /** @throws RangeError when a stop sequence is empty */
  constructor(detokenize: (tokens: readonly number[], before: readonly number[]) => string, stops: readonly string[]) {
    if (stops.includes('')) throw new RangeError('a stop sequence must not be empty');
    this.#detokenize = detokenize;
    this.#stops = stops;
  }

  /** @returns the text that is certain now, and whether a stop sequence follows it */
  push(token: number): { text: string; stopped: boolean } {
    this.#open.push(token);
    const piece = this.#detokenize(this.#open, this.#before);
    if (!piece.endsWith(INCOMPLETE)) {
      this.#close();
      return this.#release(piece);
    }
    // A character has at most four bytes, so three tokens can be waiting for a fourth.
    if (this.#open.length < 4) return { text: '', stopped: false };
    // The fourth did not complete them: they are no character, or that very sign, and the fourth may begin another one.
    const certain = this.#detokenize(this.#open.slice(0, -1), this.#before);
    this.#before = this.#open.slice(0, -1);
    this.#open = [token];
    return this.#release(certain);
  }

  /** @returns the text that was held back; nothing comes after it */
  flush(): string {
    const piece = this.#open.length > 0 ? this.#detokenize(this.#open, this.#before) : '';
    this.#close();
    const { text, stopped } = this.#release(piece);
    return stopped ? text : text + this.#held;
  }

  #close(): void {
    if (this.#open.length > 0) this.#before = this.#open;
    this.#open = [];
  }

  #release(piece: string): { text: string; stopped: boolean } {
    const text = this.#held + piece;
    const ends = this.#stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
    if (ends.length > 0) {
      this.#held = '';
      return { text: text.slice(0, Math.min(...ends)), stopped: true };
    }
    const held = Math.max(0, ...this.#stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - held);
    return { text: text.slice(0, text.length - held), stopped: false };
  }
}

/** How many characters at the end of the text are the beginning of the stop sequence. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
