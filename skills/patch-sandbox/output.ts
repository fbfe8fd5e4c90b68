/** What a program says: the beginning and the end are kept, what is between is counted. */
export class OutputWindow {
  /** Bytes that were left out. */
  omitted = 0;
  readonly #half: number;
  readonly #maxBytes: number;
  readonly #onTooMuch: () => void;
  #total = 0;
  #head = Buffer.alloc(0);
  #tail: Buffer[] = [];
  #tailBytes = 0;

  /**
   * @param keptBytes of these, half from the beginning and half from the end
   * @param maxBytes more than these call `onTooMuch`
   */
  constructor(keptBytes: number, maxBytes: number, onTooMuch: () => void) {
    this.#half = Math.floor(keptBytes / 2);
    this.#maxBytes = maxBytes;
    this.#onTooMuch = onTooMuch;
  }

  add(data: Buffer): void {
    this.#total += data.length;
    if (this.#total > this.#maxBytes) this.#onTooMuch();
    const forHead = data.subarray(0, Math.max(0, this.#half - this.#head.length));
    if (forHead.length > 0) this.#head = Buffer.concat([this.#head, forHead]);
    this.#tail.push(data.subarray(forHead.length));
    this.#tailBytes += data.length - forHead.length;
    while (this.#tailBytes > this.#half) {
      const [first] = this.#tail;
      if (!first) break;
      const drop = Math.min(first.length, this.#tailBytes - this.#half);
      if (drop === first.length) this.#tail.shift();
      else this.#tail[0] = first.subarray(drop);
      this.#tailBytes -= drop;
      this.omitted += drop;
    }
  }

  text(): string {
    const tail = Buffer.concat(this.#tail);
    if (this.omitted === 0) return Buffer.concat([this.#head, tail]).toString();
    return `${this.#head.toString()}\n[... ${this.omitted} bytes left out ...]\n${tail.toString()}`;
  }
}
