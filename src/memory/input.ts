import { z } from 'zod';
import type { NewFact, Pattern, RecallQuery } from './types.ts';

/** Longest subject, verb or object, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 65_536;
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 10_000;

/** Something that the memory does not accept. Nothing was changed. */
export class MemoryInputError extends Error {
  override readonly name = 'MemoryInputError';
  /** Which part, for example `object`. */
  readonly param: string;

  constructor(param: string, message: string) {
    super(`${param}: ${message}`);
    this.param = param;
  }
}

const SOURCES = ['user_input', 'rag', 'skill'] as const;

/** A text as it can be stored and returned exactly. @throws MemoryInputError */
export function checkText(param: string, text: unknown): string {
  if (typeof text !== 'string') throw new MemoryInputError(param, 'must be a text');
  if (text.trim() === '') throw new MemoryInputError(param, 'must not be empty');
  if (text.length > MAX_TEXT_BYTES / 4 && Buffer.byteLength(text) > MAX_TEXT_BYTES) {
    throw new MemoryInputError(param, `has ${Buffer.byteLength(text)} bytes, ${MAX_TEXT_BYTES} are allowed`);
  }
  if (text.includes('\0')) throw new MemoryInputError(param, 'must not contain a NUL character');
  if (!text.isWellFormed()) throw new MemoryInputError(param, 'is no valid Unicode: it contains half a surrogate pair');
  return text;
}

/** A fact with everything filled in. */
export interface CheckedFact extends Required<NewFact> {
  /** It came without a time: it is told now, after everything that was told before, whatever the clock says. */
  isNow: boolean;
}

/** @throws MemoryInputError */
export function checkFact(fact: NewFact, now: number): CheckedFact {
  const { confidence = 1, source = 'user_input', at = now } = fact;
  if (!(typeof confidence === 'number' && confidence >= 0 && confidence <= 1)) {
    throw new MemoryInputError('confidence', `must be a number from 0 to 1, not ${confidence}`);
  }
  if (!SOURCES.includes(source)) throw new MemoryInputError('source', `must be one of ${SOURCES.join(', ')}`);
  return {
    subject: checkText('subject', fact.subject),
    verb: checkText('verb', fact.verb),
    object: checkText('object', fact.object),
    confidence,
    source,
    at: checkTime('at', at),
    isNow: fact.at === undefined,
  };
}

/** @throws MemoryInputError */
export function checkPattern(pattern: Pattern): Pattern {
  const checked: Pattern = {};
  for (const part of ['subject', 'verb', 'object'] as const) {
    if (pattern[part] !== undefined) checked[part] = checkText(part, pattern[part]);
  }
  return checked;
}

/** @throws MemoryInputError */
export function checkLimit(limit: number = DEFAULT_LIMIT): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw new MemoryInputError('limit', `must be a whole number from 1 to ${MAX_LIMIT}, not ${limit}`);
}

/** Milliseconds since the epoch. @throws MemoryInputError */
export function checkTime(param: string, at: number): number {
  if (Number.isFinite(at) && Math.abs(at) <= 8.64e15) return Math.floor(at);
  throw new MemoryInputError(param, 'must be a time in milliseconds since 1970');
}

const cursorSchema = z.tuple([z.literal(1), z.string(), z.number(), z.number(), z.number()]);

/** Where the next page begins: after this confidence, time and row. */
export type Position = readonly [confidence: number, time: number, id: number];

/** What a cursor belongs to: one made for another question is refused. */
function questionOf({ subject, verb, object, asOf }: RecallQuery): string {
  return JSON.stringify([subject, verb, object, asOf].map((part) => part ?? null));
}

export function makeCursor(query: RecallQuery, position: Position): string {
  return Buffer.from(JSON.stringify([1, questionOf(query), ...position])).toString('base64url');
}

/** @throws MemoryInputError */
export function readCursor(query: RecallQuery): Position | undefined {
  if (query.cursor === undefined) return undefined;
  try {
    const [, question, ...position] = cursorSchema.parse(JSON.parse(Buffer.from(query.cursor, 'base64url').toString()));
    if (question === questionOf(query)) return position;
  } catch {
    // Told below.
  }
  throw new MemoryInputError('cursor', 'is not one that this question returned');
}
