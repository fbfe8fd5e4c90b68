/** What can be fuzzed: something that takes bytes from outside. */

export interface Target {
  /**
   * Takes one input.
   *
   * @returns what became of it, in a few words. An input with a new outcome is worth changing further.
   * @throws when it is not handled as it must be: that is a finding
   */
  run(input: Buffer): string | Promise<string>;
  close?(): PromiseLike<void> | void;
}

export interface TargetDefinition {
  name: string;
  /** What is fuzzed, in one line. */
  about: string;
  /** Pieces that its inputs are made of. */
  dictionary: readonly string[];
  /** Longest input, in bytes. */
  maxLength?: number;
  /** A run may take this long before it counts as one that hangs, in milliseconds. Default 10 s. */
  hangMs?: number;
  open(): Target | Promise<Target>;
}

/** The kind of an error: its message without what differs from input to input. */
export function kindOf(message: string): string {
  return message
    .split('\n', 1)
    .join('')
    .replaceAll(/"(?:[^"\\]|\\.)*"?/g, '"…"')
    .replaceAll(/\d+/g, 'N')
    .slice(0, 80);
}
