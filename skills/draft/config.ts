const KEYS = ['context_size', 'texts', 'drafts', 'threads'] as const;

/** Settings of the draft skill; skill.yaml says what each means. */
export type DraftConfig = Record<(typeof KEYS)[number], number>;

/** Reads `config` of the manifest. @throws Error that names what is wrong and what is allowed */
export function readDraftConfig(config: Readonly<Record<string, unknown>>): DraftConfig {
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key as (typeof KEYS)[number]));
  if (unknown) throw new Error(`config.${unknown} is no setting of the draft skill; there are: ${KEYS.join(', ')}`);
  for (const key of KEYS) {
    if (Number.isSafeInteger(config[key]) && Number(config[key]) >= 1) continue;
    throw new Error(
      `config.${key} of the draft skill must be a whole number above 0, not ${JSON.stringify(config[key])}`,
    );
  }
  return config as DraftConfig;
}
