import { z } from 'zod';

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
};

const DURATION_HELP = 'write for example 250ms, 10s, 5m or 1h';
const SIZE_HELP = 'write for example 256MiB, 1G or 65536';
const show = (input: unknown) => JSON.stringify(input) ?? String(input);

/** A duration such as `250ms`, `10s`, `5m`, `1h` or `0`; the value is in milliseconds. */
export const duration = z
  .union([z.string(), z.literal(0)], { error: ({ input }) => `${show(input)} is no duration; ${DURATION_HELP}` })
  .transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(text).trim());
    if (match) return Number(match[1]) * (DURATION_UNITS[match[2] ?? ''] ?? Number.NaN);
    if (String(text).trim() === '0') return 0;
    context.addIssue({ code: 'custom', message: `"${text}" is no duration; ${DURATION_HELP}` });
    return z.NEVER;
  });

/** A size such as `800M`, `1G`, `256MiB` or a number of bytes; the value is in bytes. */
export const size = z
  .union([z.string(), z.number()], { error: ({ input }) => `${show(input)} is no size; ${SIZE_HELP}` })
  .transform((text, context) => {
    const match = /^(\d+(?:\.\d+)?)\s*([kmg]i?|)b?$/i.exec(String(text).trim());
    const unit = SIZE_UNITS[match?.[2]?.toLowerCase() ?? ''];
    if (match && unit !== undefined) return Math.round(Number(match[1]) * unit);
    context.addIssue({ code: 'custom', message: `"${text}" is no size; ${SIZE_HELP}` });
    return z.NEVER;
  });
