const MIB = 1024 ** 2;

/**
 * Flags of Node for a skill that may use this much memory in bytes: the heap stays below the limit, and starts small. Without
 * --use-openssl-ca Node reads 150 certificates of authorities at every start, in a quarter of its processor time; a skill trusts one at
 * most, which its launch names.
 */
export function nodeFlags(memoryBytes: number): string[] {
  const heapMib = Math.max(32, Math.floor((memoryBytes / MIB) * 0.75));
  return [
    `--max-old-space-size=${heapMib}`,
    '--max-semi-space-size=8',
    '--v8-pool-size=1',
    '--no-warnings',
    '--use-openssl-ca',
  ];
}
