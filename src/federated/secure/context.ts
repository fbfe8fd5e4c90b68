/** What all clients of a round have to mean alike. Keys are signed, and masks derived, for it: another one gives other masks. */
import { createHash } from 'node:crypto';

/** With fewer, a sum tells each of two what the other said. */
export const MIN_CLIENTS = 3;
/** Shares of a secret are numbered in one byte. */
export const MAX_CLIENTS = 255;

export interface RoundContext {
  round: number;
  /** Model that updates are relative to. */
  baseVersion: number;
  /** Clipping norm. */
  clip: number;
  /** Standard deviation of the noise of `thresholdOf` clients together, in clipping norms. */
  noise: number;
  /** What the sum is divided by. */
  divisor: number;
  /** Number of parameters. */
  dimension: number;
  /** What the parameters mean. */
  model: string;
}

/**
 * How many of the clients that advertised keys have to stay until the end. More than two thirds: two sums of one round would need two
 * such sets of clients, whose common part, a third of all, has to lie (Bonawitz et al. 2017, theorem 6.5).
 */
export function thresholdOf(clients: number): number {
  return Math.floor((2 * clients) / 3) + 1;
}

/** Bytes that stand for a list and for no other. */
export function encoded(label: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const pieces = [`phoenix-secure-aggregation-1 ${label}`, ...parts].flatMap((part) => {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(pieces);
}

export function hashOf(label: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  return createHash('sha256')
    .update(encoded(label, ...parts))
    .digest();
}

export function contextHash(context: RoundContext): Buffer {
  const { round, baseVersion, clip, noise, divisor, dimension, model } = context;
  return hashOf('context', JSON.stringify([round, baseVersion, clip, noise, divisor, dimension, model]));
}
