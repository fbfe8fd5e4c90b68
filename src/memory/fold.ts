import { createHash } from 'node:crypto';

/** A longer text is matched by its beginning and its hash: an index entry stays small. */
const LONGEST_KEY = 256;
const ASCII = /^[\x20-\x7e]*$/;
/** Accents are told apart from letters only where that is what they are: not in Hindi, Thai or Arabic. */
const ACCENTED = /([\p{Script=Latin}\p{Script=Greek}])([\u0300-\u036f]+)/gu;
const TILDE = '\u0303';

/**
 * The key by which texts match: Unicode NFC, without case, accents, and differences in white space; `_` is a space. The
 * Spanish ñ is a letter of its own: "año" is not "ano".
 */
export function fold(text: string): string {
  const letters = ASCII.test(text) ? text.toLowerCase() : withoutAccents(text.toUpperCase().toLowerCase());
  const key = letters.replaceAll(/[\s_]+/g, ' ').trim() || text;
  if (key.length <= LONGEST_KEY) return key;
  return `${key.slice(0, LONGEST_KEY / 2)}#${createHash('sha256').update(key).digest('hex')}`;
}

function withoutAccents(text: string): string {
  return text
    .normalize('NFD')
    .replaceAll(ACCENTED, (_, base: string, marks: string) =>
      base === 'n' && marks.includes(TILDE) ? `n${TILDE}` : base,
    )
    .normalize('NFC');
}
