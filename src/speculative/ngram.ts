const LONGEST = 8;
const SHORTEST = 3;

/**
 * Proposes what followed the last time that the text ended as it ends now: the longest ending of 8 to 3 tokens that occurred
 * before, and of those the most recent (Saxena, "Prompt Lookup Decoding", 2023). A token costs a few map operations, whatever the
 * length of the text.
 */
export class NgramIndex {
  readonly #tokens: number[] = [];
  /** Hash of an n-gram -> index of the token that followed its last occurrence. Collisions are noticed when it is looked up. */
  readonly #following = new Map<number, number>();

  constructor(tokens: readonly number[] = []) {
    this.push(tokens);
  }

  push(tokens: readonly number[]): void {
    for (const token of tokens) {
      this.#forEachEnding((hash) => this.#following.set(hash, this.#tokens.length));
      this.#tokens.push(token);
    }
  }

  /** @returns up to `count` tokens */
  propose(count: number): number[] {
    let from: number | undefined;
    this.#forEachEnding((hash, length) => {
      const index = this.#following.get(hash);
      if (index !== undefined && this.#endsAlike(index, length)) from = index;
    });
    if (from === undefined) return [];
    const proposed: number[] = [];
    for (let index = from; proposed.length < count; index++) {
      // What repeats goes on repeating: past the end of the text the proposal itself continues it.
      proposed.push(this.#tokens[index] ?? proposed[index - this.#tokens.length] ?? 0);
    }
    return proposed;
  }

  /** Calls back with the hash of each ending of the text, the shortest first. */
  #forEachEnding(callback: (hash: number, length: number) => void): void {
    let hash = 0;
    for (let length = 1; length <= LONGEST && length <= this.#tokens.length; length++) {
      hash = (Math.imul(hash ^ (this.#tokens[this.#tokens.length - length] ?? 0), 0x9e3779b1) + length) >>> 0;
      if (length >= SHORTEST) callback(hash, length);
    }
  }

  #endsAlike(index: number, length: number): boolean {
    for (let n = 1; n <= length; n++) {
      if (this.#tokens[index - n] !== this.#tokens[this.#tokens.length - n]) return false;
    }
    return true;
  }
}
