import { type SkillAnswer, SkillError } from 'phoenix/skill';
import type { SqlValue } from '../../src/contract/gen/skills.ts';

/** What SQLite stores and returns; integers are always bigints here, so that none loses digits. */
export type Cell = null | bigint | number | string | Uint8Array;
export type SqlParts = NonNullable<Exclude<SkillAnswer, string>['sql']>;

/** A value from the wire as SQLite takes it. */
export function toCell(value: SqlValue): Cell {
  if (value.text !== undefined) return value.text;
  if (value.integer !== undefined) return value.integer;
  if (value.real !== undefined) return value.real;
  if (value.blob !== undefined) return value.blob;
  if (value.null !== undefined) return null;
  throw new SkillError('INVALID_ARGUMENT', 'a parameter has no value; for NULL set "null" to true');
}

/** Rows of parameters that came as JSON. @throws SkillError */
export function readJsonRows(json: string): Cell[][] {
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch (error) {
    throw new SkillError('INVALID_ARGUMENT', `rows_json is no JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw new SkillError('INVALID_ARGUMENT', 'rows_json must be an array of arrays');
  }
  return (rows as unknown[][]).map((row) => row.map(jsonToCell));
}

function jsonToCell(value: unknown): Cell {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  throw new SkillError('INVALID_ARGUMENT', 'rows_json may contain texts, numbers and nulls');
}

/**
 * A value as JSON. Integers keep all their digits, reals keep their point, blobs are `{"$blob": base64}`, and reals that JSON
 * has no number for are `{"$real": "Infinity"}`.
 */
export function cellToJson(cell: Cell): string {
  switch (typeof cell) {
    case 'string':
      return JSON.stringify(cell);
    case 'bigint':
      return cell.toString();
    case 'number':
      return realToJson(cell);
    default:
      return cell === null
        ? 'null'
        : `{"$blob":"${Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('base64')}"}`;
  }
}

function realToJson(value: number): string {
  if (!Number.isFinite(value)) return `{"$real":"${value}"}`;
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** Writes rows as JSON: objects by column name, or arrays. */
export function rowWriter(columns: readonly string[], asArrays: boolean): (row: readonly Cell[]) => string {
  if (asArrays) return (row) => `[${row.map(cellToJson).join(',')}]`;
  const keys = columns.map((name) => `${JSON.stringify(name)}:`);
  return (row) => `{${row.map((cell, column) => (keys[column] ?? '') + cellToJson(cell)).join(',')}}`;
}
