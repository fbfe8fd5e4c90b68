/** Parsers of the values of options: what is wrong with one is said where it was given. */
import { InvalidArgumentError } from 'commander';
import type { z } from 'zod';
import { duration, size } from '../yaml/units.ts';

function parserOf(schema: z.ZodType<number>): (text: string) => number {
  return (text) => {
    const read = schema.safeParse(text);
    if (read.success) return read.data;
    throw new InvalidArgumentError(read.error.issues.map(({ message }) => message).join('; '));
  };
}

/** Bytes, from `256MiB`, `1G` or a number. */
export const sizeValue = parserOf(size);

/** Milliseconds, from `250ms`, `10s` or `5m`. A bare number is seconds. */
export function durationValue(text: string): number {
  return parserOf(duration)(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text);
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError(`"${text}" is no whole number`);
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is no number above 0`);
  return value;
}
