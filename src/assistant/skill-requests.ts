/**
 * How a message becomes a request of a skill that comes with Phoenix, and an answer of it a text. Every other skill gets the message as it
 * stands.
 */
import type { Language } from '../language/index.ts';

/** What is sent to a skill; or what the message lacks; undefined when the assistant itself works with the skill. */
export type Prepared = { prompt: string } | { missing: Record<Language, string> } | undefined;

interface Translation {
  prepare(message: string): Prepared;
  say?(answer: string): string;
}

/** By the name of the skill. */
export const TRANSLATIONS: Readonly<Record<string, Translation>> = {
  // The memory works with it, unless the message is a statement.
  sql: {
    prepare: (message) => {
      const prompt = statementIn(message);
      return prompt === undefined ? undefined : { prompt };
    },
  },
  // The model of the assistant writes texts; this one drafts for it.
  draft: { prepare: () => undefined },
  'patch-sandbox': {
    prepare: (message) => {
      const diff = diffIn(message);
      return diff === undefined ? { missing: NO_DIFF } : { prompt: JSON.stringify({ diff }) };
    },
    say: summaryOf,
  },
};

const NO_DIFF = {
  es: 'para probar un parche hace falta el diff en el mensaje',
  en: 'to try a patch its diff must be in the message',
};

/** A statement, alone, in a fence, or after the colon of a sentence that asks for it. */
const FENCED = /```(?:sql)?\s*([\s\S]+?)```/i;
const INTRODUCED = /^[^:;'"()]{0,200}:\s*(?=(?:select|with|explain|values|pragma)\b)/i;
const READS = /^(?:select|with|explain|values)\s/i;
const READS_SCHEMA = /^pragma\s+(?:table_info|table_list|table_xinfo|index_list|index_info)\b[^=]*$/i;
const WRITES = /\b(?:insert|update|delete|replace)\b/i;
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"/g;

/**
 * The SQL statement in a message, if it only reads: what changes a database somebody must ask for by name (`phoenix skill call sql`).
 * The skill has a guard of its own; this is about what a message may cause.
 */
export function statementIn(message: string): string | undefined {
  const [, fenced] = FENCED.exec(message) ?? [];
  const statement = (fenced ?? message.trim().replace(INTRODUCED, '')).trim().replace(/;\s*$/, '');
  const bare = statement.replaceAll(QUOTED, "''");
  if (bare.includes(';')) return undefined;
  if (READS_SCHEMA.test(bare)) return statement;
  // "select" begins many a sentence; SQL goes on in its own way.
  if (!READS.test(bare) || !looksLikeSql(bare)) return undefined;
  return WRITES.test(bare) ? undefined : statement;
}

function looksLikeSql(statement: string): boolean {
  if (
    /^(?:values\s*\(|explain\s+(?:query\s+plan\s+)?(?:select|with)\b|with\s+\w+(?:\s*\(.*?\))?\s+as\s*\()/i.test(
      statement,
    )
  )
    return true;
  return /^select\b.*\sfrom\s+["'\w]/is.test(statement) || /^select\s+(?:[\d'(*]|\w+\s*\()/i.test(statement);
}

/** The unified diff in a message: in a fence, or from its first line to the end. */
export function diffIn(message: string): string | undefined {
  const [, fenced] = /```(?:diff|patch)?[^\n]*\n([\s\S]+?)```/.exec(message) ?? [];
  const text = fenced ?? message;
  const [begin] = /^(?:diff --git |--- )/m.exec(text) ? [text.search(/^(?:diff --git |--- )/m)] : [];
  if (begin === undefined) return undefined;
  const diff = text.slice(begin);
  return /^\+\+\+ /m.test(diff) || diff.startsWith('diff --git ') ? `${diff.trimEnd()}\n` : undefined;
}

/** The `summary` of an answer in JSON; the answer itself, if it has none. */
function summaryOf(answer: string): string {
  try {
    const { summary } = JSON.parse(answer) as { summary?: unknown };
    return typeof summary === 'string' && summary !== '' ? summary : answer;
  } catch {
    return answer;
  }
}
