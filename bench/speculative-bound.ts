import type { SpeculationProfile } from '../src/speculative/index.ts';

/** A text that was generated. */
export interface Text {
  /** Tokens before the first that is looked at. */
  before: number;
  tokens: number;
}

/**
 * How many times as fast as plain decoding the texts can be written, by one who knows how long they get, chooses the best number of
 * proposals for every round, and loses no time between evaluations. With t(w, p) the measured milliseconds to evaluate w tokens behind p
 * others, a the acceptance per tested token, and c the milliseconds that each proposed token is waited for, the least time for the tokens
 * from the i-th on is
 *
 *     F(i) = min over k of t(k + 1, p + i) + c k + sum over j = 0..k of P(j) F(i + j + 1),   F(n) = 0,
 *
 * where j of k proposed tokens are right with P(j) = a^j (1 - a), P(k) = a^k, and k is at most the exact width less one and what is left
 * less one. The bound is the sum of t(1, p + i) over F(0), of all texts together.
 *
 * @param profile t of plain decoding @param verifying t of evaluations with proposals, measured beside a draft that is at work
 */
export function bound(
  texts: readonly Text[],
  profile: SpeculationProfile,
  acceptance: number,
  waitMs: number,
  verifying = profile,
): number {
  const { exactWidth } = profile;
  const msOf = (width: number, position: number) => {
    const { verifyMs, perTokenMs } = width > 1 ? verifying : profile;
    return (verifyMs[width - 1] ?? Number.POSITIVE_INFINITY) + position * (perTokenMs?.[width - 1] ?? 0);
  };
  let plainMs = 0;
  let leastMs = 0;
  for (const { before, tokens } of texts) {
    const least = [0];
    // From the end on: least[m] is what the last m tokens take.
    for (let left = 1; left <= tokens; left++) {
      const position = before + tokens - left;
      plainMs += msOf(1, position);
      let best = Number.POSITIVE_INFINITY;
      for (let count = 0; count < Math.min(exactWidth, left); count++) {
        let ms = msOf(count + 1, position) + waitMs * count;
        for (let right = 0; right <= count; right++) {
          const chance = acceptance ** right * (right < count ? 1 - acceptance : 1);
          ms += chance * (least[left - right - 1] ?? 0);
        }
        best = Math.min(best, ms);
      }
      least.push(best);
    }
    leastMs += least[tokens] ?? 0;
  }
  return plainMs / leastMs;
}
