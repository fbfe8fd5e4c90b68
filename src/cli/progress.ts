/** What a command does now, on stderr: a line that changes on a terminal, and now and then a new one elsewhere. */
export class Progress implements Disposable {
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #timer: NodeJS.Timeout;
  #text = '';
  #since = performance.now();
  #drawn = false;

  constructor() {
    this.#timer = setInterval(() => this.#draw(), this.#isTerminal ? 500 : 10_000);
    this.#timer.unref();
  }

  /** Something else begins. */
  step(text: string): void {
    if (this.#text !== '' && this.#isTerminal) process.stderr.write('\r\u001b[K');
    this.#text = text;
    this.#since = performance.now();
    this.#draw();
  }

  /** The same goes on. */
  update(text: string): void {
    this.#text = text;
  }

  /** Makes place for a line that stays. */
  clear(): void {
    if (this.#drawn && this.#isTerminal) process.stderr.write('\r\u001b[K');
    this.#drawn = false;
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #draw(): void {
    if (this.#text === '') return;
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    const line = seconds > 0 ? `${this.#text} (${seconds} s)` : this.#text;
    process.stderr.write(this.#isTerminal ? `\r\u001b[K${line}` : `${line}\n`);
    this.#drawn = true;
  }
}
