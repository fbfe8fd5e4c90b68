import { z } from 'zod';

const bytes = z
  .int()
  .min(1024)
  .max(2 ** 30);
/** One name, not a path. */
const names = z.array(z.string().regex(/^[^/\0]+$/, 'is the name of a folder, without slashes'));

const schema = z.strictObject({
  trusted_keys: z.array(z.string()),
  timeout_ms: z.int().min(1),
  kept_output_bytes: bytes,
  max_output_bytes: bytes,
  link: names,
  exclude: names,
});

/** Settings of the skill; skill.yaml says what each means. */
export type PatchConfig = z.output<typeof schema>;

/** Reads `config` of the manifest. @throws Error that names what is wrong */
export function readPatchConfig(config: Readonly<Record<string, unknown>>): PatchConfig {
  const read = schema.safeParse(config);
  if (read.success) return read.data;
  throw new Error(read.error.issues.map(({ path, message }) => `config.${path.join('.')}: ${message}`).join('; '));
}
