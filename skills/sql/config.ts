const KEYS = ['max_rows', 'max_answer_bytes', 'max_statement_bytes', 'max_database_bytes', 'cache_bytes'] as const;

/** Limits of the sql skill; skill.yaml says what each means. */
export type SqlConfig = Record<(typeof KEYS)[number], number>;

/** Reads `config` of the manifest. @throws Error that names what is wrong and what is allowed */
export function readSqlConfig(config: Readonly<Record<string, unknown>>): SqlConfig {
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key as (typeof KEYS)[number]));
  if (unknown) throw new Error(`config.${unknown} is no setting of the sql skill; there are: ${KEYS.join(', ')}`);
  for (const key of KEYS) {
    if (!Number.isSafeInteger(config[key]) || Number(config[key]) < 1) {
      throw new Error(
        `config.${key} of the sql skill must be a whole number above 0, not ${JSON.stringify(config[key])}`,
      );
    }
  }
  return config as SqlConfig;
}
