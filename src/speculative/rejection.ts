/**
 * Speculative sampling by rejection (Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML
 * 2023, algorithm 1): the reference that the decoder's own way is compared with in tests. It accepts as many tokens as any rule can,
 * but the draft's probabilities must be there, and the text depends on the draft: another draft, another text.
 */

export type Distribution = ReadonlyMap<number, number>;

/** Probability that a token which the draft drew from q stays, when the target's distribution is p. */
export function acceptanceProbability(token: number, p: Distribution, q: Distribution): number {
  return Math.min(1, (p.get(token) ?? 0) / (q.get(token) ?? 0));
}

/** What to draw from instead when it does not: max(0, p - q), normalized. Empty when p and q are the same. */
export function residual(p: Distribution, q: Distribution): Distribution {
  const left = Array.from(p, ([token, probability]): [number, number] => [token, probability - (q.get(token) ?? 0)]);
  const positive = left.filter(([, probability]) => probability > 0);
  const sum = positive.reduce((total, [, probability]) => total + probability, 0);
  return new Map(positive.map(([token, probability]) => [token, probability / sum]));
}

/**
 * One round.
 * @param proposed tokens, each with the distribution that it was drawn from
 * @param targets the target's distribution at the place of each, and one more behind the last
 * @param random uniform in [0, 1)
 * @returns the tokens that are certain: those accepted, and one from the target
 */
export function rejectionRound(
  proposed: readonly { token: number; q: Distribution }[],
  targets: readonly Distribution[],
  random: () => number,
): number[] {
  const tokens: number[] = [];
  for (const [n, { token, q }] of proposed.entries()) {
    const p = targets[n] ?? new Map();
    if (random() >= acceptanceProbability(token, p, q)) return [...tokens, draw(residual(p, q), random)];
    tokens.push(token);
  }
  return [...tokens, draw(targets[proposed.length] ?? new Map(), random)];
}

/** @throws RangeError when the distribution is empty */
export function draw(distribution: Distribution, random: () => number): number {
  let left = random();
  let last: number | undefined;
  for (const [token, probability] of distribution) {
    last = token;
    left -= probability;
    if (left < 0) break;
  }
  if (last === undefined) throw new RangeError('there is nothing to draw from');
  return last;
}
