/** What a test needs beside Node. Missing, its tests are skipped, loudly; PHOENIX_TEST_REQUIRE=all makes that an error. */

const isStrict = process.env.PHOENIX_TEST_REQUIRE === 'all';

/** @returns why tests are skipped, or false when they are not @throws Error where everything must be there */
export function isMissing(what: string, isThere: boolean): string | false {
  if (isThere) return false;
  if (isStrict) throw new Error(`PHOENIX_TEST_REQUIRE=all, but ${what} is missing on this machine`);
  return `MISSING: ${what}`;
}
