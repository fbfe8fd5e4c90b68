/**
 * Pearson's chi-square test of counts against expected counts.
 * @param expected by key; keys with fewer than 5 expected are taken together
 * @returns the statistic, and the value above which it is by chance once in a million (Wilson, Hilferty, "The Distribution of
 * Chi-Square", PNAS 17, 1931)
 */
export function chiSquare<Key>(counts: ReadonlyMap<Key, number>, expected: ReadonlyMap<Key, number>) {
  let rareCount = counts.entries().reduce((sum, [key, count]) => sum + (expected.has(key) ? 0 : count), 0);
  let rareExpected = 0;
  let statistic = 0;
  let cells = 0;
  const add = (count: number, mean: number) => {
    statistic += (count - mean) ** 2 / mean;
    cells++;
  };
  for (const [key, mean] of expected) {
    const count = counts.get(key) ?? 0;
    if (mean >= 5) add(count, mean);
    else {
      rareCount += count;
      rareExpected += mean;
    }
  }
  // What cannot happen at all counts in full.
  if (rareCount > 0 || rareExpected > 0) add(rareCount, Math.max(rareExpected, 1e-3));
  const degrees = Math.max(1, cells - 1);
  const limit = degrees * (1 - 2 / (9 * degrees) + 4.753 * Math.sqrt(2 / (9 * degrees))) ** 3;
  return { statistic, limit, degrees };
}
