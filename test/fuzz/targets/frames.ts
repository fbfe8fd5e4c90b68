/** Several messages in one input: each is two bytes of length, little-endian, and as many bytes, or what there is. */

export function framesOf(input: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at + 2 <= input.length; ) {
    const end = at + 2 + input.readUInt16LE(at);
    frames.push(input.subarray(at + 2, end));
    at = end;
  }
  return frames;
}

/** Pieces of protocol buffers: tags of the first fields, lengths, varints that never end, numbers that are none. */
export const WIRE_WORDS = [
  ...Array.from({ length: 8 }, (_, field) =>
    [0, 1, 2, 3, 4, 5].map((wire) => String.fromCharCode(((field + 1) << 3) | wire)),
  ).flat(),
  ...['\0', '\x01', '\x02\0', '\x7f', '\x10echo', 'token', 'wait', 'throw', 'schema', 'memory', 'owner'],
];
