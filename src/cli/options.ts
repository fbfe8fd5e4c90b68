/** Values of options on the command line. */
import { InvalidArgumentError } from 'commander';
import { duration } from '../yaml/units.ts';

export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError(`"${text}" is no number`);
  return value;
}

export function whole(text: string): number {
  const value = number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError(`"${text}" is no whole number`);
  return value;
}

/** A duration, as in phoenix.yaml. */
export function milliseconds(text: string): number {
  const parsed = duration.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(parsed.error.issues[0]?.message ?? `"${text}" is no duration`);
  return parsed.data;
}
