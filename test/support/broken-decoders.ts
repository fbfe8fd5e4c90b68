/** Decoders with a wrong rule of acceptance: tests of exactness must catch them. */
import { SpeculativeDecoder } from '../../src/speculative/index.ts';

/** Takes whatever is proposed. */
export class CarelessDecoder extends SpeculativeDecoder {
  protected override accepted(proposed: readonly number[]): number {
    return proposed.length;
  }
}

/** Takes the first wrong token too. */
class OffByOneDecoder extends SpeculativeDecoder {
  protected override accepted(proposed: readonly number[], choiceAt: (n: number) => number): number {
    return Math.min(proposed.length, super.accepted(proposed, choiceAt) + 1);
  }
}

export const BROKEN_DECODERS = [CarelessDecoder, OffByOneDecoder];
